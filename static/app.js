/* Every page works without this file; base.html tells what it looks for. ES2017: old WebViews run Chrome 77. */
(() => {
'use strict'
const doc = document
const one = (what, root) => (root || doc).querySelector(what)
const each = (what, root, act) => {
  if (root.matches && root.matches(what)) act(root)
  root.querySelectorAll(what).forEach(act)
}
const say = name => doc.body.getAttribute('data-' + name) || ''
const on = (type, act, capture) => doc.addEventListener(type, act, capture)
const read = text => new DOMParser().parseFromString(text, 'text/html')
const ask = (url, more) => fetch(url, Object.assign({ credentials: 'same-origin', headers: { 'X-Partial': '1' } }, more))
const box = () => one('[data-scan]')
const focused = () => doc.activeElement
const changed = input => input.dispatchEvent(new Event('input', { bubbles: true }))
const isChord = event => event.ctrlKey || event.altKey || event.metaKey

/* A request key lasts until an answer has come; an edit after a lost answer ends it. */
const renewKey = form => {
  const input = form.elements.request_key
  delete form.dataset.sent
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  if (input) input.value = Array.from(bytes, byte => (byte + 256).toString(16).slice(1)).join('')
}
on('input', event => {
  const form = event.target.form
  if (form && form.dataset.sent && !form.dataset.busy) renewKey(form)
})

/* The band that says the network is slow or gone. */
let band = null
const quiet = () => { if (band) band.remove(); band = null }
const tell = (text, again) => {
  quiet()
  band = doc.createElement(again ? 'button' : 'p')
  band.className = 'button button-big band-offline'
  band.setAttribute('role', 'alert')
  band.textContent = text
  band.onclick = again
  ;(one('main') || doc.body).prepend(band)
}

/* Sounds repeat what the screen says. */
const TONES = { ok: [1320], warn: [660], stop: [300, 300] }
let audio = null
const isMuted = () => { try { return localStorage.mute } catch (_) { return '' } }
const sound = name => {
  const Context = window.AudioContext || window.webkitAudioContext
  if (!TONES[name] || !Context || isMuted()) return
  audio = audio || new Context()
  if (audio.state !== 'running') return
  TONES[name].forEach((pitch, at) => {
    const wave = audio.createOscillator()
    wave.frequency.value = pitch
    wave.connect(audio.destination)
    wave.start(audio.currentTime + at * 0.2)
    wave.stop(audio.currentTime + at * 0.2 + 0.12)
  })
}

/* Sending in place: one at a time, and nothing is lost if no answer comes. */
let sending = false, lost = false
const send = (form, button, again) => {
  if (sending) return
  const data = again || new FormData(form)
  if (!again && button && button.name) data.append(button.name, button.value)
  const of = name => button && button.getAttribute('form' + name) || form.getAttribute(name) || ''
  const method = of('method').toUpperCase() || 'GET'
  const url = new URL(of('action') || location.href, location.href)
  let body = of('enctype') === 'multipart/form-data' ? data : new URLSearchParams(data)
  if (method === 'GET') { url.search = body; body = undefined }
  const stop = new AbortController()
  const timers = [setTimeout(tell, 1000, say('slow')), setTimeout(() => stop.abort(), 15000)]
  const rest = () => { timers.forEach(clearTimeout); sending = false; delete form.dataset.busy; quiet() }
  sending = true
  lost = false
  form.dataset.busy = form.dataset.sent = '1'
  ask(url.href, { method, body, signal: stop.signal })
    .then(answer => answer.status > 501 && !answer.headers.get('X-Problem') ? Promise.reject() :
      answer.text().then(text => () => put(form, answer, text)))
    .catch(() => () => {
      lost = true
      tell(say('offline'), () => send(form, button, data))
    })
    .then(act => { rest(); act(); pump() })
}
const put = (form, answer, text) => {
  const page = read(text), fresh = []
  doc.querySelectorAll('.problem').forEach(old => old.remove())
  if (answer.status < 500) renewKey(form)
  if (answer.headers.get('X-Problem')) {
    fresh.push(page.body.firstElementChild)
    form.after(fresh[0])
  } else {
    form.dataset.swap.split(',').forEach(what => {
      const part = one(what, page), old = one(what)
      if (!part || !old) return
      old.replaceWith(part)
      fresh.push(part)
    })
    if (!fresh.length) return location.assign(answer.url)
  }
  fresh.forEach(ready)
  focusIn(fresh)
}
const focusIn = parts => {
  const wanted = parts.map(part => one('[data-focus],[autofocus]', part)).find(Boolean) || box()
  if (wanted) wanted.focus()
}
on('submit', event => {
  const form = event.target
  if (event.defaultPrevented) return
  if (form.dataset.busy) return event.preventDefault()
  if (form.dataset.swap) {
    event.preventDefault()
    send(form, event.submitter || form.pressed)
  } else if (form.method === 'post') {
    form.dataset.busy = form.dataset.sent = '1'
    setTimeout(() => delete form.dataset.busy, 8000)
  }
})
window.addEventListener('pageshow', () => each('form[data-busy]', doc, form => delete form.dataset.busy))
on('click', event => {
  const hit = what => event.target.closest(what)
  const button = hit('button'), add = hit('[data-add]'), scan = box()
  if (button && button.form) button.form.pressed = button
  if (hit('[data-print]')) print()
  if (hit('[data-mute]')) try { localStorage.mute = isMuted() ? '' : '1' } catch (_) {}
  if (add) {
    const input = doc.getElementById(add.dataset.for)
    const next = (parseInt(input.value, 10) || 0) + Number(add.dataset.add)
    input.value = Math.min(input.max || 1e9, Math.max(input.min || 0, next))
    changed(input)
  }
  if (scan && !hit('input,select,textarea,a,summary,label')) setTimeout(() => scan.focus(), 0)
})

/* Scanner: keys are read by their place, so no Chinese input method can swallow them. */
const GAP = 100, END = 120, TWICE = 800, REST = 300, LEAST = 4, LONG = 8
let burst = '', foreign = false, lastKey = 0, lastScan = -REST, lastCode = '', taken = 0, timer = 0, queue = []
const now = () => performance.now()
const elsewhere = scan => {
  const at = focused()
  return at !== scan && /^(INPUT|TEXTAREA|SELECT)$/.test(at && at.tagName)
}
const scanned = () => {
  const scan = box(), code = burst, count = scan.value.slice(0, -code.length)
  lastScan = now()
  scan.value = burst = ''
  if (foreign) { tell(say('unreadable')); return sound('stop') }
  if (code === lastCode && lastScan - taken < TWICE) return
  lastCode = code
  taken = lastScan
  queue.push(/^\d{1,2}\*$/.test(count) ? count + code : code)
  pump()
}
const pump = () => {
  const scan = box()
  if (!scan || !queue.length || sending || lost) return
  scan.value = queue.shift()
  if (!scan.form.dataset.swap) return scan.form.submit()
  send(scan.form)
  scan.value = ''
}
/* Silence alone ends only a long code: a quick hand types four digits too. */
const endLater = () => {
  clearTimeout(timer)
  timer = setTimeout(() => { if (burst.length >= LONG) scanned() }, END)
}
on('keydown', event => {
  const scan = box(), code = event.code || ''
  if (!scan || elsewhere(scan) || isChord(event)) return
  const at = event.timeStamp, quick = at - lastKey <= GAP
  const isEnter = /Enter$/.test(code || event.key)
  if (isEnter || event.key === 'Tab') {
    clearTimeout(timer)
    if (burst.length >= LEAST && quick) {
      event.preventDefault()
      scanned()
    } else if (isEnter && !scan.value && (focused() === scan || focused() === doc.body)) {
      event.preventDefault()
      const confirm = one('[data-confirm]')
      if (confirm && now() - lastScan >= REST && !queue.length && !sending) confirm.click()
    }
    burst = ''
    return
  }
  if (!/^(Digit|Numpad|Key|Minus|Equal|Comma|Period|Slash|Semicolon|Quote|Bracket)/.test(code)) return
  event.preventDefault()
  if (focused() !== scan) scan.focus()
  if (!quick) { burst = ''; foreign = false }
  const digit = /\d$/.test(code) ? code.slice(-1) : ''
  const isTimes = code === 'NumpadMultiply' || (digit === '8' && event.shiftKey)
  if (isTimes) burst = ''
  else if (digit) burst += digit
  else foreign = true
  scan.value += isTimes ? '*' : digit
  lastKey = at
  endLater()
}, true)
/* Where a keyboard names no keys (Android), or a code was pasted: read what arrived. */
on('input', event => {
  const scan = event.target
  if (scan !== box() || event.isComposing) return
  scan.value = scan.value.normalize('NFKC').replace(/[^\d*]/g, '')
  burst = now() - lastKey <= GAP || scan.value.length >= LONG ? scan.value.replace(/^.*\*/, '') : scan.value.slice(-1)
  foreign = false
  lastKey = now()
  endLater()
})
on('compositionstart', event => { if (event.target === box()) { box().blur(); box().focus() } })

/* Keys: never letters, they belong to the input method. */
on('keydown', event => {
  const name = { Escape: 'Esc', Delete: 'Del' }[event.key] || event.key, scan = box()
  if (!/^(F\d+|Esc|Del)$/.test(name) || isChord(event)) return
  if (name === 'Del' && (elsewhere(scan) || scan && scan.value)) return
  if (name === 'Esc' && scan && scan.value) { scan.value = burst = ''; return }
  const target = one('[data-key="' + name + '"]')
  if (!target) return
  event.preventDefault()
  if (/^(A|BUTTON)$/.test(target.tagName)) target.click()
  else target.focus()
})

/* Grid: a table of inputs that behaves like a sheet. */
const gridOf = event => {
  const input = event.target, table = input.closest('table[data-grid]')
  if (!table || input.tagName !== 'INPUT') return null
  const kind = input.closest('tr').dataset.row  // a line may have a second row, with columns of its own
  const alike = Array.from(table.rows).filter(row => row.dataset.row === kind)
  const rows = alike.map(row => Array.from(row.querySelectorAll('input:not([type=hidden]),select')))
  const y = rows.findIndex(row => row.includes(input))
  return { y, x: rows[y].indexOf(input), at: (row, column) => rows[row] && rows[row][column] }
}
on('keydown', event => {
  const step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[event.key], grid = step && gridOf(event)
  if (!grid || event.isComposing) return
  event.preventDefault()
  const next = grid.at(grid.y + step, grid.x)
  if (next) next.focus()
  if (next && next.select) next.select()
})
on('paste', event => {
  const text = event.clipboardData.getData('text'), grid = /[\t\n]/.test(text) && gridOf(event)
  if (!grid) return
  event.preventDefault()
  text.replace(/\r|\n$/g, '').split('\n').forEach((line, down) => line.split('\t').forEach((value, right) => {
    const cell = grid.at(grid.y + down, grid.x + right)
    if (!cell) return
    cell.value = value.trim()
    changed(cell)
  }))
})

/* Refresh and countdown. */
const refresh = part => {
  if (part.tagName === 'IMG') {
    const url = new URL(part.src)
    url.searchParams.set('at', Date.now())
    part.src = url.href
    return
  }
  ask(part.dataset.refreshUrl || location.href)
    .then(answer => answer.ok ? answer.text() : Promise.reject())
    .then(text => {
      const page = read(text)
      const fresh = part.id ? one('#' + part.id, page) : page.body.firstElementChild
      if (!fresh) return
      if (!lost) quiet()
      part.replaceWith(fresh)
      ready(fresh)
    })
    .catch(() => lost || tell(say('offline'), () => location.reload()))
}
const start = part => {
  const span = part.dataset.refreshSeconds * 1000
  let due = now() + span
  const tick = setInterval(() => {
    if (!doc.contains(part)) return clearInterval(tick)
    const shown = one('[data-countdown]', part.tagName === 'IMG' ? part.parentNode : part)
    if (shown) shown.textContent = Math.max(0, Math.ceil((due - now()) / 1000))
    if (due > now() || doc.hidden) return
    due = now() + span
    refresh(part)
  }, 250)
}
const ready = root => {
  each('[data-refresh-seconds]', root, start)
  each('[data-sound]', root, part => sound(part.dataset.sound))
}
ready(doc)
focusIn([doc])
if (navigator.serviceWorker) navigator.serviceWorker.register('/sw.js')
})()

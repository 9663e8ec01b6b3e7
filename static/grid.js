/* The grid of a draft as a spreadsheet, saved as one types; form[data-sheet] works without this file. ES2017.
   A cell is an input with an id, in a tr[id]. What a save answers renews .was in the rows and each [data-fresh].
   form[data-saved] is sent once all is saved. */
(() => {
'use strict'
const doc = document
const form = doc.querySelector('form[data-sheet]')
if (!form) return
const CELLS = 'input:not([type=hidden])', WAIT = 800, AGAIN = 5000
const COLUMNS = ['name', 'points', 'day_cap', 'evidence', 'ended']
const button = form.querySelector('.panel-foot button')
const rows = () => Array.from(form.querySelectorAll('tr[id]'))
const cellsOf = row => Array.from(row.querySelectorAll(CELLS))
const cell = id => doc.getElementById(id)
const isText = input => input.type !== 'checkbox'
const valueOf = input => isText(input) ? input.value : input.checked
const savedOf = input => isText(input) ? input.defaultValue : input.defaultChecked
const isChanged = input => valueOf(input) !== savedOf(input)
const split = id => { const at = id.indexOf('-'); return [id.slice(0, at), id.slice(at + 1)] }
const columnOf = input => COLUMNS.indexOf(split(input.id)[0])
const codeOf = row => split(row.id)[1]
const neighbour = (input, down, right) => {
  const all = rows(), y = all.indexOf(input.closest('tr')) + down, x = columnOf(input) + right
  return all[y] && COLUMNS[x] ? cell(COLUMNS[x] + '-' + codeOf(all[y])) : null
}

/* What became of the last change. */
const say = (text, isWrong) => {
  const line = cell('saved')
  line.textContent = text
  line.classList.toggle('wrong', Boolean(isWrong))
  button.hidden = !isWrong
}
button.hidden = true
let told = cell('saved').textContent

/* One change is undone at once, whether a cell or a pasted block: a list of { id, from, to }. */
let past = [], future = []
const done = changes => {
  if (!changes.length) return
  past.push(changes)
  future = []
  soon(50)
}
const put = (input, value) => {
  if (isText(input)) input.value = value
  else input.checked = value
}
const step = (from, to, name) => {
  commit()
  const changes = from.pop()
  if (!changes) return
  to.push(changes)
  const known = changes.filter(change => cell(change.id))
  known.forEach(change => put(cell(change.id), change[name]))
  if (known.length) {
    cell(known[0].id).focus()
    enter(cell(known[0].id))
  }
  soon(50)
}

/* A block of cells of text, from the one that one is in to `far`. */
let far = null
const box = () => {
  const all = rows(), between = (list, one, other) => list.slice(Math.min(one, other), Math.max(one, other) + 1)
  const columns = between(COLUMNS, columnOf(at), columnOf(far))
  return between(all, all.indexOf(at.closest('tr')), all.indexOf(far.closest('tr')))
    .map(row => columns.map(name => cell(name + '-' + codeOf(row))))
}
const inBlock = () => far ? [].concat.apply([], box()) : []
const paint = () => {
  form.querySelectorAll('.is-selected').forEach(td => td.classList.remove('is-selected'))
  inBlock().forEach(input => input.closest('td').classList.add('is-selected'))
}
const reach = input => {
  far = input === at ? null : input
  paint()
}
const select = input => {
  if (!at || !input || !isText(at) || !isText(input)) return
  commit()
  mode = 'move'
  reach(input)
}
/* The same value in some cells, or in each its own: one step to undo. */
const fill = pairs => {
  const changes = pairs.filter(pair => !pair[0].readOnly && pair[0].value !== pair[1])
    .map(pair => ({ id: pair[0].id, from: pair[0].value, to: pair[1] }))
  changes.forEach(change => { cell(change.id).value = change.to })
  if (at) before = valueOf(at)
  done(changes)
}

/* Where one is: moving from cell to cell, writing over a cell, or editing within it. */
let at = null, before = '', mode = 'move'
const enter = input => {
  at = input
  reach(at)
  before = valueOf(input)
  mode = 'move'
  if (isText(input)) input.select()
}
const commit = () => {
  if (!at || !isText(at) || at.value === before) return
  done([{ id: at.id, from: before, to: at.value }])
  before = at.value
}
const go = input => {
  if (!input) return
  commit()
  if (input === at) enter(input)
  else input.focus()
}
form.addEventListener('focusin', event => { if (event.target.matches(CELLS)) enter(event.target) })
form.addEventListener('focusout', event => { if (event.target === at) { commit(); at = null } })
form.addEventListener('mousedown', event => {
  const input = event.target
  if (!input.matches(CELLS) || !isText(input)) return
  if (input === doc.activeElement && !far) { mode = 'edit'; return }
  event.preventDefault()
  if (event.shiftKey && at) select(input)
  else go(input)
})
/* Dragging: by mouse from any cell, by finger from the one that one is in, so that others still scroll the page. */
let drag = null
form.addEventListener('pointerdown', event => {
  const input = event.target
  drag = input.matches(CELLS) && isText(input) && !event.button && !event.shiftKey ? input : null
})
doc.addEventListener('pointermove', event => {
  const hit = drag && event.buttons && doc.elementFromPoint(event.clientX, event.clientY)
  const over = hit && form.contains(hit) && hit.closest('td') && hit.closest('td').querySelector(CELLS)
  if (!over || drag !== at || over === (far || at)) return
  event.preventDefault()
  select(over)
})
for (const end of ['pointerup', 'pointercancel']) doc.addEventListener(end, () => { drag = null })
form.addEventListener('input', event => {
  if (!event.target.matches(CELLS)) return
  event.target.removeAttribute('aria-invalid')
  if (mode === 'move') mode = 'type'
  if (far) reach(at)
  soon(WAIT)
})
form.addEventListener('change', event => {
  if (!isText(event.target)) done([{ id: event.target.id, from: !event.target.checked, to: event.target.checked }])
})
form.addEventListener('keydown', event => {
  const input = event.target, key = event.key
  if (!input.matches(CELLS) || event.isComposing || event.altKey) return
  const act = event.ctrlKey || event.metaKey ? chord(key.toLowerCase(), event.shiftKey) : move(input, key, event.shiftKey)
  if (!act) return
  event.preventDefault()
  act()
})
const chord = (key, isShifted) => {
  if (key === 'z' && !isShifted) return () => step(past, future, 'from')
  if (key === 'y' || key === 'z') return () => step(future, past, 'to')
  return key === 's' ? save : null
}
const move = (input, key, isShifted) => {
  const ways = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
  if (ways[key] && isShifted) return mode === 'move' ? () => select(neighbour(far || input, ways[key][0], ways[key][1])) : null
  if (ways[key]) {
    if (mode === 'edit' && !ways[key][0]) return null
    return () => go(neighbour(input, ways[key][0], ways[key][1]))
  }
  if (far && /^(Delete|Backspace)$/.test(key)) return () => fill(inBlock().map(each => [each, '']))
  if (far && key === 'Escape') return () => reach(at)
  if (key === 'Enter' && !isText(input)) return () => input.click()
  if (key === 'F2' || (key === 'Enter' && mode === 'move' && !isShifted)) return () => edit(input)
  if (key === 'Enter') return () => go(neighbour(input, isShifted ? -1 : 1, 0))
  if (key !== 'Escape' || mode === 'move') return null
  return () => { put(input, before); enter(input) }
}
const edit = input => {
  mode = 'edit'
  reach(at)
  input.setSelectionRange(input.value.length, input.value.length)
}

/* A block as spreadsheets copy it: tabs between cells, quotes around one with a line break in it. */
const block = text => {
  const lines = [], part = /(?:"((?:[^"]|"")*)"|([^\t\n]*))(\t|\n|$)/g
  let line = [], found
  text = text.replace(/\r\n?/g, '\n').replace(/\n$/, '')
  while ((found = part.exec(text))) {
    line.push((found[1] === undefined ? found[2] : found[1].replace(/""/g, '"')).replace(/\s+/g, ' ').trim())
    if (found[3] !== '\t') { lines.push(line); line = [] }
    if (!found[3]) return lines
  }
  return lines
}
form.addEventListener('paste', event => {
  const text = event.clipboardData.getData('text'), isBlock = /[\t\n]/.test(text)
  if (!event.target.matches(CELLS) || !(isBlock || far)) return
  event.preventDefault()
  commit()
  let isOver = false
  const first = far ? inBlock()[0] : event.target, pairs = []
  if (!isBlock) inBlock().forEach(input => pairs.push([input, text.trim()]))
  else block(text).forEach((line, down) => line.forEach((value, right) => {
    const input = neighbour(first, down, right)
    if (input && isText(input)) pairs.push([input, value])
    else isOver = isOver || value !== ''
  }))
  fill(pairs)
  if (isBlock) go(first)
  if (isOver) say(form.dataset.over, true)
})
const quoted = text => /["\t\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text
for (const way of ['copy', 'cut']) {
  form.addEventListener(way, event => {
    if (!far) return
    event.preventDefault()
    event.clipboardData.setData('text/plain', box().map(line => line.map(input => quoted(input.value)).join('\t')).join('\r\n'))
    if (way === 'cut') fill(inBlock().map(input => [input, '']))
  })
}

/* Saving: the rows that differ from what was saved. A save that was lost is sent again under its own key. */
let timer = 0, isBusy = false, isLost = false, sent = { text: '', key: '' }
const soon = wait => { clearTimeout(timer); timer = setTimeout(save, wait) }
const dirty = () => rows().filter(row => cellsOf(row).some(isChanged))
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => (byte + 256).toString(16).slice(1)).join('')
const pairsOf = row => Array.from(row.querySelectorAll('input')).filter(input => input.type !== 'checkbox' || input.checked)
  .map(input => [input.name, input.value])
const save = () => {
  if (isBusy) return soon(WAIT)
  commit()
  clearTimeout(timer)
  const changed = dirty()
  if (!changed.length) {
    if (isLost) takenBack()
    return isAwaited && goOn()
  }
  const values = new Map()
  changed.forEach(row => cellsOf(row).forEach(input => values.set(input.id, valueOf(input))))
  const body = new URLSearchParams([].concat.apply([], changed.map(pairsOf)))
  if (sent.text !== body.toString()) sent = { text: body.toString(), key: newKey() }
  body.append('request_key', sent.key)
  isBusy = true
  say(form.dataset.saving)
  const options = { method: 'POST', body, credentials: 'same-origin', headers: { 'X-Partial': '1' }, keepalive: sent.text.length < 5e4 }
  fetch(form.action, options)
    .then(answer => answer.text().then(text => [answer, new DOMParser().parseFromString(text, 'text/html')]))
    .then(found => answered(found[0], found[1], values), () => lose(form.dataset.lost))
}
const answered = (answer, page, values) => {
  if (answer.status > 501) return lose(form.dataset.lost)
  sent = { text: '', key: '' }
  const problem = page.querySelector('.problem')
  if (answer.headers.get('X-Problem')) return refuse(problem ? problem.textContent.trim() : form.dataset.lost)
  if (!page.querySelector('form[data-sheet]')) return lose(form.dataset.lost)
  if (!answer.ok) {
    const wrong = Array.from(page.querySelectorAll('.errors a'))
    wrong.forEach(link => { const input = cell(link.hash.slice(1)); if (input) input.setAttribute('aria-invalid', 'true') })
    rows().forEach(row => { // what somebody else wrote has been told: saved again, what is typed here stands
      const fresh = page.getElementById(row.id)
      if (!fresh) return
      seenOf(row).value = seenOf(fresh).value
      takeOver(row, page)
    })
    return refuse(wrong.map(link => link.textContent).join('；'))
  }
  isBusy = isLost = false
  values.forEach((value, id) => {
    const input = cell(id)
    if (isText(input)) input.defaultValue = value
    else input.defaultChecked = value
  })
  renew(page, values)
  button.hidden = true
  if (dirty().length) soon(WAIT)
  else if (isAwaited) goOn()
}
/* What was refused is as it was saved again. */
const takenBack = () => {
  isLost = false
  form.querySelectorAll('[aria-invalid]').forEach(input => input.removeAttribute('aria-invalid'))
  say(told)
}
const fail = text => { isBusy = isAwaited = false; isLost = true; say(text, true) }
const refuse = text => fail(form.dataset.refused + text)
const lose = text => { fail(text); soon(AGAIN) }
const seenOf = row => row.querySelector('input[name=seen]')
/* What others wrote meanwhile, where nothing is typed. An ended row keeps its cells: taken up again, it is as it was. */
const takeOver = (row, page) => {
  if (row.classList.contains('is-ended')) return
  cellsOf(row).filter(input => !isChanged(input)).forEach(input => {
    const theirs = page.getElementById(input.id)
    if (!theirs || savedOf(theirs) === valueOf(input)) return
    if (isText(input)) input.defaultValue = theirs.defaultValue
    else input.defaultChecked = theirs.defaultChecked
    put(input, savedOf(theirs))
    if (input !== at) return
    before = valueOf(input)
    if (isText(input)) input.select()
  })
}
/* A cell in which one has typed on was last seen as it was sent, or as before; the others as they are now. */
const seenNow = (row, fresh, values) => {
  const known = JSON.parse(seenOf(row).value), now = JSON.parse(seenOf(fresh).value)
  return JSON.stringify(COLUMNS.map((name, at) => {
    const input = cell(name + '-' + codeOf(row))
    if (!input || !isChanged(input)) return now[at]
    return values.has(input.id) ? values.get(input.id) : known[at]
  }))
}
const renew = (page, values) => {
  doc.querySelectorAll('[data-fresh]').forEach(old => {
    const fresh = page.getElementById(old.id)
    if (fresh && !old.querySelector('button:active')) old.replaceWith(fresh) // a press would be lost with its button
  })
  told = cell('saved').textContent
  rows().forEach(row => {
    const fresh = page.getElementById(row.id)
    if (!fresh) return
    row.className = fresh.className
    seenOf(row).value = seenNow(row, fresh, values)
    const was = fresh.querySelectorAll('.was')
    row.querySelectorAll('.was').forEach((old, index) => old.replaceWith(was[index].cloneNode(true)))
    cellsOf(row).forEach(input => {
      const theirs = page.getElementById(input.id)
      input.className = theirs.className
      input.readOnly = theirs.readOnly
    })
    takeOver(row, page)
  })
}
form.addEventListener('submit', event => { event.preventDefault(); save() })
/* What is tried is what one sees. If it cannot be saved that is told, and nothing is tried. */
let isAwaited = false
const goOn = () => {
  isAwaited = false
  const awaited = doc.querySelector('form[data-saved] button')
  if (awaited) awaited.click()
}
doc.addEventListener('submit', event => {
  if (!event.target.matches('form[data-saved]')) return
  commit()
  if (!isBusy && !dirty().length) return
  event.preventDefault()
  isAwaited = true
  save()
}, true)
window.addEventListener('pagehide', save)
window.addEventListener('beforeunload', event => {
  commit()
  if (!dirty().length) return
  if (!isLost) return save()
  event.preventDefault()
  event.returnValue = ''
})
})()

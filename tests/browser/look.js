/* What is wrong with the page at this width, in words, by type size: [size, whether targets and text are looked at closely]. */
sizes => sizes.flatMap(([size, isClose]) => {
  document.documentElement.classList.remove('large', 'larger')
  if (size) document.documentElement.classList.add(size)
  const wrong = []
  const named = element => (element.textContent.trim() || element.getAttribute('aria-label') || element.id ||
    element.getAttribute('href') || element.name || element.className).slice(0, 24)
  const isShown = element => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element)
    return box.width > 1 && box.height > 1 && style.visibility === 'visible' && !element.closest('.unseen, .skip')
  }

  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth
  if (wide > 0) {
    const right = document.documentElement.clientWidth + 1
    const widest = Array.from(document.querySelectorAll('body *')).find(one => one.getBoundingClientRect().right > right)
    wrong.push(`sideways by ${wide} px: ${widest && widest.outerHTML.slice(0, 80)}`)
  }
  if (!isClose) return wrong.map(one => `${size} ${one}`)

  document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary').forEach(target => {
    if (!isShown(target)) return
    // A link within a sentence may be as high as the sentence.
    if (target.tagName === 'A' && getComputedStyle(target).display === 'inline') return
    const box = (target.closest('label') || target).getBoundingClientRect()
    const least = target.classList.contains('button-main') ? 60 : 44
    if (box.height < least - 0.5 || (box.width < 43.5 && !target.classList.contains('cell')))
      wrong.push(`small target ${Math.round(box.width)} x ${Math.round(box.height)}: ${named(target)}`)
  })

  const colours = new Map(), grounds = new Map()
  const read = text => {
    if (!colours.has(text)) {
      const parts = text.match(/[\d.]+/g).map(Number)
      colours.set(text, { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 })
    }
    return colours.get(text)
  }
  const light = rgb => {
    const [r, g, b] = rgb.map(each => each / 255).map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  /* What lies behind: null where a picture or a gradient does. */
  const ground = element => {
    if (!element) return [255, 255, 255]
    if (!grounds.has(element)) grounds.set(element, laid(element))
    return grounds.get(element)
  }
  const laid = element => {
    const style = getComputedStyle(element), { rgb, alpha } = read(style.backgroundColor)
    if (style.backgroundImage !== 'none') return null
    if (alpha === 1) return rgb
    const under = ground(element.parentElement)
    return under && rgb.map((each, at) => each * alpha + under[at] * (1 - alpha))
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const looked = new Set()
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || looked.has(element) || !isShown(element) || element.closest('svg, noscript')) continue
    looked.add(element)
    const behind = ground(element), { rgb, alpha } = read(getComputedStyle(element).color)
    if (!behind) continue
    const shown = rgb.map((each, at) => each * alpha + behind[at] * (1 - alpha))
    const [low, high] = [light(behind), light(shown)].sort((a, b) => a - b)
    const ratio = (high + 0.05) / (low + 0.05)
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${named(element)}`)
  }
  return wrong.map(one => `${size} ${one}`)
})

// Texts that are too small, or have too little contrast to their background (below 4.5, WCAG).
() => {
  const channels = (css) => css.match(/[\d.]+/g).map(Number)
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const over = (front, back) => back.map((c, i) => c + (front[i] - c) * (front[3] ?? 1))
  const background = (e) => {
    if (!e) return [255, 255, 255]
    const own = channels(getComputedStyle(e).backgroundColor)
    return (own[3] ?? 1) === 1 ? own.slice(0, 3) : over(own, background(e.parentElement))
  }
  const opacity = (e) => (e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1)
  const faults = []
  for (const e of document.querySelectorAll('.stMainBlockContainer *')) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join('').trim()
    if (!text || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
    const style = getComputedStyle(e)
    const back = background(e.closest('.stSlider') ?? e) // its value floats above the thumb
    const ink = channels(style.color)
    const front = over([...ink.slice(0, 3), (ink[3] ?? 1) * opacity(e)], back)
    const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b)
    const contrast = (light + 0.05) / (dark + 0.05)
    const size = parseFloat(style.fontSize)
    if (contrast < 4.5 || size < 11) faults.push(`${text.slice(0, 40)}: ${contrast.toFixed(1)}, ${size} px`)
  }
  return faults
}

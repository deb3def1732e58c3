/** How wide a text is in the font of the page, without drawing it. */

const pens = new Map<number, CanvasRenderingContext2D>()

/** The width of a line in pixels. Digits count as wide as 0, which they are in columns of numbers. */
export function textWidth(text: string, weight = 400): number {
  const pen = pens.get(weight) ?? penOf(weight)
  return pen.measureText(text.replace(/\d/g, '0')).width
}

function penOf(weight: number): CanvasRenderingContext2D {
  const pen = document.createElement('canvas').getContext('2d')!
  const { fontSize, fontFamily } = getComputedStyle(document.body)
  pen.font = `${weight} ${fontSize} ${fontFamily}`
  pens.set(weight, pen)
  return pen
}

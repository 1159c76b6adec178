// @ts-check
// Colours of the two classes and of what lies between them, readable by the colour-blind: blue and orange.

/** @typedef {[number, number, number]} Colour */

/** @type {Record<"light" | "dark", {classes: [Colour, Colour], middle: Colour}>} */
const THEMES = {
  light: { classes: [[84, 140, 214], [235, 145, 64]], middle: [250, 250, 248] },
  dark: { classes: [[58, 112, 190], [196, 108, 32]], middle: [22, 25, 31] },
}; // prettier-ignore

/** Whether the reader's colours are dark. */
export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

/**
 * Fills a square canvas with a map of numbers: -1 is the colour of class 0, 1 that of class 1.
 * @param {HTMLCanvasElement} canvas of `side` times `side` points
 * @param {ArrayLike<number>} numbers row by row from the top @param {(x: number) => number} scaled to -1 … 1
 */
export function paintMap(canvas, numbers, scaled) {
  const side = Math.round(Math.sqrt(numbers.length));
  if (canvas.width !== side) [canvas.width, canvas.height] = [side, side];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(side, side);
  const { classes, middle } = THEMES[isDark() ? "dark" : "light"];
  for (let k = 0; k < numbers.length; k += 1) {
    const x = scaled(numbers[k]);
    const share = Number.isNaN(x) ? 0 : Math.min(Math.abs(x), 1);
    const end = classes[x > 0 ? 1 : 0];
    for (let c = 0; c < 3; c += 1) image.data[4 * k + c] = middle[c] + (end[c] - middle[c]) * share;
    image.data[4 * k + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** A scale for a map: its largest number becomes 1. @param {ArrayLike<number>} numbers */
export function byLargest(numbers) {
  let most = 1e-12;
  for (let k = 0; k < numbers.length; k += 1) if (Number.isFinite(numbers[k])) most = Math.max(most, Math.abs(numbers[k]));
  return (/** @type {number} */ x) => x / most;
}

// @ts-check
// Numbers for readers, as explain/notation.py and draw/figures.py write them.

const ENOUGH = 25; // so many digits behind one that is rounded tell a tie, since a float has no more than 17

/**
 * A number with six significant digits, or more where six would suggest a rounder number.
 * @param {number} x
 */
export function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (Number.isInteger(x) && Math.abs(x) < 1e9) return Object.is(x, -0) ? "-0" : String(x);
  let text = "";
  for (let digits = 6; digits < 16; digits++) {
    text = general(x, digits);
    const mantissa = text.split("e")[0].replaceAll("-", "").replace(".", "").replace(/^0+/, "");
    const showsItsFraction = mantissa.length === digits && !/^-?\d+$/.test(text);
    if (showsItsFraction || Math.abs(Number(text) - x) <= 2e-14 * Math.max(Math.abs(Number(text)), Math.abs(x))) break;
  }
  return text;
}

/**
 * As Python's format "g", but with the exponent written plainly: 1e-7.
 * @param {number} x
 * @param {number} digits
 */
export function general(x, digits) {
  if (x === 0) return "0";
  const [mantissa, exponent] = rounded(x, digits).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) return `${withoutZeros(mantissa)}e${power}`;
  const sign = x < 0 ? "-" : "";
  const figures = mantissa.replace(/[-.]/g, "");
  const point = power + 1; // the figures before the decimal point
  const text = point > 0 ? `${figures.slice(0, point)}.${figures.slice(point)}` : `0.${"0".repeat(-point)}${figures}`;
  return sign + withoutZeros(text);
}

/**
 * In scientific form. Of two numbers that are equally near, Python takes the even one, and JavaScript the larger.
 * @param {number} x
 * @param {number} digits
 */
function rounded(x, digits) {
  const [figures, exponent] = x.toExponential(digits - 1 + ENOUGH).split("e");
  const head = figures.slice(0, figures.length - ENOUGH);
  const isTie = /^50*$/.test(figures.slice(-ENOUGH));
  const isEven = "02468".includes(head.replace(".", "").slice(-1));
  return isTie && isEven ? `${head.replace(/\.$/, "")}e${exponent}` : x.toExponential(digits - 1);
}

/** @param {string} text */
function withoutZeros(text) {
  return text.includes(".") ? text.replace(/\.?0*$/, "") : text;
}

/**
 * A number for a box or an edge: at most four significant digits.
 * @param {number} x
 */
export function brief(x) {
  return Number.isFinite(x) ? general(x, 4) : short(x);
}

/**
 * The smallest and the largest of many numbers, for a box that stands for many nodes, and how many are nan.
 * @param {Iterable<number>} numbers
 */
export function spanOf(numbers) {
  let [low, high, count, nans] = [Infinity, -Infinity, 0, 0];
  for (const x of numbers) {
    count++;
    if (Number.isNaN(x)) nans++;
    else [low, high] = [Math.min(low, x), Math.max(high, x)];
  }
  if (!count) return "";
  if (nans === count) return "nan";
  if (low === high && !nans) return brief(low);
  const end = (/** @type {number} */ x) => (Number.isFinite(x) ? general(x, 3) : short(x));
  const ends = end(low) === end(high) ? end(low) : `${end(low)} … ${end(high)}`;
  return nans ? `${ends}, ${nans.toLocaleString("en-US")} nan` : ends;
}

// @ts-check
// Numbers for readers, as explain/notation.py and draw/figures.py write them.

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
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) return `${withoutZeros(mantissa)}e${power}`;
  return withoutZeros(x.toFixed(Math.max(0, digits - 1 - power)));
}

/** @param {string} text */
function withoutZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/**
 * A number for a box or an edge: at most four significant digits.
 * @param {number} x
 */
export function brief(x) {
  if (!Number.isFinite(x)) return short(x);
  return general(x, 4);
}

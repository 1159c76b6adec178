// The functions of Python's `math` that JavaScript lacks, or has with other special cases. Each of these begins with a
// comment of two stars, by which parts.py finds it; a page gets those that its operations call.
import { ERF, ERFC, ERFC_RESTS } from "./coefficients.js";

/** a to the power b as IEEE has it: 1 to any power is 1, and so is -1 to an infinite one. @param {number} a @param {number} b */
export function pow(a, b) {
  return a === 1 || (a === -1 && (b === Infinity || b === -Infinity)) ? 1 : Math.pow(a, b);
}

/** Two to a power; exact where that is whole. @param {number} x */
export function exp2(x) {
  return Math.pow(2, x);
}

/** What division leaves, with the sign of a. @param {number} a @param {number} b */
export function fmod(a, b) {
  return a % b;
}

/** A number of the size of one and the sign of another. @param {number} size @param {number} sign */
export function copysign(size, sign) {
  const positive = Math.abs(size);
  return sign < 0 || Object.is(sign, -0) ? -positive : positive;
}

/** √(a² + b² + …) without overflow. @param {number[]} xs */
export function hypot(...xs) {
  let largest = 0;
  for (const x of xs) {
    if (Math.abs(x) === Infinity) return Infinity;
    largest = Math.abs(x) > largest || Number.isNaN(x) ? Math.abs(x) : largest;
    if (Number.isNaN(x)) return xs.some((each) => Math.abs(each) === Infinity) ? Infinity : NaN;
  }
  if (largest === 0) return 0;
  const unit = Math.pow(2, Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest)))));
  const squares = [];
  for (const x of xs) squares.push(...twoProduct(x / unit, x / unit));
  const total = fsum(squares);
  const root = Math.sqrt(total);
  const [square, rest] = twoProduct(root, root);
  return (root + fsum([...squares, -square, -rest]) / (2 * root)) * unit;
}

/** Whether a number is neither infinite nor nan. @param {number} x */
export function isfinite(x) {
  return Number.isFinite(x);
}

/** Whether a number is infinite. @param {number} x */
export function isinf(x) {
  return Math.abs(x) === Infinity;
}

/** x times two to a whole power, rounded once. @param {number} x @param {number} n */
export function ldexp(x, n) {
  if (x === 0 || !Number.isFinite(x)) return x;
  let [y, left] = [x, n];
  while (Math.abs(y) < 1) [y, left] = [y * 2 ** 60, left - 60];
  while (Math.abs(y) >= 2 ** 60) [y, left] = [y / 2 ** 60, left + 60];
  if (left > 1100 || left < -1200) return left > 0 ? y * Infinity : y * 0;
  while (left > 1000) [y, left] = [y * 2 ** 500, left - 500];
  return left < -1000 ? y * 2 ** -1000 * 2 ** (left + 1000) : y * 2 ** left;
}

/** The next float from x towards y. @param {number} x @param {number} y */
export function nextafter(x, y) {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? 5e-324 : -5e-324;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (y > x === x > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

/** An angle of degrees in radians. @param {number} x */
export function radians(x) {
  return x * (Math.PI / 180);
}

/** An angle of radians in degrees. @param {number} x */
export function degrees(x) {
  return x * (180 / Math.PI);
}

/** The sum of a list, rounded once (Shewchuk 1997), as Python's `fsum` has it. @param {number[]} xs */
export function fsum(xs) {
  /** @type {number[]} */
  let partials = [];
  let special = 0;
  for (let x of xs) {
    if (!Number.isFinite(x)) special += x;
    const kept = [];
    for (const each of Number.isFinite(x) ? partials : []) {
      const [high, low] = twoSum(x, each);
      if (low !== 0) kept.push(low);
      x = high;
    }
    if (Number.isFinite(x)) partials = [...kept, x];
  }
  if (special !== 0) return special;
  let total = partials.pop() ?? 0;
  let low = 0;
  while (partials.length > 0 && low === 0) [total, low] = twoSum(total, /** @type {number} */ (partials.pop()));
  // halfway between two floats, what is left decides
  const next = partials[partials.length - 1];
  if (next !== undefined && next < 0 === low < 0 && low + low === total + (low + low) - total) total += low + low;
  return total;
}

/** A sum, and what it lacks. @param {number} a @param {number} b @returns {[number, number]} */
export function twoSum(a, b) {
  const total = a + b;
  const part = total - a;
  return [total, a - (total - part) + (b - part)];
}

/** A product, and what it lacks (Dekker 1971). @param {number} a @param {number} b @returns {[number, number]} */
export function twoProduct(a, b) {
  const product = a * b;
  const [frontA, frontB] = [134217729 * a - (134217729 * a - a), 134217729 * b - (134217729 * b - b)];
  const [backA, backB] = [a - frontA, b - frontB];
  return [product, frontA * frontB - product + frontA * backB + backA * frontB + backA * backB];
}

/** The quotient of two sums of two floats. @param {[number, number]} a @param {[number, number]} b @returns {[number, number]} */
export function quotient2(a, b) {
  const most = a[0] / b[0];
  const [product, rest] = twoProduct(most, b[0]);
  return twoSum(most, (a[0] - product - rest + a[1] - most * b[1]) / b[0]);
}

/** A polynomial, the coefficient of the lowest power first. @param {number} x @param {number[]} numbers */
export function polynomial(x, numbers) {
  let y = 0;
  for (let k = numbers.length - 1; k >= 0; k -= 1) y = y * x + numbers[k];
  return y;
}

/** erf(x) / x - 1, near 0. @param {number} x */
export function erfSeries(x) {
  return polynomial(x * x, ERF);
}

/** erfc(x) from 0.5 on, as exp(-x²) · P(t) / (x + 3) with t = (x - 3) / (x + 3) (Shepherd and Laframboise 1981). @param {number} x */
export function erfTail(x) {
  if (x > 27.5) return 0;
  const below = twoSum(x, 3);
  const t = quotient2(twoSum(x, -3), below);
  /** @type {[number, number]} */
  let series = [polynomial(t[0], ERFC.slice(3)), 0];
  for (let k = 2; k >= 0; k -= 1) {
    const [product, error] = twoProduct(series[0], t[0]);
    const [most, lost] = twoSum(ERFC[k], product);
    series = [most, error + series[1] * t[0] + series[0] * t[1] + ERFC_RESTS[k] + lost];
  }
  const ratio = quotient2(series, below);
  const [square, rest] = twoProduct(x, x);
  // exp(-x²), where a whole part of 1/64 is taken out so that the power of what is left is near 1
  const whole = Math.round(square * 64) / 64;
  const left = whole - square - rest;
  const factor = ratio[0] + (ratio[1] + ratio[0] * Math.expm1(left));
  return whole > 700 ? Math.exp(-whole / 2) * (Math.exp(-whole / 2) * factor) : Math.exp(-whole) * factor;
}

/** The error function. @param {number} x */
export function erf(x) {
  const size = Math.abs(x);
  if (size < 0.84375) return x + x * erfSeries(x);
  return Number.isNaN(x) ? x : copysign(size > 6 ? 1 : 1 - erfTail(size), x);
}

/** 1 - erf(x), exact in the right tail. @param {number} x */
export function erfc(x) {
  if (Math.abs(x) < 0.5) {
    const [most, lost] = twoSum(1, -x);
    return most + (lost - x * erfSeries(x));
  }
  return Number.isNaN(x) ? x : x < 0 ? 2 - erfTail(-x) : erfTail(x);
}

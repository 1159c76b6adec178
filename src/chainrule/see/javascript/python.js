// What Python's operators and functions do where JavaScript's do something else.

/** The error that Python would raise. @param {string} what @returns {never} */
export function raise(what) {
  throw new RangeError(what);
}

/** What `ieee` of core/operation.py makes of a function that is infinite at a finite number. @param {number} y @param {number} x @param {number} infinite */
export function ieee(y, x, infinite) {
  return Math.abs(y) === Infinity && Number.isFinite(x) ? infinite : y;
}

/** The result of a function of `math`, unless Python would raise an error: `pole` where it is infinite at a finite number. @param {string} pole @param {number} y @param {number[]} xs */
export function checked(pole, y, ...xs) {
  if (Number.isNaN(y) && !xs.some(Number.isNaN)) return raise("ValueError: math domain error");
  if (Math.abs(y) === Infinity && xs.every(Number.isFinite)) return raise(pole);
  return y;
}

/** a / b. @param {number} a @param {number} b */
export function divided(a, b) {
  return b === 0 ? raise("ZeroDivisionError: division by zero") : a / b;
}

/** a % b, with the sign of b. @param {number} a @param {number} b */
export function modulo(a, b) {
  if (b === 0) return raise("ZeroDivisionError: modulo by zero");
  const rest = a % b;
  if (rest === 0) return copysign(0, b);
  return Number.isNaN(rest) || rest < 0 === b < 0 ? rest : rest + b;
}

/** a // b. @param {number} a @param {number} b */
export function wholes(a, b) {
  if (b === 0) return raise("ZeroDivisionError: division by zero");
  const rest = a % b;
  let times = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) times -= 1;
  if (times === 0) return copysign(0, a / b);
  return times - Math.floor(times) > 0.5 ? Math.floor(times) + 1 : Math.floor(times);
}

/** a ** b. @param {number} a @param {number} b */
export function power(a, b) {
  if (a === 0 && b < 0) return raise("ZeroDivisionError: 0.0 cannot be raised to a negative power");
  const y = pow(a, b);
  if (Number.isNaN(y) && a < 0) return raise("TypeError: a negative number to a fraction is a complex number");
  return Math.abs(y) === Infinity && Number.isFinite(a) && Number.isFinite(b) ? raise("OverflowError: result too large") : y;
}

/** A number without what is behind its point, or one that another function made whole. @param {number} x */
export function whole(x) {
  return Number.isFinite(x) ? Math.trunc(x) + 0 : raise("ValueError: there is no such integer");
}

/** The nearest whole number, of two equally near ones the even one. @param {number} x */
export function rounded(x) {
  const below = Math.floor(whole(x) === x ? x : x);
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0);
  return (up ? below + 1 : below) + 0;
}

/** The item of a list at a place, which may count from the end. @template T @param {T[]} row @param {number} place @returns {T} */
export function item(row, place) {
  const at = place < 0 ? place + row.length : place;
  return at in row ? row[at] : raise("IndexError: list index out of range");
}

/** The items from a place to another, every so many. @template T @param {T[]} row @param {number|null} first @param {number|null} end @param {number} step */
export function slice(row, first, end, step) {
  if (step === 0) return raise("ValueError: slice step cannot be zero");
  const count = row.length;
  const down = step < 0;
  /** @param {number} at */
  const held = (at) => Math.max(down ? -1 : 0, Math.min(down ? count - 1 : count, at < 0 ? at + count : at));
  const from = first === null ? (down ? count - 1 : 0) : held(first);
  const to = end === null ? (down ? -1 : count) : held(end);
  const found = [];
  for (let k = from; down ? k > to : k < to; k += step) found.push(row[k]);
  return found;
}

/** The whole numbers from a place to another. @param {number} first @param {number} end @param {number} step */
export function range(first, end, step) {
  if (step === 0) return raise("ValueError: range() arg 3 must not be zero");
  const found = [];
  for (let k = first; step < 0 ? k > end : k < end; k += step) found.push(k);
  return found;
}

/** The items of several lists side by side, as far as the shortest goes. @param {any[][]} rows */
export function zip(...rows) {
  return range(0, Math.min(...rows.map((row) => row.length)), 1).map((k) => rows.map((row) => row[k]));
}

/** A list in ascending order, without changing it. @param {number[]} row */
export function sorted(row) {
  return [...row].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The first of the largest numbers. @param {number[]} row */
export function most(row) {
  if (row.length === 0) return raise("ValueError: max() of an empty list");
  return row.reduce((y, x) => (x > y ? x : y));
}

/** The first of the smallest numbers. @param {number[]} row */
export function least(row) {
  if (row.length === 0) return raise("ValueError: min() of an empty list");
  return row.reduce((y, x) => (x < y ? x : y));
}

/** Python's own sum up to version 3.11. @param {number[]} row @param {number} start */
export function summed(row, start) {
  return row.reduce((y, x) => y + x, start);
}

/** Python's own sum of floats from version 3.12 on, which makes up for what roundings lose (Neumaier 1974). @param {number[]} row @param {number} start */
export function compensated(row, start) {
  let [total, lost] = [start, 0];
  for (const x of row) {
    const next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total;
    total = next;
  }
  return Number.isFinite(lost) ? total + lost : total;
}

/** What was calculated of all operands, by list and function. @type {WeakMap<number[], Map<Function, number>>} */
const remembered = new WeakMap();

/** The result of an operation for all operands of a node, which several local derivatives need: calculated once. A list that is given here stays as it is. @param {(xs: number[]) => number} value @param {number[]} xs @returns {number} */
export function once(value, xs) {
  let known = remembered.get(xs);
  if (!known) remembered.set(xs, (known = new Map()));
  let y = known.get(value);
  if (y === undefined) known.set(value, (y = value(xs)));
  return y;
}

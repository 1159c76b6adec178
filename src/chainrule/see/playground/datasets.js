// @ts-check
// The toy data sets of `chainrule.data`, point by point as there, and the split into training and held-out rows.

import { PythonRandom } from "./random.js";

/** @typedef {[number, number]} Point @typedef {{points: Point[], labels: number[]}} DataSet */

const CORNERS = /** @type {[Point, number][]} */ ([[[0, 0], 0], [[0, 1], 1], [[1, 0], 1], [[1, 1], 0]]);
const INNER = 0.5; // the radius of the inner circle
const SWEEP = 4; // the angle by which an arm of the spiral turns, in radians

/**
 * The points of a toy set and their classes, 0 or 1.
 * @param {string} name one of `TOY_SETS` @param {number} n how many points; of xor, a multiple of 4
 * @param {number} noise @param {number} seed @returns {DataSet}
 */
export function toySet(name, n, noise, seed) {
  return TOY_SETS[name](n, noise, new PythonRandom(seed));
}

/** @type {Record<string, (n: number, noise: number, rng: PythonRandom) => DataSet>} */
export const TOY_SETS = { moons, circles, spiral, xor };

/** @param {number} n @param {number} noise @param {PythonRandom} rng */
function xor(n, noise, rng) {
  const rows = Array.from({ length: Math.floor(n / 4) }, () => CORNERS).flat();
  return { points: rows.map(([point]) => jittered(point, noise, rng)), labels: rows.map(([, label]) => label) };
}

/** @param {number} n @param {number} noise @param {PythonRandom} rng */
function moons(n, noise, rng) {
  const half = Math.floor(n / 2);
  const upper = evenly(half).map((t) => /** @type {[Point, number]} */ ([[Math.cos(Math.PI * t), Math.sin(Math.PI * t)], 0]));
  const lower = evenly(n - half).map((t) => /** @type {[Point, number]} */ ([[1 - Math.cos(Math.PI * t), 0.5 - Math.sin(Math.PI * t)], 1]));
  return finished([...upper, ...lower], noise, rng);
}

/** @param {number} n @param {number} noise @param {PythonRandom} rng */
function circles(n, noise, rng) {
  const half = Math.floor(n / 2);
  const ring = (/** @type {number} */ count, /** @type {number} */ radius, /** @type {number} */ label) =>
    Array.from({ length: count }, (_, step) => {
      const angle = (2 * Math.PI * step) / count;
      return /** @type {[Point, number]} */ ([[radius * Math.cos(angle), radius * Math.sin(angle)], label]);
    });
  return finished([...ring(half, 1, 0), ...ring(n - half, INNER, 1)], noise, rng);
}

/** @param {number} n @param {number} noise @param {PythonRandom} rng */
function spiral(n, noise, rng) {
  /** @type {[Point, number][]} */
  const rows = [];
  for (const label of [0, 1]) {
    const count = Math.floor(n / 2) + (label < n % 2 ? 1 : 0);
    for (let step = 1; step <= count; step += 1) {
      const radius = step / count;
      const angle = SWEEP * radius + (2 * Math.PI * label) / 2 + noise * rng.gauss(0, 1);
      rows.push([[radius * Math.cos(angle), radius * Math.sin(angle)], label]);
    }
  }
  return finished(rows, 0, rng);
}

/** @param {number} count */
const evenly = (count) => Array.from({ length: count }, (_, step) => step / Math.max(count - 1, 1));

/** @param {Point} point @param {number} noise @param {PythonRandom} rng @returns {Point} */
const jittered = ([x1, x2], noise, rng) => [x1 + noise * rng.gauss(0, 1), x2 + noise * rng.gauss(0, 1)];

/** @param {[Point, number][]} rows @param {number} noise @param {PythonRandom} rng @returns {DataSet} */
function finished(rows, noise, rng) {
  const noisy = rows.map(([point, label]) => /** @type {[Point, number]} */ ([jittered(point, noise, rng), label]));
  rng.shuffle(noisy);
  return { points: noisy.map(([point]) => point), labels: noisy.map(([, label]) => label) };
}

/**
 * The rows to train on and those that are held out, as `fit(…, validation=share)` divides them.
 * @param {number[]} labels @param {number} share @param {number} seed @param {boolean} byClass whether the share is taken of each class
 * @returns {{train: number[], held: number[]}} row numbers
 */
export function splitRows(labels, share, seed, byClass) {
  if (!share) return { train: labels.map((_, row) => row), held: [] };
  /** @type {Map<number, number[]>} */
  const groups = new Map();
  labels.forEach((label, row) => {
    const key = byClass ? label : 0;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  });
  const rng = new PythonRandom(seed);
  /** @type {number[]} */
  const train = [];
  /** @type {number[]} */
  const held = [];
  for (const rows of groups.values()) {
    rng.shuffle(rows);
    const count = Math.min(Math.max(Math.floor(share * rows.length + 0.5), 1), rows.length - 1);
    held.push(...rows.slice(0, count));
    train.push(...rows.slice(count));
  }
  rng.shuffle(train);
  rng.shuffle(held);
  return { train, held };
}

// @ts-check
// The settings of the playground: what there is, what each may be, and how they stand in the address of the page.

import { TOY_SETS } from "./datasets.js";

/**
 * @typedef {{points: [number, number][], labels: number[]}} OwnData points of one's own and their classes, 0 or 1
 *
 * @typedef {object} Settings
 * @property {string} data a toy set, or "own"
 * @property {OwnData} own
 * @property {number} samples @property {number} noise @property {number} seed
 * @property {number} heldOut the share of the points that training never sees
 * @property {number[]} hidden the sizes of the hidden layers
 * @property {string} activation @property {string} init @property {string} loss @property {string} optimizer
 * @property {number} rate
 * @property {number} batch the points in a step; 0 for all
 */

/** What the page knows: names come from Python. @typedef {{activations: string[], inits: string[], losses: string[], optimizers: string[]}} Known */

export const MOST_POINTS = 500;
export const MOST_LAYERS = 4;
export const MOST_NEURONS = 8;
export const OWN = "own";

/** The least and the most of each number, and whether it is a whole one. @type {Record<string, [number, number, boolean]>} */
export const RANGES = {
  samples: [8, MOST_POINTS, true],
  noise: [0, 1, false],
  seed: [0, 2 ** 32 - 1, true],
  heldOut: [0, 0.9, false],
  rate: [1e-5, 10, false],
  batch: [0, MOST_POINTS, true],
};

/** @type {Settings} */
export const DEFAULTS = {
  data: "moons", own: { points: [], labels: [] }, samples: 200, noise: 0.1, seed: 0, heldOut: 0.2,
  hidden: [8, 8], activation: "tanh", init: "xavier", loss: "max_margin", optimizer: "SGD", rate: 0.1, batch: 16,
}; // prettier-ignore

/** A setting that cannot be; the message says which, and what it may be. */
export class SettingsError extends RangeError {}

/**
 * Checks settings, so that whatever an address says does no harm.
 * @param {Settings} settings @param {Known} known @returns {Settings}
 * @throws {SettingsError}
 */
export function checked(settings, known) {
  oneOf("data", settings.data, [...Object.keys(TOY_SETS), OWN]);
  oneOf("activation", settings.activation, known.activations);
  oneOf("init", settings.init, known.inits);
  oneOf("loss", settings.loss, known.losses);
  oneOf("optimizer", settings.optimizer, known.optimizers);
  for (const [name, [least, most, whole]] of Object.entries(RANGES)) {
    const x = /** @type {any} */ (settings)[name];
    if (!(typeof x === "number" && x >= least && x <= most) || (whole && !Number.isInteger(x))) {
      throw new SettingsError(`${name} is ${whole ? "a whole number" : "a number"} from ${least} to ${most}, not ${shortened(x)}`);
    }
  }
  const { hidden } = settings;
  if (hidden.length > MOST_LAYERS) throw new SettingsError(`at most ${MOST_LAYERS} hidden layers, not ${hidden.length}`);
  for (const size of hidden) {
    if (!Number.isInteger(size) || size < 1 || size > MOST_NEURONS) throw new SettingsError(`a hidden layer has 1 to ${MOST_NEURONS} neurons, not ${shortened(size)}`);
  }
  if (settings.data === OWN) checkOwn(settings.own);
  return settings;
}

/** @param {OwnData} own */
function checkOwn({ points, labels }) {
  if (points.length > MOST_POINTS) throw new SettingsError(`at most ${MOST_POINTS} points of your own, not ${points.length}`);
  if (points.length !== labels.length) throw new SettingsError("each point of your own needs one class");
  if (!points.flat().every((x) => Number.isFinite(x) && Math.abs(x) <= 1e6)) throw new SettingsError("a point of your own is no pair of numbers from -1000000 to 1000000");
  if (!labels.every((label) => label === 0 || label === 1)) throw new SettingsError("the class of a point of your own is 0 or 1");
}

/** @param {string} name @param {string} x @param {string[]} known */
function oneOf(name, x, known) {
  if (!known.includes(x)) throw new SettingsError(`${name} is one of ${known.join(", ")}, not ${shortened(x)}`);
}

/** @param {unknown} x */
const shortened = (x) => JSON.stringify(String(x).slice(0, 40));

/** Settings as the hash of an address: those that differ from the usual ones. @param {Settings} settings */
export function toHash(settings) {
  const parts = new URLSearchParams();
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const x = /** @type {any} */ (settings)[name];
    if (name === OWN) {
      if (settings.data === OWN) parts.set(OWN, settings.own.points.map(([x1, x2], i) => `${x1},${x2},${settings.own.labels[i]}`).join(";"));
    } else if (String(x) !== String(usual)) parts.set(name, String(x));
  }
  return `#${parts.toString().replaceAll("%2C", ",").replaceAll("%3B", ";")}`;
}

/** Settings from a hash. @param {string} hash @param {Known} known @returns {Settings} @throws {SettingsError} */
export function fromHash(hash, known) {
  /** @type {any} */
  const settings = { ...DEFAULTS };
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  for (const [name, text] of parts) {
    if (parts.getAll(name).length > 1) throw new SettingsError(`${shortened(name)} stands there twice`);
    if (!Object.hasOwn(DEFAULTS, name)) throw new SettingsError(`there is no setting ${shortened(name)}`);
    if (name === OWN) settings.own = ownOf(text);
    else if (name === "hidden") settings.hidden = text === "" ? [] : text.split(",").map(numberOf);
    else settings[name] = Object.hasOwn(RANGES, name) ? numberOf(text) : text;
  }
  return checked(settings, known);
}

/** @param {string} text @returns {OwnData} */
function ownOf(text) {
  const rows = text === "" ? [] : text.split(";").map((row) => row.split(",").map(numberOf));
  if (rows.some((row) => row.length !== 3)) throw new SettingsError("a point of your own is x1,x2,class");
  return { points: rows.map(([x1, x2]) => /** @type {[number, number]} */ ([x1, x2])), labels: rows.map((row) => row[2]) };
}

/** A number, or nan for what is none: JavaScript's `Number` takes "" and "0x10", too. @param {string} text */
export function numberOf(text) {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
}

// @ts-check
// The controls: what the points are, what the net is, how it trains.

import { button, element } from "../page/elements.js";
import { MOST_POINTS, OWN, RANGES } from "./settings.js";

/** Words for what the settings call otherwise. @type {Record<string, string>} */
const WORDS = {
  own: "points of your own", max_margin: "max margin", binary_cross_entropy: "binary cross-entropy",
  mean_squared_error: "mean squared error", mean_absolute_error: "mean absolute error",
}; // prettier-ignore

const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const BATCHES = [1, 4, 16, 64, 0];

/** @typedef {import("./settings.js").Settings} Settings */

/**
 * The controls for settings; each change asks for a run of its own.
 * @param {Settings} settings @param {import("./settings.js").Known} known
 * @param {{change: (part: Partial<Settings>) => void, paste: () => void, side: () => number, turn: (side: number) => void, undo: () => void, add: (x1: number, x2: number) => void, layers: HTMLElement[]}} actions
 * @returns {HTMLElement[]}
 */
export function controlsOf(settings, known, actions) {
  const { change } = actions;
  const choice = (/** @type {string} */ label, /** @type {keyof Settings} */ name, /** @type {(string | number)[]} */ values) => chosen(label, values, /** @type {any} */ (settings[name]), (x) => change({ [name]: x }));
  const isOwn = settings.data === OWN;
  return [
    group("Points", [
      choice("data", "data", [...["moons", "circles", "spiral", "xor"], OWN]),
      ...(isOwn ? ownControls(settings, actions) : [slider("how many", settings.samples, [20, 300, 4], (x) => change({ samples: x })), slider("noise", settings.noise, [0, 0.5, 0.02], (x) => change({ noise: x }))]),
      slider("held out", settings.heldOut, [0, 0.8, 0.1], (x) => change({ heldOut: x }), (x) => `${Math.round(100 * x)} %`),
    ]),
    group("Net", [element("div", { class: "row" }, ...actions.layers), choice("activation", "activation", known.activations), choice("first weights", "init", known.inits)]),
    group("Training", [
      choice("loss", "loss", known.losses),
      choice("optimizer", "optimizer", known.optimizers),
      choice("rate", "rate", withOwn(RATES, settings.rate)),
      chosen("batch", withOwn(BATCHES, settings.batch), settings.batch, (x) => change({ batch: Number(x) }), (x) => (x ? String(x) : "all points")),
      numberField("seed", settings.seed, RANGES.seed, (x) => change({ seed: x })),
    ]),
  ];
}

/** @param {Settings} settings @param {any} actions @returns {HTMLElement[]} */
function ownControls(settings, actions) {
  const { points } = settings.own;
  const x1 = numberInput("x1", 0);
  const x2 = numberInput("x2", 0);
  const side = chosen("a click adds", [0, 1], actions.side(), (x) => actions.turn(Number(x)), (x) => `class ${x}`);
  return [
    element("p", { class: "hint", text: `${points.length} of at most ${MOST_POINTS} points. Click into the field, or give the numbers.` }),
    side,
    element("div", { class: "row" }, x1, x2, button("add", "add this point", () => actions.add(Number(x1.value), Number(x2.value)), { disabled: points.length >= MOST_POINTS })),
    element("div", { class: "row" }, button("undo", "take the last point away", actions.undo, { disabled: !points.length }), button("paste…", "paste points as text", actions.paste)),
  ];
}

/** @param {string} name @param {HTMLElement[]} parts */
const group = (name, parts) => element("fieldset", {}, element("legend", { text: name }), ...parts);

/** A list with the present value, if it lacks it. @param {number[]} list @param {number} x */
const withOwn = (list, x) => (list.includes(x) ? list : [...list, x].sort((a, b) => a - b));

/** @param {string} label @param {(string | number)[]} values @param {string | number} present @param {(x: any) => void} change @param {(x: any) => string} [words] */
export function chosen(label, values, present, change, words = (x) => WORDS[x] ?? String(x)) {
  const isNumber = typeof present === "number";
  const select = /** @type {HTMLSelectElement} */ (
    element("select", { onchange: () => change(isNumber ? Number(select.value) : select.value) }, ...values.map((x) => element("option", { value: x, selected: x === present, text: words(x) })))
  );
  return element("label", { class: "setting" }, element("span", { text: label }), select);
}

/** @param {string} label @param {number} present @param {[number, number, number]} range least, most, step @param {(x: number) => void} change @param {(x: number) => string} [words] */
function slider(label, present, [least, most, step], change, words = String) {
  const said = element("output", { text: words(present) });
  const input = /** @type {HTMLInputElement} */ (
    element("input", { type: "range", min: least, max: Math.max(most, present), step, value: present, oninput: () => (said.textContent = words(Number(input.value))), onchange: () => change(Number(input.value)) })
  );
  return element("label", { class: "setting" }, element("span", { text: label }), input, said);
}

/** @param {string} label @param {number} present @param {[number, number, boolean]} range @param {(x: number) => void} change */
function numberField(label, present, [least, most], change) {
  const input = /** @type {HTMLInputElement} */ (element("input", { type: "number", min: least, max: most, step: 1, value: present, onchange: () => change(Number(input.value)) }));
  return element("label", { class: "setting" }, element("span", { text: label }), input);
}

/** @param {string} label @param {number} present */
const numberInput = (label, present) => /** @type {HTMLInputElement} */ (element("input", { type: "number", step: "any", value: present, "aria-label": label, title: label }));

// @ts-check
// The scalar graph of one sample: the net as `MLP` builds it, and the loss of its score.

import { PythonRandom } from "./random.js";

/**
 * @typedef {import("./tape.js").TapeNode & {label: string, constant: boolean, part: "net" | "loss"}} NetNode
 *
 * @typedef {object} SampleGraph
 * @property {NetNode[]} nodes
 * @property {number[]} parameters their places, in the order of `model.parameters()`
 * @property {string[]} names what `model.named_parameters()` calls them
 * @property {[number, number]} inputs
 * @property {number[][]} neurons the outputs of the neurons of each layer
 * @property {number} score @property {number} target @property {number} loss
 */

/** @type {Record<string, (rng: PythonRandom, nin: number, nout: number) => number>} */
const INITS = {
  xavier: (rng, nin, nout) => rng.uniform(-Math.sqrt(6 / (nin + nout)), Math.sqrt(6 / (nin + nout))),
  he: (rng, nin) => rng.gauss(0, Math.sqrt(2 / nin)),
  uniform: (rng) => rng.uniform(-1, 1),
};

/** The names of the ways in which weights start. */
export const INIT_NAMES = Object.keys(INITS);

/**
 * @param {number[]} hidden the sizes of the hidden layers @param {string} activation an operation, or "linear"
 * @param {string} init @param {number} seed
 * @param {{nodes: [string | null, number[], number][], inputs: Record<string, number>, outputs: Record<string, number>}} loss its template
 * @returns {SampleGraph}
 */
export function sampleGraph(hidden, activation, init, seed, loss) {
  const rng = new PythonRandom(seed);
  /** @type {NetNode[]} */
  const nodes = [];
  /** @type {number[]} */
  const parameters = [];
  /** @type {string[]} */
  const names = [];
  const add = (/** @type {string | null} */ op, /** @type {number[]} */ operands, label = "", data = 0, constant = false, part = /** @type {"net" | "loss"} */ ("net")) =>
    nodes.push({ op, operands, label, data, constant, part }) - 1;
  const parameter = (/** @type {string} */ label, /** @type {string} */ name, /** @type {number} */ data) => {
    parameters.push(add(null, [], label, data));
    names.push(name);
    return parameters[parameters.length - 1];
  };
  const inputs = /** @type {[number, number]} */ ([add(null, [], "x1", 0, true), add(null, [], "x2", 0, true)]);
  /** @type {number[]} */
  let before = inputs;
  /** @type {number[][]} */
  const neurons = [];
  const sizes = [...hidden, 1];
  sizes.forEach((size, l) => {
    const isLast = l === sizes.length - 1;
    const sums = Array.from({ length: size }, (_, n) => {
      const [label, name] = [isLast ? "out" : `h${l + 1}.${n + 1}`, `layers.${l}.neurons.${n}`];
      const weights = before.map((_, i) => parameter(`${label} w${i + 1}`, `${name}.w.${i}`, INITS[init](rng, before.length, size)));
      const bias = parameter(`${label} b`, `${name}.b`, 0);
      return add("weighted_sum", [bias, ...weights.flatMap((w, i) => [w, before[i]])], isLast ? "score" : "");
    });
    before = isLast || activation === "linear" ? sums : sums.map((sum, n) => add(activation, [sum], `h${l + 1}.${n + 1}`));
    neurons.push(before);
  });
  const [score] = before;
  const target = add(null, [], "target", 0, true, "loss");
  const places = loss.nodes.map(([op, operands, data], at) => {
    if (at === loss.inputs.score) return score;
    if (at === loss.inputs.target) return target;
    return add(op, operands, at === loss.outputs.loss ? "loss" : "", data, op === null, "loss");
  });
  for (const at of places.filter((at) => at > target)) nodes[at].operands = nodes[at].operands.map((k) => places[k]);
  return { nodes, parameters, names, inputs, neurons, score, target, loss: places[loss.outputs.loss] };
}

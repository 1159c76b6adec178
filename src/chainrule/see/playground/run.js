// @ts-check
// A training run: the same data, weights, batches and updates as `chainrule.fit` has for the same seeds.

import { splitRows, toySet } from "./datasets.js";
import { sampleGraph } from "./net.js";
import { PythonRandom } from "./random.js";
import { OWN, SettingsError, checked } from "./settings.js";
import { Tape } from "./tape.js";

/** What the numbers of the two classes are for each loss. @type {Record<string, [number, number]>} */
export const SIDES = { binary_cross_entropy: [0, 1], max_margin: [-1, 1], mean_squared_error: [-1, 1], mean_absolute_error: [-1, 1] };

/** The losses about classes: of each class, the same share is held out. */
const BY_CLASS = ["binary_cross_entropy", "max_margin"];

const AT_A_TIME = 32; // samples between two looks at the clock

/**
 * @typedef {{nodes: [string | null, number[], number][], inputs: Record<string, number>, outputs: Record<string, number>}} Template
 * @typedef {{class: string, options: Record<string, number>} & Template} OptimizerTemplate
 *
 * What the page was made with: templates, and the names of activations and initial weights.
 * @typedef {{losses: Record<string, Template>, optimizers: Record<string, OptimizerTemplate>, activations: string[]}} Library
 *
 * @typedef {{points: [number, number][], labels: number[], targets: number[]}} Rows
 */

/**
 * Begins a run.
 * @param {import("./settings.js").Settings} settings @param {Library} library @param {import("../page/engine.js").Operations} operations
 * @throws {SettingsError} a setting cannot be, or there are too few points
 */
export function createRun(settings, library, operations) {
  return new Run(checked(settings, knownOf(library)), library, operations);
}

/** The names that settings may have. @param {Library} library @returns {import("./settings.js").Known} */
export function knownOf({ losses, optimizers, activations }) {
  return { losses: Object.keys(losses), optimizers: Object.keys(optimizers), activations, inits: ["xavier", "he", "uniform"] };
}

export class Run {
  /** @param {import("./settings.js").Settings} settings @param {Library} library @param {import("../page/engine.js").Operations} operations */
  constructor(settings, library, operations) {
    this.settings = settings;
    this.operations = operations;
    this.data = dataOf(settings);
    this.graph = sampleGraph(settings.hidden, settings.activation, settings.init, settings.seed, library.losses[settings.loss]);
    this.tape = new Tape(this.graph.nodes, operations, this.graph.parameters);
    this.optimizer = new Updates(library.optimizers[settings.optimizer], settings.rate, this.graph.parameters.length, operations);
    this.names = this.graph.names;
    this.rng = new PythonRandom(settings.seed);
    /** @type {number[][]} the batches left in this epoch */
    this.batches = [];
    /** @type {number[]} */
    this.losses = [];
    this.epoch = 0;
    this.diverged = "";
    /** @type {{rows: number[], left: number, losses: Float64Array} | null} a step that is under way */
    this.underway = null;
  }

  get steps() {
    return this.losses.length;
  }

  /** The numbers of the parameters, in the order of `model.parameters()`. */
  get parameters() {
    return Float64Array.from(this.graph.parameters, (at) => this.tape.data[at]);
  }

  /** One step on the next batch; returns its loss. */
  step() {
    this.work(Infinity);
    return { step: this.steps, epoch: this.epoch, loss: this.losses[this.steps - 1] };
  }

  /** Steps for some milliseconds, however large the batch: one may be left half done. @param {number} milliseconds @param {number} [most] the steps after which it stops before */
  stepFor(milliseconds, most = Infinity) {
    const end = performance.now() + milliseconds;
    const last = this.steps + most;
    while (this.steps < last && this.work(end));
  }

  /**
   * Does one step, or what it can of it before a time. Samples send their gradients from the last to the first, as
   * `backward()` goes through the graph of a batch: each sum is added in the engine's order, so that what cancels to 0 there
   * does so here.
   * @param {number} end @returns {boolean} whether there is time left
   */
  work(end) {
    if (this.diverged) return false;
    this.underway ??= this.started(this.nextBatch());
    const { rows, losses } = this.underway;
    const seed = 1 / rows.length;
    while (this.underway.left > 0) {
      const stop = Math.max(this.underway.left - AT_A_TIME, 0);
      for (let k = this.underway.left - 1; k >= stop; k -= 1) {
        losses[k] = this.lossOf(this.data.train, rows[k]);
        this.tape.backward(this.graph.loss, seed);
      }
      this.underway.left = stop;
      if (performance.now() >= end) return false;
    }
    this.finish(losses.reduce((total, loss) => total + loss) * seed);
    return performance.now() < end;
  }

  /** @param {number[]} rows those of a step that begins */
  started(rows) {
    for (const at of this.graph.parameters) this.tape.grads[at] = 0;
    return { rows, left: rows.length, losses: new Float64Array(rows.length) };
  }

  /** @param {number} loss */
  finish(loss) {
    this.underway = null;
    const { grads } = this.tape;
    const places = this.graph.parameters;
    const before = places.map((at) => this.tape.data[at]);
    if (!Number.isFinite(loss) || places.some((at) => !Number.isFinite(grads[at]))) {
      this.diverged = `In step ${this.steps + 1} the loss is ${loss}, or a gradient is not finite`;
      return;
    }
    this.optimizer.update(this.tape.data, grads, places);
    if (places.some((at) => !Number.isFinite(this.tape.data[at])) || !this.optimizer.isFinite()) {
      places.forEach((at, i) => (this.tape.data[at] = before[i]));
      this.diverged = `Step ${this.steps + 1} would make a parameter infinite, or what the optimiser remembers`;
      return;
    }
    this.losses.push(loss);
  }

  /** The row numbers of the next step. */
  nextBatch() {
    const rows = this.data.train.points.length;
    const size = this.settings.batch && this.settings.batch < rows ? this.settings.batch : rows;
    if (!this.batches.length) {
      const order = Array.from({ length: rows }, (_, row) => row);
      if (size < rows) this.rng.shuffle(order);
      for (let start = 0; start < rows; start += size) this.batches.push(order.slice(start, start + size));
      this.epoch += 1;
    }
    return /** @type {number[]} */ (this.batches.shift());
  }

  /** Calculates the graph of one sample. @param {Rows} rows @param {number} row */
  lossOf(rows, row) {
    const { data } = this.tape;
    const { inputs, target, loss } = this.graph;
    [data[inputs[0]], data[inputs[1]]] = rows.points[row];
    data[target] = rows.targets[row];
    this.tape.forward();
    return data[loss];
  }

  /** The mean loss and the share of right classes on some rows. @param {"train" | "heldOut"} which @returns {{loss: number, accuracy: number} | null} null for no rows */
  evaluate(which) {
    const rows = this.data[which];
    const count = rows.points.length;
    if (!count) return null;
    const border = this.middle;
    let [loss, right] = [0, 0];
    for (let row = 0; row < count; row += 1) {
      loss += this.lossOf(rows, row);
      if (this.tape.data[this.graph.score] > border === rows.labels[row] > 0.5) right += 1;
    }
    return { loss: loss / count, accuracy: right / count };
  }

  /** The score between the two classes: that of a logit or a margin is 0, and so is the middle of -1 and 1. */
  get middle() {
    return 0;
  }

  /** The scores at points. @param {ArrayLike<number>} points x1, x2, x1, x2, … */
  predict(points) {
    return this.activations(points).at(-1)?.[0] ?? new Float64Array(0);
  }

  /** The outputs of all neurons, by layer, at points. @param {ArrayLike<number>} points x1, x2, x1, x2, … @returns {Float64Array[][]} */
  activations(points) {
    const count = points.length / 2;
    const { data } = this.tape;
    const found = this.graph.neurons.map((layer) => layer.map(() => new Float64Array(count)));
    for (let k = 0; k < count; k += 1) {
      data[this.graph.inputs[0]] = points[2 * k];
      data[this.graph.inputs[1]] = points[2 * k + 1];
      this.tape.forward();
      this.graph.neurons.forEach((layer, l) => layer.forEach((at, n) => (found[l][n][k] = data[at])));
    }
    return found;
  }
}

/** One optimiser on all parameters. */
class Updates {
  /** @param {OptimizerTemplate} template @param {number} rate @param {number} count @param {import("../page/engine.js").Operations} operations */
  constructor(template, rate, count, operations) {
    this.template = template;
    this.tape = new Tape(template.nodes.map(([op, operands, data]) => ({ op, operands, data })), operations, []);
    this.tape.data[template.inputs.lr] = rate;
    this.steps = 0;
    /** @type {Record<string, Float64Array>} */
    this.memory = {};
    for (const name of Object.keys(template.outputs)) if (name !== "data") this.memory[name] = new Float64Array(count);
  }

  /** @param {Float64Array} data @param {Float64Array} grads @param {number[]} places those of the parameters */
  update(data, grads, places) {
    const { inputs, outputs } = this.template;
    const { tape } = this;
    const kept = Object.entries(this.memory);
    this.steps += 1;
    tape.data[inputs.steps] = this.steps;
    places.forEach((at, i) => {
      tape.data[inputs.data] = data[at];
      tape.data[inputs.grad] = grads[at];
      for (const [name, column] of kept) tape.data[inputs[name]] = column[i];
      tape.forward();
      data[at] = tape.data[outputs.data];
      for (const [name, column] of kept) column[i] = tape.data[outputs[name]];
    });
  }

  /** Whether all that it remembers is finite. */
  isFinite() {
    return Object.values(this.memory).every((column) => column.every(Number.isFinite));
  }
}

/** The points of a run and their targets. @param {import("./settings.js").Settings} settings @returns {{train: Rows, heldOut: Rows}} */
function dataOf({ data, own, samples, noise, seed, heldOut, loss }) {
  const all = data === OWN ? own : toySet(data, samples, noise, seed);
  const byClass = BY_CLASS.includes(loss);
  if (all.points.length < 2 || new Set(all.labels).size < 2) throw new SettingsError("a net needs points of both classes to learn from");
  const { train, held } = splitRows(all.labels, heldOut, seed, byClass);
  const rows = (/** @type {number[]} */ of) => ({
    points: of.map((row) => all.points[row]),
    labels: of.map((row) => all.labels[row]),
    targets: of.map((row) => SIDES[loss][all.labels[row]]),
  });
  const found = { train: rows(train), heldOut: rows(held) };
  if (new Set(found.train.labels).size < 2) throw new SettingsError("only one class is left to train on: hold out fewer points, or add some");
  return found;
}

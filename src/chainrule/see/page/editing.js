// @ts-check
// What a program would have done with other numbers: recordings made in the page.

import { backward, evaluate, walkOrder } from "./engine.js";

/**
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./recording.js").RecordedEvent} RecordedEvent
 *
 * @typedef {object} Calculated numbers of a graph that were calculated in the page
 * @property {number[]} data
 * @property {(number | null)[][]} locals
 * @property {number[]} fixed nodes that keep their recorded numbers, as nobody here knows their operation
 */

/**
 * All numbers of a recording for other numbers of its leaves.
 * @param {Recording} recording
 * @param {Map<number, number>} leaves
 * @param {any} operations
 * @returns {Calculated}
 */
export function calculated(recording, leaves, operations) {
  const nodes = recording.nodes.map((node) => ({ ...node, op: node.op < 0 ? null : recording.operations[node.op].name }));
  return evaluate(nodes, operations, leaves);
}

/**
 * A recording of the same graph with other numbers: its forward pass, and one backward pass from a root.
 * @param {Recording} recording
 * @param {number[]} shown the nodes that are looked at, operands before results
 * @param {number} root
 * @param {Calculated} numbers
 * @param {number} seed
 * @returns {Recording}
 */
export function edited(recording, shown, root, { data, locals }, seed) {
  const nodes = recording.nodes.map((node, i) => ({ ...node, data: data[i], locals: locals[i], grad: null }));
  const { deposits } = backward(nodes, locals, walkOrder(nodes, root), root, seed);
  /** @type {RecordedEvent[]} */
  const events = shown.map((node) => ({ kind: "made", node, place: nodes[node].place }));
  events.push({ kind: "began", node: root, seed, number: 1 });
  events.push(...deposits.map(asEvent));
  events.push({ kind: "ended", node: root, whole: 1, number: 1 });
  return { ...recording, nodes, events, training: { parameters: [], steps: [], losses: [], numbers: [] } };
}

/** @param {import("./engine.js").Deposit} deposit @returns {RecordedEvent} */
function asEvent({ from, position, into, upstream, local, product, before, after, why }) {
  const what = { node: into, giver: from, position, upstream, local };
  return why ? { kind: "nothing", ...what, why } : { kind: "deposit", ...what, product, before, after };
}

/**
 * What Python asked for, and would be answered otherwise with other numbers.
 *
 * Of several passes in a loop, only those questions count whose answers the program's own leaves give here.
 * @param {Recording} recording
 * @param {"truth" | "data"} asked the truth of a number, on which a decision hangs, or a number itself
 * @param {number[]} own the numbers for the program's own leaves
 * @param {number[]} data the other numbers
 * @returns {RecordedEvent[]}
 */
export function answeredOtherwise(recording, asked, own, data) {
  const same = (/** @type {number} */ x, /** @type {number} */ y) => (asked === "truth" ? Boolean(x) === Boolean(y) : alike(x, y));
  return recording.events.filter(
    ({ kind, what, node, answer }) => kind === "asked" && what === asked && same(own[node], Number(answer)) && !same(data[node], Number(answer)),
  );
}

/**
 * The numbers that leaves had when a root was calculated, where they are not those that they were made with: a loop that
 * trains writes them.
 * @param {Recording} recording
 * @param {number} root
 * @returns {Map<number, number>}
 */
export function leavesOf({ events }, root) {
  const began = events.findLastIndex(({ kind, node }) => kind === "began" && node === root);
  const made = events.findLastIndex(({ kind, node }, i) => (kind === "made" || kind === "refreshed") && node === root && (began < 0 || i < began));
  /** @type {Map<number, number>} */
  const written = new Map();
  for (const { kind, node, after } of events.slice(0, Math.max(0, made))) if (kind === "wrote") written.set(node, Number(after));
  return written;
}

/**
 * Whether our rules give a graph's own numbers, so that it may be calculated anew.
 * @param {Recording} recording
 * @param {number[]} shown
 * @param {number[]} own what they give
 * @param {any} known the operations that there are rules for
 */
export function agrees({ nodes, operations, engine }, shown, own, known) {
  return engine.own || shown.every((node) => nodes[node].op < 0 || (operations[nodes[node].op].name in known && alike(own[node], nodes[node].data)));
}

/**
 * The slope of a root by nudging a leaf: (f(x + h) - f(x)) / h.
 * @param {Recording} recording
 * @param {Map<number, number>} leaves
 * @param {number} leaf
 * @param {number} root
 * @param {number} h
 * @param {any} operations
 */
export function nudged(recording, leaves, leaf, root, h, operations) {
  const here = calculated(recording, leaves, operations).data;
  const there = calculated(recording, new Map(leaves).set(leaf, here[leaf] + h), operations).data;
  return { before: here[root], after: there[root], slope: (there[root] - here[root]) / h };
}

/** Whether two numbers are the same but for rounding. @param {number} a @param {number} b */
export function alike(a, b) {
  return Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

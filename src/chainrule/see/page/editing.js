// @ts-check
// What a program would have done with other numbers, or with a broken backward(): recordings made in the page.

import { backward, evaluate, walkOrder } from "./engine.js";
import { short } from "./numbers.js";

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
 * The decisions of the program that would turn with other numbers: Python asked whether a number is true.
 * @param {Recording} recording
 * @param {number[]} data
 * @returns {RecordedEvent[]}
 */
export function turned(recording, data) {
  return recording.events.filter(
    ({ kind, what, node, answer }) => kind === "asked" && what === "truth" && Boolean(answer) !== (data[node] !== 0),
  );
}

/**
 * The numbers that Python asked for, which may be written out somewhere in the program.
 * @param {Recording} recording
 * @param {number[]} data
 */
export function readNumbers(recording, data) {
  return recording.events.filter(
    ({ kind, what, node, answer }) => kind === "asked" && what === "data" && !Object.is(data[node], answer),
  );
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

// ---- the bug lab ----

/**
 * @typedef {object} Bug a mistake that people make in backward()
 * @property {string} name
 * @property {string} why what it does, and why that is wrong
 * @property {string} smallest the smallest graph in which it makes a difference
 */

/** @type {Record<string, Bug>} */
export const BUGS = {
  assign: {
    name: "= in place of +=",
    why: "the last deposit replaces those before it, so a number that is used several times keeps only one of its contributions",
    smallest: "b = a + a: a should get 1 + 1 = 2, and keeps 1",
  },
  order: {
    name: "wrong order",
    why: "a number hands on its gradient before all of it has come, so what comes later never gets further",
    smallest: "b = a * 2; c = b + b * a: b hands on when only one of its two uses has given it something",
  },
  forgotten: {
    name: "no zero_grad",
    why: "the gradients of an earlier backward() are still there, and the new ones are added to them",
    smallest: "any graph, from the second backward() on: every leaf has twice its gradient",
  },
  local: {
    name: "the local derivative alone",
    why: "the upstream gradient is left out, so all that lies between here and the result is lost",
    smallest: "c = (a * 2) * 3: a should get 2 × 3 = 6, and gets 2",
  },
  rule: {
    name: "a wrong rule for one operation",
    why: "its local derivative has the wrong sign, and whatever lies towards the inputs is wrong with it",
    smallest: "any graph with that operation",
  },
};

/**
 * What a broken backward() does: its deposits in its order.
 * @param {Recording} recording
 * @param {(number | null)[][]} locals
 * @param {number} root
 * @param {{bug: string, operation: string}} mistake a key of BUGS, and the operation whose rule is wrong
 * @param {number} seed
 * @param {string[]} names of the nodes
 * @returns {RecordedEvent[]}
 */
export function broken(recording, locals, root, { bug, operation }, seed, names) {
  const { nodes, operations } = recording;
  let order = walkOrder(nodes, root);
  if (bug === "order") order = breadthFirst(nodes, root).reverse();
  /** @type {number[]} */
  const grads = nodes.map(() => 0);
  if (bug === "forgotten") {
    const { grads: earlier } = backward(nodes, locals, order, root, seed);
    order.forEach((node) => (grads[node] = nodes[node].op < 0 ? earlier[node] : 0));
  }
  grads[root] = seed;
  /** @type {RecordedEvent[]} */
  const events = [];
  for (const giver of [...order].reverse()) {
    const upstream = grads[giver];
    nodes[giver].operands.forEach((node, position) => {
      let local = locals[giver][position];
      if (local !== null && bug === "rule" && operations[nodes[giver].op].name === operation) local = -local;
      if (local === null || !local || !upstream) {
        const why = local === null ? "no flow" : upstream ? "zero local" : "zero upstream";
        events.push({ kind: "nothing", node, giver, position, upstream, local, why });
        return;
      }
      const product = bug === "local" ? local : local * upstream;
      const before = grads[node];
      grads[node] = bug === "assign" ? product : before + product;
      const after = grads[node];
      const said = { local: `the local derivative alone, ${short(product)}, is added`, assign: `${short(product)} is written over what was there` }[bug];
      const sentence = said && `${names[node]}: ${said}; before ${short(before)}, after ${short(after)}`;
      events.push({ kind: "deposit", node, giver, position, upstream, local, product, before, after, said: sentence });
    });
  }
  return events;
}

/** Results as they are met level by level, which is no topological order. @param {{operands: number[]}[]} nodes @param {number} root */
function breadthFirst(nodes, root) {
  const order = [root];
  const seen = new Set(order);
  for (const node of order) {
    for (const x of nodes[node].operands) {
      if (!seen.has(x)) {
        seen.add(x);
        order.push(x);
      }
    }
  }
  return order;
}

/**
 * The first step at which a broken backward() gives a number another gradient than the right one does.
 *
 * Where it works in another order, the gradients that each number ends with are compared instead, and the step is the last
 * deposit of the broken one into the first number that is wrong.
 * @param {RecordedEvent[]} wrong
 * @param {RecordedEvent[]} right deposits of a right backward()
 * @returns {number} the index in `wrong`; -1 if all gradients are right
 */
export function firstDifference(wrong, right) {
  const sameOrder = wrong.length === right.length && wrong.every(({ giver, position }, i) => giver === right[i].giver && position === right[i].position);
  if (sameOrder) return wrong.findIndex((event, i) => !alike(event.after ?? 0, right[i].after ?? 0) && event.kind === "deposit");
  const [ends, rightEnds] = [lastOf(wrong), lastOf(right)];
  return wrong.findIndex(({ node, kind }, i) => {
    const isLast = !wrong.slice(i + 1).some((later) => later.node === node && later.kind === "deposit");
    return kind === "deposit" && isLast && !alike(ends.get(node) ?? 0, rightEnds.get(node) ?? 0);
  });
}

/** @param {RecordedEvent[]} events */
function lastOf(events) {
  return new Map(events.filter(({ kind }) => kind === "deposit").map(({ node, after }) => [node, after ?? 0]));
}

/** Whether two numbers are the same but for rounding. @param {number} a @param {number} b */
export function alike(a, b) {
  return Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

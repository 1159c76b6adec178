// @ts-check
// Mistakes that people make in backward(): what a broken one does, where it first differs from the right one, and why.

import { backward, walkOrder } from "./engine.js";
import { alike, edited } from "./editing.js";
import { short } from "./numbers.js";
import { reachable } from "./state.js";

/**
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./recording.js").RecordedEvent} RecordedEvent
 * @typedef {import("./recording.js").RecordedNode} RecordedNode
 *
 * @typedef {object} Bug
 * @property {string} name
 * @property {string} why what it does, and why that is wrong
 * @property {string} smallest the smallest graph in which it makes a difference
 * @property {[string, number][]} leaves of that graph: names and numbers
 * @property {[string, "add" | "mul", string, string][]} results: a name, the operation, its operands
 *
 * @typedef {{bug: string, operation: string}} Mistake a key of BUGS, and the operation whose rule is wrong
 */

/** @type {Record<string, Bug>} */
export const BUGS = {
  assign: {
    name: "= in place of +=",
    why: "the last deposit replaces those before it, so a number that is used several times keeps only one of its contributions",
    smallest: "b = a + a",
    leaves: [["a", 3]],
    results: [["b", "add", "a", "a"]],
  },
  order: {
    name: "wrong order",
    why: "a number hands on its gradient before all of it has come, so what comes later never gets further",
    smallest: "b = a + a; n = b * a; c = b + n",
    leaves: [["a", 3]],
    results: [["b", "add", "a", "a"], ["n", "mul", "b", "a"], ["c", "add", "b", "n"]],
  },
  forgotten: {
    name: "no zero_grad",
    why: "the gradients of an earlier backward() are still there, and the new ones are added to them",
    smallest: "b = a + a",
    leaves: [["a", 3]],
    results: [["b", "add", "a", "a"]],
  },
  local: {
    name: "the local derivative alone",
    why: "the upstream gradient is left out, so all that lies between here and the result is lost",
    smallest: "n = a * b; c = n * d",
    leaves: [["a", 3], ["b", 2], ["d", 5]],
    results: [["n", "mul", "a", "b"], ["c", "mul", "n", "d"]],
  },
  rule: {
    name: "a wrong rule for one operation",
    why: "its local derivatives have the wrong sign, and whatever lies towards the inputs is wrong with them",
    smallest: "c = a * b",
    leaves: [["a", 3], ["b", 2]],
    results: [["c", "mul", "a", "b"]],
  },
};

/**
 * What a broken backward() does: its deposits in its order, and before them, without zero_grad, the gradients of earlier.
 * @param {Recording} recording the numbers and local derivatives of its nodes are used
 * @param {number} root
 * @param {Mistake} mistake
 * @param {number} seed
 * @param {string[]} names of the nodes
 * @returns {RecordedEvent[]}
 */
export function broken({ nodes, operations }, root, { bug, operation }, seed, names) {
  const locals = nodes.map((node) => node.locals);
  const right = walkOrder(nodes, root).reverse();
  /** @type {number[]} */
  const grads = nodes.map(() => 0);
  /** @type {RecordedEvent[]} */
  const events = [];
  if (bug === "forgotten") {
    const { grads: earlier } = backward(nodes, locals, [...right].reverse(), root, seed);
    for (const node of right.filter((each) => nodes[each].op < 0 && earlier[each])) {
      grads[node] = earlier[node];
      events.push({ kind: "set_grad", node, before: 0, after: earlier[node], said: `${names[node]} still has ${short(earlier[node])} from the backward() before` });
    }
  }
  grads[root] = seed;
  for (const giver of bug === "order" ? breadthFirst(nodes, root) : right) {
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
      const after = bug === "assign" ? product : before + product;
      grads[node] = after;
      events.push({ kind: "deposit", node, giver, position, upstream, local, product, before, after, said: saidOf(bug, names[node], product, before, after) });
    });
  }
  return events;
}

/** What is said of a broken deposit in place of the usual sentence. @param {string} bug @param {string} name @param {number} product @param {number} before @param {number} after */
function saidOf(bug, name, product, before, after) {
  const said = { local: `the local derivative alone, ${short(product)}, is added`, assign: `${short(product)} is written over what was there` }[bug];
  return said && `${name}: ${said}; before ${short(before)}, after ${short(after)}`;
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
 * @typedef {object} Difference where a broken backward() first differs, and why
 * @property {number} index in its events
 * @property {number} node whose number is wrong
 * @property {string} found what is there, and what should be
 * @property {string} because
 */

/**
 * The first number of a broken backward() that is not what the right one gives; null if all are right.
 *
 * In another order the deposits cannot be held against each other: there it is the first gradient that is handed on before
 * it is whole.
 * @param {RecordedEvent[]} wrong what `broken` gives
 * @param {RecordedEvent[]} right deposits, and what was none, of the right backward()
 * @param {string} bug
 * @param {string[]} names
 * @returns {Difference | null}
 */
export function firstDifference(wrong, right, bug, names) {
  if (bug === "order") return handedOnEarly(wrong, right, names);
  const start = wrong.length - right.length; // without zero_grad, what is still there stands before the deposits
  const index = wrong.findIndex(({ kind, after = 0 }, i) => i >= start && kind === "deposit" && !alike(after, right[i - start].after ?? 0));
  if (index < 0) return null;
  const { node, giver = 0, local, upstream = 0, product, before = 0, after = 0 } = wrong[index];
  const should = right[index - start];
  const [name, from] = [names[node], names[giver]];
  /** @type {Record<string, string>} */
  const reasons = {
    assign: `what ${from} hands on, ${short(Number(product))}, took the place of the ${short(before)} that had come before`,
    forgotten: `it began with ${short(before)} from the backward() before, and not with 0`,
    local: `the local derivative ${short(Number(local))} was not multiplied by the upstream gradient ${short(upstream)} of ${from}`,
    rule: `the rule that made ${from} gives the local derivative ${short(Number(local))} in place of ${short(Number(should.local))}`,
  };
  return { index, node, found: `${name} has ${short(after)} here, and should have ${short(should.after ?? 0)}`, because: reasons[bug] };
}

/** @param {RecordedEvent[]} wrong @param {RecordedEvent[]} right @param {string[]} names @returns {Difference | null} */
function handedOnEarly(wrong, right, names) {
  const whole = new Map(right.map(({ giver, upstream = 0 }) => [giver, upstream]));
  const index = wrong.findIndex(({ giver, upstream = 0 }) => !alike(upstream, whole.get(giver) ?? 0));
  if (index < 0) return null;
  const { giver = 0, upstream = 0 } = wrong[index];
  const late = wrong.slice(index).find((event) => event.node === giver && event.kind === "deposit");
  const from = late ? `what ${names[late.giver ?? 0]} hands on has not come yet` : "what came to it was handed on too early";
  return {
    index,
    node: giver,
    found: `${names[giver]} hands on ${short(upstream)} here, and should hand on ${short(whole.get(giver) ?? 0)}`,
    because: `its gradient is not whole: ${from}`,
  };
}

/**
 * Why a mistake makes no difference in a graph.
 * @param {Mistake} mistake
 * @param {RecordedEvent[]} right deposits, and what was none, of the right backward()
 * @param {RecordedNode[]} nodes
 * @param {number} root
 * @param {string[]} names
 */
export function whyNot({ bug, operation }, right, nodes, root, names) {
  const deposits = right.filter(({ kind }) => kind === "deposit");
  if (!deposits.length) return "nothing is handed on here at all";
  /** @type {Map<number, number>} */
  const uses = new Map();
  for (const node of reachable(nodes, root)) for (const x of nodes[node].operands) if (!nodes[x].constant) uses.set(x, (uses.get(x) ?? 0) + 1);
  const often = [...uses].find(([, count]) => count > 1)?.[0];
  switch (bug) {
    case "assign":
      if (often === undefined) return "no number is used more than once here, so each gets one deposit, and finds 0 there";
      return `${names[often]} is used several times, but here no second deposit comes to a number that has one`;
    case "order":
      return often === undefined ? "no number is used more than once here, so each is whole as soon as it gets something" : "in this order, too, each number hands on only when all has come to it";
    case "forgotten":
      return "no leaf gets a gradient here";
    case "local":
      return deposits.every(({ upstream }) => upstream === 1) ? "every upstream gradient is 1 here, and a number × 1 is that number" : "the products are the local derivatives here";
    default:
      return `${operation} hands on nothing here`;
  }
}

/**
 * The smallest graph in which a mistake makes a difference.
 * @param {string} bug
 * @returns {{recording: Recording, operation: string}} the operation is the one whose rule may be wrong
 */
export function smallestGraph(bug) {
  const { leaves, results, smallest } = BUGS[bug];
  const numberOf = new Map([...leaves, ...results].map(([name], i) => [name, i]));
  /** @type {RecordedNode[]} */
  const nodes = leaves.map(([label, data]) => ({ op: -1, operands: [], data, locals: [], label, constant: false, place: null, grad: null }));
  for (const [label, name, ...names] of results) {
    const operands = names.map((x) => Number(numberOf.get(x)));
    const [a, b] = operands.map((x) => nodes[x].data);
    const [data, locals] = name === "mul" ? [a * b, [b, a]] : [a + b, [1, 1]];
    nodes.push({ op: name === "mul" ? 1 : 0, operands, data, locals, label, constant: false, place: null, grad: null });
  }
  const operations = [["add", "+"], ["mul", "*"]].map(([name, symbol]) => ({ name, symbol, operands: ["a", "b"], table: true }));
  /** @type {Recording} */
  const bare = {
    title: smallest,
    engine: { name: "chainrule", own: true, said: [] },
    dropped: {},
    operations,
    sources: [],
    nodes,
    events: [],
    training: { parameters: [], steps: [], losses: [], numbers: [] },
  };
  const all = nodes.map((_, i) => i);
  const numbers = { data: nodes.map(({ data }) => data), locals: nodes.map(({ locals }) => locals), fixed: [] };
  return { recording: edited(bare, all, nodes.length - 1, numbers, 1), operation: results[results.length - 1][1] };
}

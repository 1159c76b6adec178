// @ts-check
// What is known after each event: which numbers there are, and in which of four states each gradient is. As see/states.py.

export const NOT_REACHED = "not reached yet";
export const NUMBER = "a number";
export const NOTHING_CAME = "nothing came";
export const IS_CONSTANT = "a constant";
export const NO_FLOW = "no flow";
const BETWEEN = 1000; // at least so many events lie between two states that are kept
const PER_NODE = 0.1; // in large graphs more: a state has as many numbers as there are nodes

/**
 * @typedef {{state: string, number: number, why: string}} Gradient
 * @typedef {{data: (number | null)[], gradients: Gradient[], aside: Map<number, number>}} State
 */

/** @param {string} state @param {number} [number] @param {string} [why] @returns {Gradient} */
const gradient = (state, number = 0, why = "") => ({ state, number, why });

/** The states of a recording: `at(i)` is what is known once the first i events have happened. */
export class Timeline {
  /** @param {import("./recording.js").Recording} recording */
  constructor(recording) {
    this.recording = recording;
    this.between = Math.max(BETWEEN, Math.floor(PER_NODE * recording.nodes.length));
    /** @type {State[]} */
    this.kept = [beginning(recording)];
    /** @type {Map<number, number[]>} */
    this.below = new Map();
  }

  get length() {
    return this.recording.events.length;
  }

  /** @param {number} i @returns {State} */
  at(i) {
    const { kept, between } = this;
    const nearest = Math.floor(i / between);
    while (kept.length <= nearest) {
      const start = (kept.length - 1) * between;
      kept.push(this.moved(kept[kept.length - 1], start, start + between));
    }
    return this.moved(kept[nearest], nearest * between, i);
  }

  /** @param {State} state @param {number} start @param {number} end @returns {State} */
  moved(state, start, end) {
    const next = { data: [...state.data], gradients: [...state.gradients], aside: new Map(state.aside) };
    for (let i = start; i < end; i++) this.apply(this.recording.events[i], next);
    return next;
  }

  /** @param {any} event @param {State} state */
  apply(event, { data, gradients, aside }) {
    const { nodes } = this.recording;
    const { node, after } = event;
    switch (event.kind) {
      case "made":
        data[node] = nodes[node].data;
        break;
      case "refreshed":
        data[node] = event.data;
        break;
      case "wrote":
        data[node] = after;
        break;
      case "set_grad":
        if (gradients[node].state !== IS_CONSTANT) gradients[node] = after ? gradient(NUMBER, after) : gradient(NOT_REACHED);
        break;
      case "began":
        // of another engine only what it writes itself is set afresh
        for (const x of this.recording.engine.own ? this.under(node) : []) if (!nodes[x].constant) gradients[x] = gradient(NOT_REACHED);
        gradients[node] = gradient(NUMBER, event.seed);
        aside.clear();
        break;
      case "aside":
        aside.set(node, event.before);
        break;
      case "deposit":
        gradients[node] = gradient(NUMBER, after);
        break;
      case "nothing":
        gradients[node] = nothingCame(gradients[node], event.why);
        break;
      case "added_back":
        gradients[node] = gradient(NUMBER, after);
        aside.delete(node);
        break;
    }
  }

  /** Every node that a root is made of, itself included. @param {number} root */
  under(root) {
    let nodes = this.below.get(root);
    if (!nodes) {
      nodes = reachable(this.recording.nodes, root);
      this.below.set(root, nodes);
    }
    return nodes;
  }
}

/**
 * Every node that a root is made of, itself included, in the order of their indices.
 * @param {{operands: number[]}[]} nodes
 * @param {number} root
 */
export function reachable(nodes, root) {
  const seen = new Set([root]);
  const todo = [root];
  while (todo.length) {
    for (const x of nodes[/** @type {number} */ (todo.pop())].operands) {
      if (!seen.has(x)) {
        seen.add(x);
        todo.push(x);
      }
    }
  }
  return [...seen].sort((a, b) => a - b);
}

/** @param {import("./recording.js").Recording} recording @returns {State} */
function beginning({ nodes, events }) {
  const made = new Set(events.filter((event) => event.kind === "made").map((event) => event.node));
  return {
    data: nodes.map((node, i) => (made.has(i) ? null : node.data)),
    gradients: nodes.map((node) =>
      node.constant ? gradient(IS_CONSTANT) : node.grad === null ? gradient(NOT_REACHED) : gradient(NUMBER, node.grad),
    ),
    aside: new Map(),
  };
}

/** Of several reasons the first counts, but that an operation is constant in a number says least. @param {Gradient} before @param {string} why */
function nothingCame(before, why) {
  const replaceable = before.state === NOT_REACHED || (before.state === NOTHING_CAME && before.why === NO_FLOW);
  return replaceable ? gradient(NOTHING_CAME, 0, why) : before;
}

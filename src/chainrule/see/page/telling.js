// @ts-check
// One sentence for each event, and a name for each node. As see/telling.py and see/recording/names.py.

import { short } from "./numbers.js";

const INFIX = new Set(["+", "-", "*", "/", "**", "<", "≤", ">", "≥", "==", "≠", "%", "//"]);
const MOST_OPERANDS = 6;

/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("./recording.js").RecordedEvent} RecordedEvent */

/**
 * A name for each node: its label; a constant's number; n1, n2, … for other results, v1, v2, … for leaves.
 * @param {Recording} recording
 * @returns {string[]}
 */
export function namesOf({ nodes }) {
  const labels = nodes.map((node) => node.label.split(/\s+/).filter(Boolean).join(" "));
  const taken = new Set(labels);
  /** @type {Map<string, number>} */
  const uses = new Map();
  const again = (/** @type {string} */ name) => {
    const count = (uses.get(name) ?? 0) + 1;
    uses.set(name, count);
    return count;
  };
  return nodes.map((node, i) => {
    if (labels[i]) {
      let number = again(labels[i]);
      if (number === 1) return labels[i];
      while (taken.has(`${labels[i]}_${number}`)) number++;
      taken.add(`${labels[i]}_${number}`);
      return `${labels[i]}_${number}`;
    }
    if (node.constant) return short(node.data);
    const letter = node.op >= 0 ? "n" : "v";
    let number = again(`${letter} `); // not a label's count
    while (taken.has(`${letter}${number}`)) number = again(`${letter} `);
    return `${letter}${number}`;
  });
}

/** Tells the events of a recording. */
export class Teller {
  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    this.names = namesOf(recording);
  }

  /** @param {RecordedEvent} event @returns {string} */
  sentence(event) {
    if (event.said) return event.said;
    const name = this.names[event.node];
    const { before = 0, after = 0, answer = 0 } = event;
    switch (event.kind) {
      case "made":
        return this.made(event.node);
      case "refreshed":
        return `${name} is calculated anew: ${short(event.data ?? 0)}`;
      case "asked":
        return event.what === "truth"
          ? `Python asked whether ${name} is true: it is ${answer ? "true" : "false"}${where(event.place)}`
          : `Python read the number of ${name}: ${short(answer)}${where(event.place)}`;
      case "wrote":
        return `the number of ${name} is written: ${short(before)} becomes ${short(after)}`;
      case "set_grad":
        return `the gradient of ${name} is set from ${short(before)} to ${short(after)}`;
      case "began":
        return `backward() begins at ${name}, whose own gradient is ${short(event.seed ?? 0)}`;
      case "aside":
        return `the earlier gradient ${short(before)} of ${name} is set aside, to be added at the end`;
      case "added_back":
        return `${name} gets its earlier gradient back: ${short(event.sum ?? 0)} + ${short(event.aside ?? 0)} = ${short(after)}`;
      case "ended":
        return event.whole
          ? `backward() has ended: each gradient is the derivative of ${name} with respect to that number`
          : "backward() was broken off by an error";
      case "deposit":
        return this.deposit(event);
      default:
        return this.nothing(event);
    }
  }

  /**
   * How a result is made of operands with these names (or numbers).
   * @param {number} node
   * @param {string[]} operands
   */
  formula(node, operands) {
    const { name, symbol } = this.recording.operations[this.recording.nodes[node].op];
    if (INFIX.has(symbol) && operands.length === 2) {
      const [left, right] = operands.map((x) => (x.startsWith("-") ? `(${x})` : x));
      return `${left} ${symbol} ${right}`;
    }
    const shown = operands.length > MOST_OPERANDS ? [...operands.slice(0, MOST_OPERANDS - 2), "…", operands[operands.length - 1]] : operands;
    return `${name}(${shown.join(", ")})`;
  }

  /** @param {number} node */
  made(node) {
    const { nodes } = this.recording;
    const { op, constant, data, operands } = nodes[node];
    if (op < 0) return constant ? `${this.names[node]} is a constant, which gets no gradient` : `${this.names[node]} is an input: ${short(data)}`;
    const named = this.formula(node, operands.map((x) => this.names[x]));
    const numbers = this.formula(node, operands.map((x) => short(nodes[x].data)));
    return `${this.names[node]} = ${named} = ${numbers} = ${short(data)}`;
  }

  /** @param {RecordedEvent} event */
  deposit({ node, giver = 0, local, product, upstream = 0, before = 0, after = 0, rule = 0 }) {
    const into = this.names[node];
    if (local === null || local === undefined || product === null || product === undefined) {
      return `${into} gets something from ${this.names[giver]}; before ${short(before)}, after ${short(after)}`;
    }
    const sum = sumOf(before, product);
    const { nodes, operations } = this.recording;
    const by = rule ? ` (by the rule for ${operations[nodes[giver].op].name})` : ""; // the class keeps none
    const isSum = short(before + product) === short(after); // but for another engine's mistake
    return (
      `${into} gets local ${short(local)}${by} × upstream ${short(upstream)} = ${short(product)}; ` +
      `before ${short(before)}, after ${isSum ? `${sum} = ${short(after)}` : `${short(after)}, and not ${sum} = ${short(before + product)}`}`
    );
  }

  /** @param {RecordedEvent} event */
  nothing({ node, giver = 0, why }) {
    const from = this.names[giver];
    const into = this.names[node];
    if (why === "zero upstream") return `${into} gets nothing from ${from}, whose own gradient is 0`;
    if (why === "zero local") return `${into} gets nothing from ${from}, whose local derivative is 0 here`;
    if (this.recording.nodes[node].constant) return `${into} is a constant, and gets no gradient from ${from}`;
    return `${into} gets nothing from ${from}: no derivative flows there`;
  }
}

/** @param {number} a @param {number} b */
export function sumOf(a, b) {
  return short(b).startsWith("-") ? `${short(a)} + (${short(b)})` : `${short(a)} + ${short(b)}`;
}

/** @param {import("./recording.js").Place | null | undefined} place */
function where(place) {
  return place ? ` (line ${place.line})` : "";
}

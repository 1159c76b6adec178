// @ts-check
// Questions about the next event, made from the graph at hand, and what a wrong answer shows.

import { alike } from "./editing.js";
import { short } from "./numbers.js";
import { reachable } from "./state.js";

export const ASKS_WHO = "Which number hands on its gradient next?";

/**
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./recording.js").RecordedEvent} RecordedEvent
 *
 * @typedef {object} Choice
 * @property {string} text
 * @property {boolean} isRight
 * @property {string} says what this answer shows
 *
 * @typedef {object} Question
 * @property {string} asks
 * @property {Choice[]} choices
 */

/** What has happened so far in a backward pass: who gave, who got, and who still waits for something. */
export class Past {
  /** @param {Recording} recording @param {number} root */
  constructor(recording, root) {
    this.nodes = recording.nodes;
    /** @type {Set<number>} */
    this.gave = new Set();
    /** @type {Set<number>} results that have got something and have not handed it on */
    this.waiting = new Set();
    /** @type {Map<number, number>} for each node, by how many results it is used that have not handed on */
    this.pending = new Map();
    for (const node of reachable(this.nodes, root)) for (const x of this.operandsOf(node)) this.pending.set(x, (this.pending.get(x) ?? 0) + 1);
  }

  /** @param {number} node */
  operandsOf(node) {
    return new Set(this.nodes[node].operands);
  }

  /** @param {RecordedEvent} event */
  add({ kind, node, giver }) {
    if (giver === undefined) return;
    if (!this.gave.has(giver)) {
      this.gave.add(giver);
      this.waiting.delete(giver);
      for (const x of this.operandsOf(giver)) this.pending.set(x, (this.pending.get(x) ?? 0) - 1);
    }
    if (kind === "deposit" && this.nodes[node].op >= 0 && !this.gave.has(node)) this.waiting.add(node);
  }
}

/**
 * The question about an event; null where there is none, or where a wrong reading would give the right number.
 * @param {Recording} recording
 * @param {RecordedEvent} event
 * @param {string[]} names
 * @param {Past} past what came before it in this pass
 * @returns {Question | null}
 */
export function questionAbout(recording, event, names, past) {
  if (event.kind !== "deposit" || event.local === null || event.local === undefined) return null;
  const giver = /** @type {number} */ (event.giver);
  const isFirst = past.gave.size > 0 && !past.gave.has(giver);
  const others = isFirst ? [...past.waiting].filter((node) => node !== giver) : [];
  return others.length ? whoIsNext(giver, names, others.filter((node) => (past.pending.get(node) ?? 0) > 0)) : whatIsAfter(recording, event, names);
}

/**
 * Which number hands on its gradient next. Only those are wrong that still wait for something.
 * @param {number} right
 * @param {string[]} names
 * @param {number[]} wrong
 * @returns {Question | null}
 */
function whoIsNext(right, names, wrong) {
  if (!wrong.length) return null;
  return {
    asks: ASKS_WHO,
    choices: shuffled(
      [
        { text: names[right], isRight: true, says: `${names[right]}: all that uses it has given it its part, so its gradient is whole` },
        ...wrong.slice(0, 3).map((node) => ({
          text: names[node],
          isRight: false,
          says: `${names[node]} is used by a number that has not handed on yet: its gradient is not whole, and what comes later would be lost`,
        })),
      ],
      right,
    ),
  };
}

/**
 * What the gradient of an operand is after a deposit.
 * @param {Recording} recording
 * @param {RecordedEvent} event
 * @param {string[]} names
 * @returns {Question | null}
 */
function whatIsAfter(recording, event, names) {
  const { local, upstream = 0, product, before = 0, after = 0, giver = 0, position = 0 } = event;
  const right = Number(after);
  const slope = Number(local);
  const others = recording.nodes[giver].locals.filter((x, i) => i !== position && x !== null).map(Number);
  /** @type {[number, string][]} */
  const readings = [
    [before + slope, "this is the local derivative alone: it is multiplied by the upstream gradient first"],
    [before + upstream, "this is the upstream gradient alone: it is multiplied by the local derivative first"],
    [before - Number(product), "this has the sign of the deposit turned around"],
    ...others.map((x) => /** @type {[number, string]} */ ([before + x * upstream, "this takes the local derivative in the other operand"])),
  ];
  if (before) readings.splice(2, 0, [Number(product), "this is the last deposit alone: += adds it to what was there, = would replace it"]);
  if (readings.some(([number]) => alike(number, right) || short(number) === short(right))) return null; // a wrong reading gives the right number here
  /** @type {Map<string, string[]>} */
  const wrong = new Map();
  for (const [number, says] of /** @type {[number, string][]} */ ([...readings, [before, "this is what was there before the deposit"]])) {
    wrong.set(short(number), [...(wrong.get(short(number)) ?? []), says]);
  }
  const choices = [...wrong].slice(0, 4).map(([text, says]) => ({ text, isRight: false, says: [...new Set(says)].join("; or ") }));
  const into = names[event.node];
  const how = `local ${short(slope)} × upstream ${short(upstream)} = ${short(Number(product))}, and ${short(before)} + that is ${short(right)}`;
  return {
    asks: `${names[giver]} hands on to ${into}: the local derivative is ${short(slope)}, the upstream gradient ${short(upstream)}. ${into} has ${short(before)} so far. What is its gradient afterwards?`,
    choices: shuffled([{ text: short(right), isRight: true, says: how }, ...choices], giver * 31 + position),
  };
}

/** The same order each time for the same question. @template T @param {T[]} items @param {number} seed @returns {T[]} */
function shuffled(items, seed) {
  let state = (seed + 1) * 2654435761;
  const keyed = items.map((item) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 12345) >>> 0;
    return { item, key: state };
  });
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

// @ts-check
// Questions about the next event, made from the graph at hand, and what a wrong answer shows.

import { alike } from "./editing.js";
import { short } from "./numbers.js";

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

/**
 * The question about an event; null where there is none, or where a wrong reading would give the right number.
 * @param {Recording} recording
 * @param {RecordedEvent} event
 * @param {string[]} names
 * @param {RecordedEvent[]} before the events before it, in this pass
 * @returns {Question | null}
 */
export function questionAbout(recording, event, names, before) {
  if (event.kind !== "deposit" || event.local === null || event.local === undefined) return null;
  return before.length && isFirstOf(event, before) && isSeveral(recording, event, before)
    ? whoIsNext(recording, event, names, before)
    : whatIsAfter(recording, event, names);
}

/** Whether a number hands on its gradient for the first time. @param {RecordedEvent} event @param {RecordedEvent[]} before */
const isFirstOf = (event, before) => !before.some(({ giver }) => giver === event.giver);

/** @param {Recording} recording @param {RecordedEvent} event @param {RecordedEvent[]} before */
const isSeveral = (recording, event, before) => waiting(recording, before).filter((node) => node !== event.giver).length > 0;

/** The results that have got something and have not handed it on. @param {Recording} recording @param {RecordedEvent[]} before */
function waiting(recording, before) {
  const gave = new Set(before.map(({ giver }) => giver));
  const got = new Set(before.filter(({ kind }) => kind === "deposit").map(({ node }) => node));
  return [...got].filter((node) => recording.nodes[node].op >= 0 && !gave.has(node));
}

/**
 * Which number hands on its gradient next. Only those are wrong that still wait for something.
 * @param {Recording} recording
 * @param {RecordedEvent} event
 * @param {string[]} names
 * @param {RecordedEvent[]} before
 * @returns {Question | null}
 */
function whoIsNext(recording, event, names, before) {
  const gave = new Set(before.map(({ giver }) => giver));
  const stillToGive = (/** @type {number} */ node) =>
    recording.nodes.some(({ operands }, user) => operands.includes(node) && !gave.has(user) && isAbove(recording, user, before));
  const right = /** @type {number} */ (event.giver);
  const wrong = waiting(recording, before).filter((node) => node !== right && stillToGive(node));
  if (!wrong.length) return null;
  return {
    asks: "Which number hands on its gradient next?",
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

/** Whether a result belongs to this backward pass. @param {Recording} recording @param {number} node @param {RecordedEvent[]} before */
function isAbove(recording, node, before) {
  const root = before[0].giver ?? -1;
  const todo = [root];
  const seen = new Set(todo);
  while (todo.length) {
    const next = /** @type {number} */ (todo.pop());
    if (next === node) return true;
    for (const x of recording.nodes[next]?.operands ?? []) {
      if (!seen.has(x)) {
        seen.add(x);
        todo.push(x);
      }
    }
  }
  return false;
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

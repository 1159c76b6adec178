// @ts-check
// Reads the document of a recording: rows become objects, and numbers that JSON lacks become numbers.

import { readEvents } from "./event-rows.js";

/**
 * @typedef {{source: number, line: number, column: number | null, endLine: number, endColumn: number | null}} Place
 *
 * @typedef {object} RecordedNode
 * @property {number} op the index of its operation, -1 for a leaf
 * @property {number[]} operands
 * @property {number} data
 * @property {(number | null)[]} locals null where no derivative flows
 * @property {string} label
 * @property {boolean} constant
 * @property {Place | null} place
 * @property {number | null} grad its gradient when it was first seen
 *
 * @typedef {object} RecordedEvent
 * @property {string} kind
 * @property {number} node the node that it is about: what is made, written, given to
 * @property {number} [giver]
 * @property {number} [position]
 * @property {number} [upstream]
 * @property {number | null} [local]
 * @property {number | null} [product]
 * @property {number} [before]
 * @property {number} [after]
 * @property {number} [rule] 1 where the local derivative is our rule's, of another engine
 * @property {number} [data]
 * @property {number} [seed]
 * @property {number} [aside]
 * @property {number} [sum]
 * @property {number} [number]
 * @property {number} [whole]
 * @property {number} [answer]
 * @property {string} [what]
 * @property {string} [why]
 * @property {(number | null)[]} [locals]
 * @property {Place | null} [place]
 * @property {string} [said] what is said of it in place of the usual sentence
 *
 * @typedef {object} Recording
 * @property {string} title
 * @property {{name: string, own: boolean, said: string[]}} engine
 * @property {Record<string, number>} dropped
 * @property {{name: string, symbol: string, operands: string[] | null, table: boolean}[]} operations
 * @property {{name: string, text: string | null, first: number, why: string}[]} sources
 * @property {RecordedNode[]} nodes
 * @property {RecordedEvent[]} events
 * @property {{parameters: number[], steps: number[], losses: number[], numbers: number[][]}} training
 */

const FORMAT = "chainrule recording";
const VERSION = 2;
const MOST_NODES = 1_000_000;
const OF_NODES = new Set(["node", "root", "giver", "into", "first", "last"]);
const NUMERIC = new Set(["upstream", "local", "product", "before", "after", "data", "seed", "aside", "sum", "answer"]);

/**
 * Reads a document.
 * @param {any} document what `Recording.to_document` in Python makes
 * @returns {Recording}
 */
export function readRecording(document) {
  if (document?.format !== FORMAT || document.version !== VERSION) {
    throw new Error(`this is no recording of version ${VERSION} of chainrule's`);
  }
  refuseBroken(document);
  if (document.nodes.length > MOST_NODES) {
    throw new Error(`a recording of ${document.nodes.length} nodes: at most ${MOST_NODES} can be shown`);
  }
  const [name, own, said] = document.engine;
  const [parameters, steps, losses, numbers] = document.training;
  const places = document.places.map(readPlace);
  const nodes = document.nodes.map((/** @type {any[]} */ row) => readNode(row, places));
  return {
    title: document.title,
    engine: { name, own: Boolean(own), said },
    dropped: document.dropped,
    operations: document.operations.map(readOperation),
    sources: document.sources.map(readSource),
    nodes,
    events: readEvents(document.events, nodes, (row) => readEvent(row, document.columns, places)),
    training: { parameters, steps, losses: losses.map(decoded), numbers: numbers.map((/** @type {any[]} */ row) => row.map(decoded)) },
  };
}

/** Refuses a document whose parts do not fit together. @param {any} document */
function refuseBroken({ nodes, events, operations, sources, places, columns, engine, training }) {
  for (const [what, list] of Object.entries({ nodes, events, operations, sources, places, engine, training })) {
    if (!Array.isArray(list)) throw new Error(`the recording is damaged: it has no list of ${what}`);
  }
  nodes.forEach((/** @type {any} */ row, /** @type {number} */ i) => {
    const [op, operands, , locals] = Array.isArray(row) ? row : [];
    const isWhole = Number.isInteger(op) && op < operations.length && Array.isArray(operands) && locals?.length === operands.length;
    if (!isWhole) throw new Error(`the recording is damaged: its node ${i} is not whole`);
    if (!operands.every((x) => Number.isInteger(x) && x >= 0 && x < i)) {
      throw new Error(`the recording is damaged: its node ${i} is not made of nodes before it`);
    }
  });
  events.forEach((/** @type {any} */ row, /** @type {number} */ i) => {
    const names = Array.isArray(row) ? columns?.[row[0]] : null;
    if (!names || names.length !== row.length - 1) throw new Error(`the recording is damaged: its event ${i} is not whole`);
    names.forEach((/** @type {string} */ name, /** @type {number} */ k) => {
      if (OF_NODES.has(name) && !(row[k + 1] in nodes)) throw new Error(`the recording is damaged: its event ${i} is about no node of it`);
    });
  });
}

/** A number; those that JSON lacks are text. @param {number | string} x */
export function decoded(x) {
  return x === "inf" ? Infinity : x === "-inf" ? -Infinity : x === "nan" ? NaN : Number(x);
}

/** @param {any} x */
const decodedOrNull = (x) => (x === null ? null : decoded(x));

/** @param {any[]} row */
const readOperation = ([name, symbol, operands, table]) => ({ name, symbol, operands, table: Boolean(table) });

/** @param {any[]} row */
const readSource = ([name, text, first, why]) => ({ name, text, first, why });

/** @param {any[]} row @param {Place[]} places @returns {RecordedNode} */
function readNode([op, operands, data, locals, label, constant, place, grad], places) {
  return {
    op,
    operands,
    data: decoded(data),
    locals: locals.map(decodedOrNull),
    label,
    constant: Boolean(constant),
    place: place === null ? null : places[place] ?? null,
    grad: decodedOrNull(grad),
  };
}

/** @param {any[]} row @returns {Place} */
const readPlace = ([source, line, column, endLine, endColumn]) => ({ source, line, column, endLine, endColumn });

/** @param {any[]} row @param {Record<string, string[]>} columns @param {Place[]} places @returns {RecordedEvent} */
function readEvent([kind, ...fields], columns, places) {
  /** @type {any} */
  const event = { kind };
  columns[kind].forEach((name, i) => {
    const x = fields[i];
    event[name] = name === "place" ? (x === null ? null : (places[x] ?? null)) : name === "locals" ? x.map(decodedOrNull) : NUMERIC.has(name) ? decodedOrNull(x) : x;
  });
  if (event.into !== undefined) event.node = event.into;
  if (event.root !== undefined) event.node = event.root;
  return event;
}

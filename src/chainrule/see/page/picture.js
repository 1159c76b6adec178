// @ts-check
// What is drawn of a recording: which nodes, in which boxes, where.

import { layOut } from "./layout.js";
import { boxesOf } from "./opening.js";
import { reachable } from "./state.js";
import { textWidth } from "./widths.js";

export const ROW = 27; // the height of a card's upper row: symbol and name
const NUMBER_WIDTH = 68;
const HEIGHT = 62;
const SPAN_WIDTH = 116; // of the smallest and the largest of many numbers
const LONGEST = 30;
const LABEL = { along: 84, across: 18 }; // the room for a local derivative, or for what a deposit says
const SPAN = { along: 116, across: 18 };

/**
 * @typedef {import("./recording.js").Recording} Recording
 *
 * @typedef {object} Card a box with its place in the picture
 * @property {import("./boxes.js").Box} box its places are nodes of the recording
 * @property {string} symbol
 * @property {string} name
 * @property {string} caption
 * @property {boolean} isConstant
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {number} pill the width of the part with the symbol
 *
 * @typedef {object} Line an edge from an operand's card to a result's
 * @property {number} source
 * @property {number} target
 * @property {number} size
 * @property {boolean} flows
 * @property {number} giver the node, -1 for several
 * @property {number} position
 * @property {number[]} uses nodes and the positions of their operands, in turn
 * @property {string} path
 * @property {{x: number, y: number}} tip
 * @property {{x: number, y: number}} label
 *
 * @typedef {object} Picture
 * @property {Card[]} cards
 * @property {Line[]} lines
 * @property {Map<number, number>} cardOf the card of each node
 * @property {number} width
 * @property {number} height
 * @property {boolean} isOpened whether boxes of it were opened
 * @property {boolean} down whether edges run downwards, for narrow screens, and not to the right
 */

/** The results on which backward() was called, each once; else the last result. @param {Recording} recording */
export function rootsOf({ nodes, events }) {
  const began = [...new Set(events.filter(({ kind }) => kind === "began").map(({ node }) => node))];
  return began.length ? began : [nodes.length - 1];
}

/**
 * The nodes that a result is made of, with the conditions that Python asked about and what these are made of.
 * @param {Recording} recording
 * @param {number} root
 */
export function nodesOf(recording, root) {
  const nodes = new Set(reachable(recording.nodes, root));
  for (const { kind, what, node } of recording.events) {
    if (kind === "asked" && what === "truth") {
      const below = reachable(recording.nodes, node);
      if (below.some((x) => nodes.has(x))) below.forEach((x) => nodes.add(x));
    }
  }
  return [...nodes].sort((a, b) => a - b);
}

/**
 * Draws some nodes.
 * @param {Recording} recording
 * @param {number[]} nodes in the order of their indices
 * @param {number} root
 * @param {string[]} names
 * @param {Iterable<number>} opened nodes whose boxes were opened, in this order
 * @param {boolean} down
 * @returns {Picture}
 */
export function drawn(recording, nodes, root, names, opened, down) {
  const trace = traced(recording, nodes, root);
  const { placeOf } = trace;
  const places = [...opened].flatMap((node) => placeOf.get(node) ?? []);
  return { ...laidOut(recording, nodes, boxesOf(trace, places), names, down), isOpened: places.length > 0 };
}

/** @type {WeakMap<number[], import("./units.js").Trace & {root: number, placeOf: Map<number, number>}>} */
const traces = new WeakMap();

/** The nodes as they are drawn; the same lists give the same, so that what is folded stays known. @param {Recording} recording @param {number[]} nodes @param {number} root */
function traced(recording, nodes, root) {
  const known = traces.get(nodes);
  if (known?.root === root) return known;
  const placeOf = new Map(nodes.map((node, place) => [node, place]));
  const at = (/** @type {number} */ node) => /** @type {number} */ (placeOf.get(node));
  const isUsed = new Set(nodes.flatMap((node) => recording.nodes[node].operands));
  const trace = {
    nodes: nodes.map((node) => shown(recording, node)),
    operands: nodes.map((node) => recording.nodes[node].operands.map(at)),
    roots: nodes.filter((node) => node === root || !isUsed.has(node)).map(at),
    root,
    placeOf,
  };
  traces.set(nodes, trace);
  return trace;
}

/** @param {Recording} recording @param {number} node */
function shown({ nodes, operations }, node) {
  const { op, label, constant, data } = nodes[node];
  const operation = op >= 0 ? operations[op] : { name: "", symbol: "" };
  return { op: operation.name, symbol: operation.symbol, label, constant, data };
}

/** @param {Recording} recording @param {number[]} nodes @param {import("./boxes.js").Boxes} boxes @param {string[]} names @param {boolean} down @returns {Picture} */
function laidOut(recording, nodes, boxes, names, down) {
  const cards = boxes.boxes.map((box) => cardOf(box, nodes, names));
  const sizes = cards.map(({ width, height }) => swapped({ along: width, across: height }, down));
  const uses = boxes.edges.map((edge) => edge.uses.map((x, i) => (i % 2 ? x : nodes[x])));
  const flows = uses.map((use) => use.some((node, i) => i % 2 === 0 && recording.nodes[node].locals[use[i + 1]] !== null));
  const labels = boxes.edges.map(({ size }, i) => (flows[i] ? swapped(size > 1 ? SPAN : LABEL, down) : { along: 0, across: 0 }));
  const layout = layOut(sizes, boxes.edges.map(({ source, target }) => [source, target]), labels);
  cards.forEach((card, i) => {
    const { along, across } = swapped(layout.boxes[i], down);
    card.x = along - card.width / 2;
    card.y = across - card.height / 2;
  });
  const lines = boxes.edges.map(({ source, target, size }, i) => {
    const route = layout.routes[i];
    const end = swapped(route[route.length - 1], down);
    const label = swapped(layout.labels[i], down);
    const [giver, position] = size > 1 ? [-1, -1] : uses[i];
    const tip = { x: end.along, y: end.across };
    return { source, target, size, giver, position, uses: uses[i], flows: flows[i], path: curve(route, down), tip, label: { x: label.along, y: label.across } };
  });
  const cardOfNode = new Map(nodes.map((node, place) => [node, boxes.boxOf[place]]));
  const { along: width, across: height } = swapped(layout.size, down);
  return { cards, lines, cardOf: cardOfNode, width, height, down, isOpened: false };
}

/** A size or place, with its directions exchanged if edges run downwards. @param {{along: number, across: number}} x @param {boolean} down */
function swapped({ along, across }, down) {
  return down ? { along: across, across: along } : { along, across };
}

/** @param {import("./boxes.js").Box} box @param {number[]} nodes @param {string[]} names @returns {Card} */
function cardOf(box, nodes, names) {
  const [places, results] = [box.places.map((x) => nodes[x]), box.results.map((x) => nodes[x])];
  const isOne = places.length === 1;
  const isSum = box.symbol && results.length === 1; // a long sum shows the number that is its result
  const name = cut(isOne || isSum ? names[results[0]] : box.label);
  const caption = cut([box.place, box.remark].filter(Boolean).join(" · "));
  const symbol = cut(box.symbol);
  const pill = symbol ? Math.max(26, textWidth(symbol, 13) + 12) + 5 : 0;
  const isConstant = box.kind === "constant";
  const numbers = isConstant ? 40 : 2 * (results.length > 1 ? SPAN_WIDTH : NUMBER_WIDTH);
  const width = Math.max(pill + textWidth(name, 14) + 18, textWidth(caption, 9.5) + 18, numbers);
  const height = (isConstant ? 34 : HEIGHT) + (caption ? 12 : 0);
  return { box: { ...box, places, results }, symbol, name, caption, isConstant, pill, width, height, x: 0, y: 0 };
}

/** @param {string} text */
function cut(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** A smooth path that leaves and enters every point in the direction of the edges. @param {{along: number, across: number}[]} route @param {boolean} down */
function curve(route, down) {
  const text = (/** @type {number} */ along, /** @type {number} */ across) =>
    down ? `${across.toFixed(1)} ${along.toFixed(1)}` : `${along.toFixed(1)} ${across.toFixed(1)}`;
  let { along: x, across: y } = route[0];
  let path = `M${text(x, y)}`;
  for (const { along, across } of route.slice(1)) {
    const middle = (x + along) / 2;
    if (Math.abs(across - y) > 0.05) path += `C${text(middle, y)} ${text(middle, across)} ${text(along, across)}`;
    else if (along !== x || across !== y) path += `L${text(along, across)}`;
    [x, y] = [along, across];
  }
  return path;
}

// @ts-check
// What is drawn of a recording: which nodes, in which boxes, where.

import { oneByOne, picture } from "./boxes.js";
import { fold } from "./fold.js";
import { layOut } from "./layout.js";
import { reachable } from "./state.js";
import { findUnits } from "./units.js";

export const FOLD_ABOVE = 60; // graphs with more nodes than this are folded at first
export const ROW = 27; // the height of a card's upper row: symbol and name
const NUMBER_WIDTH = 68;
const HEIGHT = 62;
const PILL_LETTER = 8.2;
const NAME_LETTER = 8.5;
const SMALL_LETTER = 6;
const LONGEST = 30;
const LABEL = { along: 84, across: 18 }; // the room for a local derivative, or for what a deposit says

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
 * @param {Set<number>} opened nodes whose boxes were opened
 * @param {boolean} down
 * @returns {Picture}
 */
export function drawn(recording, nodes, root, names, opened, down) {
  const placeOf = new Map(nodes.map((node, place) => [node, place]));
  const isUsed = new Set(nodes.flatMap((node) => recording.nodes[node].operands));
  const roots = nodes.filter((node) => node === root || !isUsed.has(node));
  const trace = {
    nodes: nodes.map((node) => shown(recording, node)),
    operands: nodes.map((node) => recording.nodes[node].operands.map((x) => /** @type {number} */ (placeOf.get(x)))),
    roots: roots.map((node) => /** @type {number} */ (placeOf.get(node))),
  };
  const flows = (/** @type {number} */ place, /** @type {number} */ position) =>
    recording.nodes[nodes[place]].locals[position] !== null;
  const boxes = boxesOf(trace, flows, new Set([...opened].map((node) => placeOf.get(node) ?? -1)));
  return laidOut(recording, nodes, boxes, names, down);
}

/** @param {Recording} recording @param {number} node */
function shown({ nodes, operations }, node) {
  const { op, label, constant, data } = nodes[node];
  const operation = op >= 0 ? operations[op] : { name: "", symbol: "" };
  return { op: operation.name, symbol: operation.symbol, label, constant, data };
}

/**
 * One box for each node of a small graph; of a large one folded boxes, of which those that were opened are taken apart.
 * @param {import("./units.js").Trace} trace
 * @param {(place: number, position: number) => boolean} flows
 * @param {Set<number>} opened
 */
function boxesOf(trace, flows, opened) {
  if (trace.nodes.length <= FOLD_ABOVE) return oneByOne(trace, flows);
  const folded = fold(trace, FOLD_ABOVE);
  if (!opened.size) return withFlows(folded, trace, flows);
  const units = findUnits(trace);
  const apart = new Set([...opened].map((place) => folded.boxOf[place]));
  const groups = folded.boxes.flatMap((box, i) => {
    const inside = [...new Set(box.places.map((place) => units.unitOf[place]).filter((unit) => unit >= 0))];
    if (!inside.length) return [];
    return apart.has(i) ? inside.map((unit) => ({ stages: [[unit]] })) : [{ stages: [inside] }];
  });
  return picture(trace, units, groups, true, flows);
}

/** @param {import("./boxes.js").Boxes} boxes @param {import("./units.js").Trace} trace @param {(place: number, position: number) => boolean} flows */
function withFlows(boxes, trace, flows) {
  const flowing = new Set();
  trace.operands.forEach((sources, place) =>
    sources.forEach((source, i) => {
      if (flows(place, i)) flowing.add(`${boxes.boxOf[source]} ${boxes.boxOf[place]}`);
    }),
  );
  return { ...boxes, edges: boxes.edges.map((edge) => ({ ...edge, flows: flowing.has(`${edge.source} ${edge.target}`) })) };
}

/** @param {Recording} recording @param {number[]} nodes @param {import("./boxes.js").Boxes} boxes @param {string[]} names @param {boolean} down @returns {Picture} */
function laidOut(recording, nodes, boxes, names, down) {
  const cards = boxes.boxes.map((box) => cardOf(recording, { ...box, places: box.places.map((place) => nodes[place]) }, names));
  const single = boxes.edges.every((edge) => edge.size === 1);
  const labels = boxes.edges.map((edge) => (edge.flows && single ? swapped(LABEL, down) : { along: 0, across: 0 }));
  const sizes = cards.map(({ width, height }) => swapped({ along: width, across: height }, down));
  const layout = layOut(sizes, boxes.edges.map(({ source, target }) => [source, target]), labels);
  cards.forEach((card, i) => {
    const { along, across } = swapped(layout.boxes[i], down);
    card.x = along - card.width / 2;
    card.y = across - card.height / 2;
  });
  /** @type {Map<string, number>} */
  const met = new Map();
  const lines = boxes.edges.map((edge, i) => {
    const route = layout.routes[i];
    const givers = boxes.boxes[edge.target].places;
    const giver = givers.length === 1 ? nodes[givers[0]] : -1;
    const key = `${edge.source} ${edge.target}`;
    const nth = met.get(key) ?? 0;
    met.set(key, nth + 1);
    const end = swapped(route[route.length - 1], down);
    const label = swapped(layout.labels[i], down);
    return {
      ...edge,
      giver,
      position: giver < 0 ? -1 : positionOf(recording.nodes[giver].operands, boxes.boxes[edge.source].places.map((x) => nodes[x]), nth),
      path: curve(route, down),
      tip: { x: end.along, y: end.across },
      label: { x: label.along, y: label.across },
    };
  });
  const cardByNode = new Map(nodes.map((node, place) => [node, boxes.boxOf[place]]));
  const { along: width, across: height } = swapped(layout.size, down);
  return { cards, lines, cardOf: cardByNode, width, height, down };
}

/** A size or place, with its directions exchanged if edges run downwards. @param {{along: number, across: number}} x @param {boolean} down */
function swapped({ along, across }, down) {
  return down ? { along: across, across: along } : { along, across };
}

/** The place of the nth operand that is one of these nodes. @param {number[]} operands @param {number[]} nodes @param {number} nth */
function positionOf(operands, nodes, nth) {
  for (let i = 0; i < operands.length; i++) if (nodes.includes(operands[i]) && nth-- === 0) return i;
  return -1;
}

/** @param {Recording} recording @param {import("./boxes.js").Box} box @param {string[]} names @returns {Card} */
function cardOf(recording, box, names) {
  const one = box.places.length === 1;
  const name = cut(one ? names[box.places[0]] : box.label);
  const caption = [box.place, box.remark].filter(Boolean).join(" · ");
  const symbol = cut(box.symbol);
  const pill = symbol ? Math.max(26, PILL_LETTER * symbol.length + 12) + 5 : 0;
  const isConstant = box.kind === "constant";
  const heading = pill + NAME_LETTER * name.length + 18;
  const width = Math.max(heading, SMALL_LETTER * Math.min(caption.length, LONGEST) + 18, isConstant ? 40 : 2 * NUMBER_WIDTH);
  const height = (isConstant ? 34 : HEIGHT) + (caption ? 12 : 0);
  return { box, symbol, name, caption: cut(caption), isConstant, pill, width, height, x: 0, y: 0 };
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

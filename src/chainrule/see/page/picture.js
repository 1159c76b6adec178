// @ts-check
// What is drawn of a recording: which nodes, in which boxes, where.

import { oneByOne, picture } from "./boxes.js";
import { fold } from "./fold.js";
import { layOut } from "./layout.js";
import { reachable } from "./state.js";
import { findUnits } from "./units.js";

export const FOLD_ABOVE = 60; // graphs with more nodes than this are folded at first
const HEIGHT = 46;
const PILL_LETTER = 8.2;
const NAME_LETTER = 7.6;
const SMALL_LETTER = 6;
export const NUMBER_WIDTH = 76;
const LONGEST = 30;

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
 * @property {number} middle the width of the part with the name
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
 */

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
 * @returns {Picture}
 */
export function drawn(recording, nodes, root, names, opened) {
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
  return laidOut(recording, nodes, boxes, names);
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

/** @param {Recording} recording @param {number[]} nodes @param {import("./boxes.js").Boxes} boxes @param {string[]} names @returns {Picture} */
function laidOut(recording, nodes, boxes, names) {
  const cards = boxes.boxes.map((box) => cardOf(recording, { ...box, places: box.places.map((place) => nodes[place]) }, names));
  const single = boxes.edges.every((edge) => edge.size === 1);
  const labels = boxes.edges.map((edge) => (edge.flows && single ? { along: 58, across: 18 } : { along: 0, across: 0 }));
  const sizes = cards.map(({ width, height }) => ({ along: width, across: height }));
  const layout = layOut(sizes, boxes.edges.map(({ source, target }) => [source, target]), labels);
  cards.forEach((card, i) => {
    card.x = layout.boxes[i].along - card.width / 2;
    card.y = layout.boxes[i].across - card.height / 2;
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
    const end = route[route.length - 1];
    return {
      ...edge,
      giver,
      position: giver < 0 ? -1 : positionOf(recording.nodes[giver].operands, boxes.boxes[edge.source].places.map((x) => nodes[x]), nth),
      path: curve(route),
      tip: { x: end.along, y: end.across },
      label: { x: layout.labels[i].along, y: layout.labels[i].across },
    };
  });
  const cardByNode = new Map(nodes.map((node, place) => [node, boxes.boxOf[place]]));
  return { cards, lines, cardOf: cardByNode, width: layout.size.along, height: layout.size.across };
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
  const pill = symbol ? Math.max(34, PILL_LETTER * symbol.length + 20) : 0;
  const middle = Math.max(26, NAME_LETTER * name.length, SMALL_LETTER * Math.min(caption.length, LONGEST)) + 18;
  const isConstant = box.kind === "constant";
  const width = pill + middle + (isConstant ? 0 : 2 * NUMBER_WIDTH);
  return { box, symbol, name, caption: cut(caption), isConstant, pill, middle, width, height: HEIGHT, x: 0, y: 0 };
}

/** @param {string} text */
function cut(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** A smooth path that leaves and enters every point in the direction of the edges. @param {{along: number, across: number}[]} route */
function curve(route) {
  let { along: x, across: y } = route[0];
  let path = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  for (const { along, across } of route.slice(1)) {
    const to = `${along.toFixed(1)} ${across.toFixed(1)}`;
    const middle = ((x + along) / 2).toFixed(1);
    if (Math.abs(across - y) > 0.05) path += `C${middle} ${y.toFixed(1)} ${middle} ${across.toFixed(1)} ${to}`;
    else if (along !== x || across !== y) path += `L${to}`;
    [x, y] = [along, across];
  }
  return path;
}

// @ts-check
// Opens folded boxes, one level at a time, so that a picture stays small: a layer into its neurons, a neuron into its
// uses, a long sum into shorter ones, and what is small enough into its nodes.

import { isSeries, neuronsOf, oneByOne, parametersOf, picture } from "./boxes.js";
import { fold } from "./fold.js";
import { ascending } from "./ordering.js";
import { CHAIN } from "./units.js";

export const FOLD_ABOVE = 60; // graphs with more nodes than this are folded at first
const PIECES = 24; // the most boxes into which one is opened

/** @typedef {import("./units.js").Trace} Trace */
/** @typedef {import("./units.js").Units} Units */
/** @typedef {import("./fold.js").Group} Group */
/** @typedef {import("./fold.js").Folded} Folded */

/** @type {WeakMap<Trace, Folded>} */
const kept = new WeakMap();

/**
 * One box for each node of a small graph; of a large one folded boxes, of which some are opened.
 * @param {Trace} trace
 * @param {number[]} opened places of nodes, in the order in which their boxes were opened; a box that opens into
 *   others can be opened again
 * @returns {import("./boxes.js").Boxes}
 */
export function boxesOf(trace, opened) {
  if (trace.nodes.length <= FOLD_ABOVE) return oneByOne(trace);
  let folded = kept.get(trace);
  if (!folded) kept.set(trace, (folded = fold(trace, FOLD_ABOVE)));
  if (!opened.length) return folded;
  const opening = new Opening(trace, folded);
  for (const place of opened) opening.open(place);
  return opening.picture();
}

class Opening {
  /** @param {Trace} trace @param {Folded} folded */
  constructor(trace, { units, groups, leavesApart }) {
    this.trace = trace;
    this.units = {
      names: [...units.names],
      members: [...units.members],
      operands: [...units.operands],
      isRoot: [...units.isRoot],
      unitOf: [...units.unitOf],
    };
    this.groups = groups;
    this.leavesApart = leavesApart;
    /** @type {Map<number, string>} */
    this.pieces = new Map();
  }

  picture() {
    return picture(this.trace, this.units, this.groups, this.leavesApart, this.pieces);
  }

  /** Opens the box of a node; that of a single node stays. @param {number} place */
  open(place) {
    const unit = this.units.unitOf[place];
    if (unit < 0) {
      this.openLeaves(place);
      return;
    }
    const at = this.groups.findIndex((group) => group.stages.some((stage) => stage.includes(unit)));
    this.groups = [...this.groups.slice(0, at), ...this.divided(this.groups[at]), ...this.groups.slice(at + 1)];
  }

  /** @param {number} place */
  openLeaves(place) {
    const { boxes, boxOf } = this.picture();
    const { places, kind } = boxes[boxOf[place]];
    if (kind !== "leaf" && kind !== "constant") return; // the 0 of a neuron without a bias
    const before = this.pieces.get(place) ?? "";
    inPieces(places).forEach((piece, i) => piece.forEach((x) => this.pieces.set(x, `${before}.${i}`)));
  }

  /** @param {Group} group @returns {Group[]} */
  divided(group) {
    if (isSeries(this.units, group)) return inPieces(group.stages.flat().sort(ascending)).map((units) => ({ stages: [units] }));
    const last = group.stages[group.stages.length - 1];
    if (last.length > 1) return this.byNeuron(group);
    if (group.stages.length > 1) return group.stages.map((stage) => ({ stages: [stage] }));
    return this.dividedSum(last[0]);
  }

  /** By the neurons that a layer has, each of which may be used many times; else by results. @param {Group} group @returns {Group[]} */
  byNeuron(group) {
    const columns = this.columns(group);
    const neurons = new Set(neuronsOf(this.trace, this.units, group));
    /** @type {Map<string, number[][]>} */
    const byParameters = new Map();
    for (const column of columns) {
      const key = column.filter((unit) => neurons.has(unit)).map((unit) => parametersOf(this.trace, this.units, unit)).join(";");
      byParameters.set(key, [...(byParameters.get(key) ?? []), column]);
    }
    const parts = byParameters.size > 1 ? [...byParameters.values()] : columns.map((column) => [column]);
    return inPieces(parts).map((piece) => {
      const inside = new Set(piece.flat(2));
      return { stages: group.stages.map((stage) => stage.filter((unit) => inside.has(unit))) };
    });
  }

  /** For each result of a group the units of the group that it is made of. @param {Group} group */
  columns(group) {
    const inside = new Set(group.stages.flat());
    return group.stages[group.stages.length - 1].map((result) => {
      const column = [result];
      for (let i = 0; i < column.length; i++) column.push(...this.units.operands[column[i]].filter((unit) => inside.has(unit)));
      return column;
    });
  }

  /** A chain of additions becomes several shorter ones. @param {number} unit @returns {Group[]} */
  dividedSum(unit) {
    const { names, members, operands, isRoot, unitOf } = this.units;
    const pieces = inPieces(members[unit]);
    const numbers = pieces.map((_, i) => (i === pieces.length - 1 ? unit : names.length + i));
    pieces.forEach((piece, i) => piece.forEach((node) => (unitOf[node] = numbers[i])));
    pieces.forEach((piece, i) => {
      const number = numbers[i];
      names[number] = piece.length > 1 ? CHAIN : this.trace.nodes[piece[0]].op;
      members[number] = piece;
      isRoot[number] = number === unit && isRoot[unit];
      operands[number] = piece.flatMap((node) => this.trace.operands[node].map((x) => unitOf[x]).filter((x) => x !== number));
    });
    return numbers.map((number) => ({ stages: [[number]] }));
  }
}

/**
 * Divides a list in its order into as many equal pieces as are shown.
 * @template T
 * @param {T[]} items
 * @returns {T[][]}
 */
function inPieces(items) {
  const length = Math.ceil(items.length / PIECES);
  const pieces = [];
  for (let i = 0; i < items.length; i += length) pieces.push(items.slice(i, i + length));
  return pieces;
}

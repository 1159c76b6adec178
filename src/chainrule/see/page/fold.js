// @ts-check
// Folds large graphs into a few boxes: nodes of equal structure are drawn once, with a count. As draw/fold.py.

import { picture } from "./boxes.js";
import { CONSTANT, findUnits, LEAF, SUMS } from "./units.js";

const DEPTHS = [2, 1, 0]; // levels of structure that are compared where whole expressions give too many groups
const GROUPS_PER_BOX = 50;

/** @typedef {import("./units.js").Trace} Trace */
/** @typedef {import("./units.js").Units} Units */
/**
 * @typedef {{stages: number[][]}} Group units that are drawn as one box, in stages that each feed the next
 * @typedef {import("./boxes.js").Boxes & {units: Units, groups: Group[], leavesApart: boolean}} Folded
 */

/**
 * Draws a graph of any size in about `limit` boxes or fewer.
 * @param {Trace} trace
 * @param {number} limit
 * @returns {Folded}
 */
export function fold(trace, limit) {
  const units = findUnits(trace);
  for (const groupOf of partitions(units, GROUPS_PER_BOX * limit)) {
    const groups = merged(trace, units, groupsOf(condensed(units, groupOf)));
    const boxes = picture(trace, units, groups, true);
    if (boxes.boxes.length <= limit) return { ...boxes, units, groups, leavesApart: true };
  }
  const groups = [{ stages: [units.members.map((_, unit) => unit)] }];
  return { ...picture(trace, units, groups, false), units, groups, leavesApart: false };
}

/**
 * For each unit the number of its group, finest partition first.
 * @param {Units} units
 * @param {number} most
 */
function* partitions(units, most) {
  for (const counted of [true, false]) {
    const groups = byExpression(units, most, counted);
    if (groups) yield groups;
  }
  /** @type {number[][]} */
  const levels = [];
  for (let depth = 0; depth <= Math.max(...DEPTHS); depth++) {
    const groups = oneStepDeeper(units, most, levels[depth - 1]);
    if (!groups) break;
    levels.push(groups);
  }
  for (const depth of DEPTHS) if (depth < levels.length) yield levels[depth];
}

/**
 * Groups units whose whole expressions have the same form; uncounted, sums of different lengths count as equal.
 * @param {Units} units
 * @param {number} most
 * @param {boolean} counted
 */
function byExpression(units, most, counted) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {number[]} */
  const forms = [];
  for (let unit = 0; unit < units.names.length; unit++) {
    const parts = units.operands[unit].map((place) => (place >= 0 ? forms[place] : place));
    const form = counted ? `${units.names[unit]}|${runs(parts)}` : `${units.names[unit]}|${setOf(parts)}`;
    forms.push(numbered(numbers, form));
    if (numbers.size > most) return null;
  }
  return forms;
}

/**
 * Groups units by operation and by the groups of their operands in a shallower partition.
 * @param {Units} units
 * @param {number} most
 * @param {number[] | undefined} shallower
 */
function oneStepDeeper(units, most, shallower) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const groups = [];
  for (let unit = 0; unit < units.names.length; unit++) {
    const parts = shallower ? setOf(units.operands[unit].map((place) => (place >= 0 ? shallower[place] : place))) : "";
    groups.push(numbered(numbers, `${units.names[unit]}|${parts}`));
    if (numbers.size > most) return null;
  }
  return groups;
}

/** @param {Map<string, number>} numbers @param {string} form */
function numbered(numbers, form) {
  let number = numbers.get(form);
  if (number === undefined) numbers.set(form, (number = numbers.size));
  return number;
}

/** @param {number[]} items */
function runs(items) {
  const parts = [];
  for (let i = 0, start = 0; i <= items.length; i++) {
    if (i === items.length || items[i] !== items[start]) {
      if (i > start) parts.push(`${items[start]}x${i - start}`);
      start = i;
    }
  }
  return parts.join(",");
}

/** @param {number[]} items */
function setOf(items) {
  return [...new Set(items)].sort((a, b) => a - b).join(",");
}

/** @param {number[]} groupOf @returns {Group[]} */
function groupsOf(groupOf) {
  /** @type {Map<number, number[]>} */
  const members = new Map();
  groupOf.forEach((group, unit) => {
    const stage = members.get(group);
    if (stage) stage.push(unit);
    else members.set(group, [unit]);
  });
  return [...members.values()].map((stage) => ({ stages: [stage] }));
}

/**
 * Merges groups that depend on each other cyclically: strongly connected components (Tarjan 1972).
 * @param {Units} units
 * @param {number[]} groupOf
 */
function condensed(units, groupOf) {
  /** @type {Map<number, Set<number>>} */
  const below = new Map(groupOf.map((group) => [group, new Set()]));
  units.operands.forEach((operands, unit) => {
    for (const place of operands) if (place >= 0) below.get(groupOf[unit])?.add(groupOf[place]);
  });
  /** @type {Map<number, number>} */
  const component = new Map();
  /** @type {Map<number, number>} */
  const index = new Map();
  /** @type {Map<number, number>} */
  const low = new Map();
  /** @type {number[]} */
  const open = [];
  /** @param {number} vertex @returns {[number, Iterator<number>]} */
  const enter = (vertex) => {
    index.set(vertex, index.size);
    low.set(vertex, index.size - 1);
    open.push(vertex);
    return [vertex, (below.get(vertex) ?? new Set()).values()];
  };
  const lowOf = (/** @type {number} */ vertex) => low.get(vertex) ?? 0;
  for (const start of below.keys()) {
    if (index.has(start)) continue;
    const path = [enter(start)];
    while (path.length) {
      const [vertex, rest] = path[path.length - 1];
      const next = rest.next();
      if (next.done) {
        path.pop();
        if (lowOf(vertex) === index.get(vertex)) {
          while (!component.has(vertex)) component.set(/** @type {number} */ (open.pop()), vertex);
        }
        const above = path[path.length - 1]?.[0];
        if (above !== undefined) low.set(above, Math.min(lowOf(above), lowOf(vertex)));
      } else if (!index.has(next.value)) {
        path.push(enter(next.value));
      } else if (!component.has(next.value)) {
        low.set(vertex, Math.min(lowOf(vertex), index.get(next.value) ?? 0));
      }
    }
  }
  return groupOf.map((group) => /** @type {number} */ (component.get(group)));
}

/**
 * Merges groups that feed only one other group, each unit once and in equal portions, with that group.
 * @param {Trace} trace
 * @param {Units} units
 * @param {Group[]} groups
 */
function merged(trace, units, groups) {
  const links = usesOf(units, groups);
  const gone = new Set();
  groups.forEach((group, number) => {
    const [target = number] = links.users[number];
    if (canJoin(units, groups, links, number, target) && isPointwise(trace, units, groups[target].stages[0])) {
      groups[target].stages.unshift(...group.stages);
      gone.add(number);
    }
  });
  return groups.filter((_, number) => !gone.has(number));
}

/**
 * @param {Units} units
 * @param {Group[]} groups
 * @param {ReturnType<typeof usesOf>} links
 * @param {number} number
 * @param {number} target
 */
function canJoin(units, groups, links, number, target) {
  const own = groups[number].stages[groups[number].stages.length - 1];
  const into = groups[target].stages[0];
  const alone = links.users[number].size === 1 && links.sources[target].size === 1 && links.sources[target].has(number);
  if (!alone || target === number || into.length < 2 || own.length % into.length) return false;
  if (own.some((unit) => links.uses[unit] !== 1 || units.isRoot[unit])) return false;
  const portion = own.length / into.length;
  return into.every((unit) => units.operands[unit].filter((place) => place >= 0).length === portion);
}

/**
 * Whether these units only add up, or apply one function such as tanh or `** 2` to, what they are given.
 * @param {Trace} trace
 * @param {Units} units
 * @param {number[]} into
 */
function isPointwise(trace, units, into) {
  if (SUMS.has(units.names[into[0]])) return true;
  const numbers = new Set();
  for (const unit of into) {
    if (units.operands[unit].includes(LEAF)) return false;
    if (units.operands[unit].includes(CONSTANT)) {
      for (const node of units.members[unit]) {
        for (const x of trace.operands[node]) if (trace.nodes[x].constant) numbers.add(trace.nodes[x].data);
      }
    }
  }
  return numbers.size <= 1;
}

/** @param {Units} units @param {Group[]} groups */
function usesOf(units, groups) {
  const groupOf = new Map(groups.flatMap((group, number) => group.stages[0].map((unit) => [unit, number])));
  const uses = units.members.map(() => 0);
  /** @type {Set<number>[]} */
  const users = groups.map(() => new Set());
  /** @type {Set<number>[]} */
  const sources = groups.map(() => new Set());
  units.operands.forEach((operands, unit) => {
    for (const place of operands) {
      if (place < 0) continue;
      uses[place]++;
      users[groupOf.get(place) ?? 0].add(groupOf.get(unit) ?? 0);
      sources[groupOf.get(unit) ?? 0].add(groupOf.get(place) ?? 0);
    }
  });
  return { uses, users, sources };
}

// @ts-check
// The boxes of a folded picture: groups of nodes with a caption and a count. As draw/boxes.py.

import { CHAIN, CONSTANT, LEAF, SUMS } from "./units.js";

const NEURON = "weighted_sum";
const SHOWN = 4; // a caption lists at most so many different labels or operations
/** @type {Record<string, string>} */
const MANY = { bias: "biases", weight: "weights", input: "inputs" };

/** @typedef {import("./units.js").Trace} Trace */
/** @typedef {import("./units.js").Units} Units */
/** @typedef {import("./fold.js").Group} Group */

/**
 * @typedef {object} Box
 * @property {number[]} places the nodes that it stands for
 * @property {number[]} results those whose numbers it shows
 * @property {"leaf" | "constant" | "operation" | "root"} kind
 * @property {string} symbol of a single operation, else ""
 * @property {string} label a name, or the caption of a group
 * @property {string} place the place within a network ("layer 1", "bias")
 * @property {string} remark any other information ("each 100 times")
 *
 * @typedef {object} Boxes
 * @property {Box[]} boxes operands before results
 * @property {Edge[]} edges
 * @property {number[]} boxOf the box of each node
 */

/**
 * @typedef {{source: number, target: number, size: number, uses: number[]}} Edge `uses` has the edges that it stands
 *   for: the place of a result and the position of the operand, in turn
 * @typedef {{places: number[], group: Group | null, role: string, links: Map<number, number[]>}} Raw
 */

/**
 * Builds the graph of the boxes: one for each group, and one for all leaves that the same group uses first and alike.
 * @param {Trace} trace
 * @param {Units} units
 * @param {Group[]} groups
 * @param {boolean} leavesApart
 * @param {Map<number, string>} [pieces] of boxes of leaves that were opened: the piece that each leaf belongs to
 * @returns {Boxes}
 */
export function picture(trace, units, groups, leavesApart, pieces) {
  const { boxes, boxOf } = assigned(trace, units, groups, leavesApart, pieces);
  trace.operands.forEach((sources, place) => {
    sources.forEach((source, position) => {
      if (boxOf[source] === boxOf[place]) return;
      const { links } = boxes[boxOf[place]];
      const uses = links.get(boxOf[source]);
      if (uses) uses.push(place, position);
      else links.set(boxOf[source], [place, position]);
    });
  });
  const order = sorted(boxes);
  const number = new Map(order.map((box, i) => [box, i]));
  const at = (/** @type {number} */ box) => /** @type {number} */ (number.get(box));
  const layers = layersOf(trace, units, boxes, order);
  const edges = order.flatMap((box) =>
    [...boxes[box].links]
      .sort((a, b) => at(a[0]) - at(b[0]))
      .map(([source, uses]) => ({ source: at(source), target: at(box), size: uses.length / 2, uses })),
  );
  return {
    boxes: order.map((box) => described(trace, units, boxes[box], layers.get(box) ?? 0)),
    edges,
    boxOf: boxOf.map(at),
  };
}

/**
 * A picture with one box for each node.
 * @param {Trace} trace
 * @returns {Boxes}
 */
export function oneByOne(trace) {
  const roots = new Set(trace.roots);
  return {
    boxes: trace.nodes.map((_, place) => single(trace, place, roots.has(place), "")),
    edges: trace.operands.flatMap((sources, target) =>
      sources.map((source, position) => ({ source, target, size: 1, uses: [target, position] })),
    ),
    boxOf: trace.nodes.map((_, place) => place),
  };
}

/** @param {Trace} trace @param {number} place @param {boolean} isRoot @param {string} where @returns {Box} */
function single(trace, place, isRoot, where) {
  const node = trace.nodes[place];
  const kind = !node.op ? (node.constant ? "constant" : "leaf") : isRoot ? "root" : "operation";
  return { places: [place], results: [place], kind, symbol: node.op ? node.symbol : "", label: node.label, place: where, remark: "" };
}

/**
 * The boxes with their nodes, and the box of each node.
 * @param {Trace} trace
 * @param {Units} units
 * @param {Group[]} groups
 * @param {boolean} leavesApart
 * @param {Map<number, string>} [pieces]
 */
function assigned(trace, units, groups, leavesApart, pieces) {
  /** @type {Raw[]} */
  const boxes = groups.map((group) => ({ places: [], group, role: "", links: new Map() }));
  const boxOf = trace.nodes.map(() => -1);
  groups.forEach((group, number) => {
    for (const unit of group.stages.flat()) {
      for (const place of units.members[unit]) {
        boxOf[place] = number;
        boxes[number].places.push(place);
      }
    }
  });
  /** @type {Map<string, number>} */
  const known = new Map();
  /** @param {number} place @param {number} user @param {string} role */
  const put = (place, user, role) => {
    const { constant, data } = trace.nodes[place];
    if (constant && role === "bias" && data === 0) {
      boxOf[place] = user; // a neuron without a bias needs no box for the 0
      boxes[user].places.push(place);
      return;
    }
    const key = `${constant}|${leavesApart ? `${user}|${role}` : ""}|${pieces?.get(place) ?? ""}`;
    let box = known.get(key);
    if (box === undefined) {
      known.set(key, (box = boxes.length));
      boxes.push({ places: [], group: null, role: leavesApart ? role : "", links: new Map() });
    }
    boxOf[place] = box;
    boxes[box].places.push(place);
  };
  trace.operands.forEach((sources, place) => {
    sources.forEach((source, i) => {
      if (boxOf[source] < 0) put(source, boxOf[place], roleOf(trace, place, i));
    });
  });
  for (const root of trace.roots) if (boxOf[root] < 0) put(root, -1, "");
  return { boxes, boxOf };
}

/** The role in which an operation uses an operand. @param {Trace} trace @param {number} place @param {number} index */
function roleOf(trace, place, index) {
  const name = trace.nodes[place].op;
  if (name === NEURON) return index === 0 ? "bias" : index % 2 ? "weight" : "input";
  return SUMS.has(name) ? "" : `${name} ${index}`;
}

/** Sorts the boxes topologically (Kahn 1962), preferring early nodes. @param {Raw[]} boxes */
function sorted(boxes) {
  /** @type {number[][]} */
  const users = boxes.map(() => []);
  const waiting = boxes.map((box) => box.links.size);
  boxes.forEach((box, number) => {
    for (const source of box.links.keys()) users[source].push(number);
  });
  const ready = boxes.map((_, number) => number).filter((number) => !waiting[number]);
  const order = [];
  while (ready.length) {
    let first = 0;
    for (let i = 1; i < ready.length; i++) if (boxes[ready[i]].places[0] < boxes[ready[first]].places[0]) first = i;
    const [number] = ready.splice(first, 1);
    order.push(number);
    for (const user of users[number]) if (!--waiting[user]) ready.push(user);
  }
  return order;
}

/**
 * Numbers the layers of neurons: one more than the deepest layer that feeds a box. A recurrence has no layers.
 * @param {Trace} trace
 * @param {Units} units
 * @param {Raw[]} boxes
 * @param {number[]} order
 */
function layersOf(trace, units, boxes, order) {
  /** @type {Map<number, number>} */
  const layers = new Map();
  if (boxes.some((box) => box.group && isSeries(units, box.group))) return layers;
  /** @type {Map<number, number>} */
  const behind = new Map();
  for (const number of order) {
    const box = boxes[number];
    let depth = 0;
    for (const source of box.links.keys()) depth = Math.max(depth, behind.get(source) ?? 0);
    const neurons = box.group ? neuronsOf(trace, units, box.group) : [];
    if (neurons.length && (depth || neurons.length > 1)) layers.set(number, ++depth);
    behind.set(number, depth);
  }
  return layers;
}

/**
 * The units of a group that are the sums of neurons, whose weights are leaves; none if there are none.
 * @param {Trace} trace
 * @param {Units} units
 * @param {Group} group
 */
export function neuronsOf(trace, units, group) {
  for (let i = 0; i < group.stages.length; i++) {
    const stage = group.stages[i];
    const name = units.names[stage[0]];
    if (name === NEURON) {
      const members = units.members[stage[0]];
      const weights = trace.operands[members[members.length - 1]].filter((_, k) => k % 2);
      if (weights.every((weight) => units.unitOf[weight] === LEAF)) return stage;
    } else if (SUMS.has(name) && i) {
      const factors = group.stages[i - 1][0];
      if (units.names[factors] === "mul" && units.operands[factors].includes(LEAF)) return stage;
    }
  }
  return [];
}

/** Whether units of one stage feed each other. @param {Units} units @param {Group} group */
export function isSeries(units, group) {
  return group.stages.some((stage) => {
    const inside = new Set(stage);
    return stage.some((unit) => units.operands[unit].some((place) => inside.has(place)));
  });
}

/** @param {Trace} trace @param {Units} units @param {Raw} box @param {number} layer @returns {Box} */
function described(trace, units, box, layer) {
  const { group, places } = box;
  const place = layer ? `layer ${layer}` : "";
  if (!group) return leafBox(trace, box);
  const lastStage = group.stages[group.stages.length - 1];
  const isRoot = lastStage.some((unit) => units.isRoot[unit]);
  if (places.length === 1) return single(trace, places[0], isRoot, place);
  const kind = isRoot ? "root" : "operation";
  const results = lastStage.map((unit) => units.members[unit][units.members[unit].length - 1]);
  if (group.stages.length === 1 && results.length === 1) {
    return { places, results, kind, symbol: "Σ", label: trace.nodes[results[0]].label, place: "", remark: `${counted(places.length)} × +` };
  }
  const [label, remark] = isSeries(units, group) ? series(trace, places) : caption(trace, units, group);
  return { places, results, kind, symbol: "", label, place, remark };
}

/** @param {number} count */
function counted(count) {
  return count.toLocaleString("en-US");
}

/** A caption such as "16 × [Σ + b → tanh]", and a remark. @param {Trace} trace @param {Units} units @param {Group} group */
function caption(trace, units, group) {
  let count = group.stages[group.stages.length - 1].length;
  const steps = group.stages.map((stage, i) => {
    const members = units.members[stage[0]];
    const symbol = units.names[stage[0]] === CHAIN ? "Σ" : trace.nodes[members[members.length - 1]].symbol;
    const portion = i + 1 < group.stages.length ? Math.floor(stage.length / group.stages[i + 1].length) : 1;
    return portion > 1 ? `${portion} of ${symbol}` : symbol;
  });
  let remark = "";
  const neurons = neuronsOf(trace, units, group);
  const different = new Set(neurons.map((unit) => parametersOf(trace, units, unit))).size;
  if (different < neurons.length && neurons.length === count && count % different === 0) {
    remark = `${different > 1 ? "each " : ""}${counted(count / different)} times`;
    count = different;
  }
  return [`${count > 1 ? `${counted(count)} × ` : ""}[${steps.join(" → ")}]`, remark];
}

/** The identity of a neuron: its bias and weights. @param {Trace} trace @param {Units} units @param {number} unit */
export function parametersOf(trace, units, unit) {
  const places = units.members[unit].flatMap((node) => trace.operands[node]);
  if (units.names[unit] === NEURON) {
    return places.filter((place, i) => (i === 0 || i % 2) && units.unitOf[place] !== CONSTANT).join(",");
  }
  return places.filter((place) => !trace.nodes[place].op).join(",") || `unit ${unit}`;
}

/** A caption for units that feed each other. @param {Trace} trace @param {number[]} places */
function series(trace, places) {
  /** @type {Map<string, number>} */
  const symbols = new Map();
  for (const place of places) {
    const { op, symbol } = trace.nodes[place];
    if (op) symbols.set(symbol, (symbols.get(symbol) ?? 0) + 1);
  }
  if (symbols.size === 1) return [`${counted(places.length)} × ${[...symbols.keys()][0]}`, "in series"];
  const common = [...symbols].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
  const listed = common.map(([symbol, count]) => `${counted(count)} × ${symbol}`);
  return [`${counted(places.length)} operations in series`, listed.join(", ") + (symbols.size > SHOWN ? ", …" : "")];
}

/** @param {Trace} trace @param {Raw} box @returns {Box} */
function leafBox(trace, box) {
  const { places, role } = box;
  if (places.length === 1) return single(trace, places[0], false, role in MANY ? role : "");
  const leaves = places.map((place) => trace.nodes[place]);
  const kind = leaves[0].constant ? "constant" : "leaf";
  const word = MANY[role] ?? (leaves[0].constant ? "constants" : "leaves");
  const labels = leaves.slice(0, SHOWN).map((leaf) => leaf.label).filter(Boolean);
  const remark = labels.length ? labels.join(", ") + (leaves.length > SHOWN ? ", …" : "") : "";
  return { places, results: places, kind, symbol: "", label: `${counted(leaves.length)} ${word}`, place: "", remark };
}

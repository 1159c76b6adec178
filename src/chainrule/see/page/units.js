// @ts-check
// The units of folding: operations, where each chain of additions counts as one sum. As draw/units.py.

export const LEAF = -1;
export const CONSTANT = -2;
export const CHAIN = "sum of a chain";
export const SUMS = new Set([CHAIN, "add", "sum"]);

/**
 * @typedef {object} Shown a node that is drawn
 * @property {string} op the name of its operation, "" for a leaf
 * @property {string} symbol
 * @property {string} label
 * @property {boolean} constant
 * @property {number} data
 *
 * @typedef {object} Trace the nodes behind some roots, operands first
 * @property {Shown[]} nodes
 * @property {number[][]} operands the places of each node's operands
 * @property {number[]} roots
 *
 * @typedef {object} Units
 * @property {string[]} names
 * @property {number[][]} members the places of each unit's nodes, the result last
 * @property {number[][]} operands units, LEAF or CONSTANT
 * @property {boolean[]} isRoot
 * @property {number[]} unitOf the unit of each node, LEAF or CONSTANT
 */

/**
 * Finds the units of a graph. An addition belongs to the addition that uses it, if nothing else uses it.
 * @param {Trace} trace
 * @returns {Units}
 */
export function findUnits(trace) {
  const last = lastAdditions(trace);
  /** @type {Map<number, number[]>} */
  const members = new Map();
  const unitOf = trace.nodes.map(() => 0);
  trace.nodes.forEach((node, place) => {
    if (!node.op) {
      unitOf[place] = node.constant ? CONSTANT : LEAF;
    } else {
      const group = members.get(last[place]);
      if (group) group.push(place);
      else members.set(last[place], [place]);
    }
  });
  const ordered = [...members].sort((a, b) => a[0] - b[0]);
  ordered.forEach(([, nodes], unit) => nodes.forEach((node) => (unitOf[node] = unit)));
  const roots = new Set(trace.roots);
  return {
    names: ordered.map(([result, nodes]) => (nodes.length === 1 ? trace.nodes[result].op : CHAIN)),
    members: ordered.map(([, nodes]) => nodes),
    operands: ordered.map(([, nodes], unit) =>
      nodes.flatMap((node) => trace.operands[node].map((x) => unitOf[x]).filter((x) => x !== unit)),
    ),
    isRoot: ordered.map(([result]) => roots.has(result)),
    unitOf,
  };
}

/**
 * For each node the last addition of its chain, or the node itself.
 * @param {Trace} trace
 */
function lastAdditions(trace) {
  const uses = trace.nodes.map(() => 0);
  const user = trace.nodes.map(() => 0);
  trace.operands.forEach((sources, place) => {
    for (const source of sources) {
      uses[source]++;
      user[source] = place;
    }
  });
  for (const root of trace.roots) uses[root]++; // the picture itself uses a root
  const last = trace.nodes.map((_, place) => place);
  for (let place = last.length - 1; place >= 0; place--) {
    const isChained = uses[place] === 1 && trace.nodes[place].op === "add" && trace.nodes[user[place]].op === "add";
    if (isChained) last[place] = last[user[place]];
  }
  return last;
}

// @ts-check
// A graph whose numbers are calculated again and again: forward in the order of its nodes, backward in the opposite one,
// with the values and local derivatives of the table of operations.

/** @typedef {import("../page/engine.js").Operations} Operations @typedef {import("../page/engine.js").Fixed | import("../page/engine.js").OfAny} Entry */

/**
 * A node of a tape: `op` is null for a leaf, operands stand before it.
 * @typedef {{op: string | null, operands: number[], data: number}} TapeNode
 */

export class Tape {
  /** @param {TapeNode[]} nodes @param {Operations} operations @param {number[]} [wanted] the leaves that get gradients; all that there are if left out */
  constructor(nodes, operations, wanted) {
    this.data = Float64Array.from(nodes, (node) => node.data);
    this.grads = new Float64Array(nodes.length);
    this.operands = nodes.map((node) => Int32Array.from(node.operands));
    this.rows = nodes.map((node) => node.operands.map(() => 0)); // the operands of a node in one list, made once
    /** @type {(Entry | null)[]} */
    this.ops = nodes.map(({ op }) => (op === null ? null : operations[op]));
    this.made = nodes.flatMap(({ op }, at) => (op === null ? [] : [at]));
    this.carries = new Uint8Array(nodes.length); // whether a gradient is of use: it reaches a leaf that is wanted
    for (const at of wanted ?? nodes.flatMap(({ op }, i) => (op === null ? [i] : []))) this.carries[at] = 1;
    for (const at of this.made) if (this.operands[at].some((k) => this.carries[k])) this.carries[at] = 1;
  }

  /** Calculates every result from the leaves. */
  forward() {
    const { data, operands, rows, ops } = this;
    for (const at of this.made) {
      const op = /** @type {Entry} */ (ops[at]);
      const from = operands[at];
      if (op.any) {
        const row = rows[at];
        for (let i = 0; i < from.length; i += 1) row[i] = data[from[i]];
        data[at] = op.value(row);
      } else if (from.length === 1) data[at] = op.value(data[from[0]]);
      else if (from.length === 2) data[at] = op.value(data[from[0]], data[from[1]]);
      else data[at] = op.value(...Array.from(from, (k) => data[k]));
    }
  }

  /** Sends a gradient from a result to its leaves; those of leaves are added to what they have. @param {number} root @param {number} seed */
  backward(root, seed) {
    const { grads, operands, ops, carries } = this;
    for (const at of this.made) grads[at] = 0;
    grads[root] = seed;
    for (let k = this.made.length - 1; k >= 0; k -= 1) {
      const at = this.made[k];
      const upstream = grads[at];
      if (upstream === 0 || !carries[at]) continue; // a gradient of zero deposits nothing
      const op = /** @type {Entry} */ (ops[at]);
      if (op.any) this.toAny(at, op, upstream);
      else this.toFixed(at, operands[at], op, upstream);
    }
  }

  /** @param {number} at @param {import("../page/engine.js").OfAny} op @param {number} upstream */
  toAny(at, op, upstream) {
    const { grads, carries } = this;
    const [from, row, y] = [this.operands[at], this.rows[at], this.data[at]];
    const local = op.limit !== null && Math.abs(y) === Infinity ? op.limit : op.local;
    if (local === null) return;
    for (let i = 0; i < from.length; i += 1) {
      if (!carries[from[i]]) continue;
      const slope = local(i, row, y);
      if (slope !== 0 && slope !== null) grads[from[i]] += slope * upstream;
    }
  }

  /** @param {number} at @param {Int32Array} from @param {import("../page/engine.js").Fixed} op @param {number} upstream */
  toFixed(at, from, op, upstream) {
    const { data, grads, carries } = this;
    for (let i = 0; i < from.length; i += 1) {
      const local = op.locals[i];
      if (local === null || !carries[from[i]]) continue;
      const slope =
        from.length === 1 ? local(data[from[0]], data[at])
        : from.length === 2 ? local(data[from[0]], data[from[1]], data[at])
        : local(...Array.from(from, (k) => data[k]), data[at]);
      if (slope !== 0) grads[from[i]] += slope * upstream;
    }
  }
}

// The engine in the page: what chainrule's engine does with a graph, on plain records and without changing them.
// The order of every addition is the engine's own, so that each number has its bits.

/**
 * A node of a graph: of a leaf, `op` is null. `operands` are places in the list of nodes, as often as they occur; `data` and
 * `locals` are what was recorded.
 * @typedef {{op: string|null, operands: number[], data: number, constant?: boolean, locals?: (number|null)[]}} Node
 *
 * An operation as the module of operations has it.
 * @typedef {{any: false, value: (...xs: number[]) => number, locals: (((...xs: number[]) => number)|null)[]}} Fixed
 * @typedef {(i: number, xs: number[], y: number) => number|null} Local
 * @typedef {{any: true, value: (xs: number[]) => number, local: Local|null, limit: Local|null}} OfAny
 * @typedef {Object<string, Fixed|OfAny>} Operations
 *
 * What one node hands to one operand; `why` says what kept it from it, and then nothing is added.
 * @typedef {{from: number, position: number, into: number, upstream: number, local: number|null, product: number,
 *   before: number, after: number, why: ""|"zero upstream"|"zero local"|"no flow"}} Deposit
 */

/**
 * The value of an operation.
 * @param {Fixed|OfAny} op @param {number[]} xs
 */
export function valueOf(op, xs) {
  return op.any ? op.value(xs) : op.value(...xs);
}

/**
 * The local derivative of an operation in one operand; null if none flows there.
 * @param {Fixed|OfAny} op @param {number} i @param {number[]} xs @param {number} y @returns {number|null}
 */
export function localOf(op, i, xs, y) {
  if (!op.any) return op.locals[i] === null ? null : /** @type {Function} */ (op.locals[i])(...xs, y);
  const local = op.limit !== null && Math.abs(y) === Infinity ? op.limit : op.local;
  return local === null ? null : local(i, xs, y) ?? 0;
}

/**
 * All numbers and local derivatives of a graph, whose nodes stand behind their operands.
 *
 * A node of an operation that is not among the operations keeps its number and its local derivatives; `fixed` has its
 * place if one of its operands is another number than it was recorded with, so that it may be wrong.
 * @param {Node[]} nodes @param {Operations} operations
 * @param {Object<number, number>|Map<number, number>} [leafData] numbers of leaves in place of the recorded ones, by place
 * @returns {{data: number[], locals: (number|null)[][], fixed: number[]}}
 * @throws {RangeError} where Python would raise an error; its `node` is the place of the node.
 */
export function evaluate(nodes, operations, leafData = {}) {
  const given = leafData instanceof Map ? leafData : new Map(Object.entries(leafData).map(([k, x]) => [Number(k), x]));
  /** @type {number[]} */
  const data = [];
  /** @type {(number|null)[][]} */
  const locals = [];
  /** @type {number[]} */
  const fixed = [];
  nodes.forEach((node, at) => {
    if (node.op === null) {
      data.push(given.get(at) ?? node.data);
      locals.push([]);
      return;
    }
    const xs = node.operands.map((k) => data[k]);
    const op = Object.hasOwn(operations, node.op) ? operations[node.op] : null;
    if (op === null) {
      data.push(node.data);
      locals.push(node.locals ?? node.operands.map(() => null));
      if (node.operands.some((k) => !Object.is(data[k], nodes[k].data))) fixed.push(at);
      return;
    }
    try {
      const y = valueOf(op, xs);
      data.push(y);
      locals.push(node.operands.map((k, i) => (nodes[k].constant ? null : localOf(op, i, xs, y))));
    } catch (error) {
      throw Object.assign(/** @type {Error} */ (error), { node: at });
    }
  });
  return { data, locals, fixed };
}

/**
 * The places of all nodes below a root, operands before the results made of them: the engine's own order.
 * @param {{operands: number[]}[]} nodes @param {number} root @returns {number[]}
 */
export function walkOrder(nodes, root) {
  const [entered, done] = [1, 2];
  const marks = new Uint8Array(nodes.length);
  const order = [];
  const path = [root];
  while (path.length > 0) {
    const at = /** @type {number} */ (path.pop());
    const { operands } = nodes[at];
    if (marks[at] < entered && operands.length > 0) {
      path.push(at); // below its operands: it is met again once all of them are in the order
      marks[at] = entered;
      for (let i = operands.length - 1; i >= 0; i -= 1) if (marks[operands[i]] < entered) path.push(operands[i]);
    } else if (marks[at] < done) {
      marks[at] = done;
      order.push(at);
    }
  }
  return order;
}

/**
 * What `backward()` does from a root: each deposit in the engine's order, and the gradients that they add up to.
 * @param {{operands: number[]}[]} nodes @param {(number|null)[][]} locals local derivatives, as `evaluate` gives them
 * @param {number[]} order what `walkOrder` gives for the root
 * @param {number} root @param {number} [seed] the gradient of the root itself
 * @returns {{deposits: Deposit[], grads: number[]}}
 */
export function backward(nodes, locals, order, root, seed = 1) {
  /** @type {number[]} */
  const grads = new Array(nodes.length).fill(0);
  /** @type {Deposit[]} */
  const deposits = [];
  grads[root] = seed;
  for (let k = order.length - 1; k >= 0; k -= 1) {
    const from = order[k];
    const upstream = grads[from];
    nodes[from].operands.forEach((into, position) => {
      const local = locals[from][position];
      const before = grads[into];
      const why = local === null ? "no flow" : upstream === 0 ? "zero upstream" : local === 0 ? "zero local" : "";
      const product = why === "" ? /** @type {number} */ (local) * upstream : 0;
      if (why === "") grads[into] += product;
      deposits.push({ from, position, into, upstream, local, product, before, after: grads[into], why });
    });
  }
  return { deposits, grads };
}

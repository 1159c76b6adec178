// @ts-check
// One sample of a run as a recording, which the stepper of pages shows: its score, its loss, and backward().

import { brief } from "../page/numbers.js";
import { backward, evaluate, walkOrder } from "../page/engine.js";

const CLASS = ["0", "1"];

/**
 * The recording of one sample with the present parameters.
 * @param {import("./run.js").Run} run @param {{x1: number, x2: number, label: number, target: number}} sample
 * @param {Record<string, {symbol: string, operands: string[] | null}>} symbols of operations, as pictures have them
 * @returns {import("../page/recording.js").Recording}
 */
export function storyOf(run, { x1, x2, label, target }, symbols) {
  const { graph } = run;
  const given = new Map([[graph.inputs[0], x1], [graph.inputs[1], x2], [graph.target, target]]);
  graph.parameters.forEach((at) => given.set(at, run.tape.data[at]));
  const { data, locals } = evaluate(graph.nodes, run.operations, given);
  const { deposits } = backward(graph.nodes, locals, walkOrder(graph.nodes, graph.loss), graph.loss);
  const used = [...new Set(graph.nodes.flatMap(({ op }) => (op === null ? [] : [op])))];
  const source = { name: "this sample", text: `score = model([x1, x2])\nloss = ${run.settings.loss}([score], [target])\nloss.backward()`, first: 1, why: "" };
  const lines = source.text.split("\n");
  const place = (/** @type {number} */ line) => ({ source: 0, line, column: 0, endLine: line, endColumn: lines[line - 1].length });
  const made = graph.nodes.flatMap((node, at) => (node.op === null ? [] : [{ kind: "made", node: at }]));
  /** @type {import("../page/recording.js").RecordedEvent[]} */
  const passed = deposits.map(({ from, into, why, local, upstream, position, product, before, after }) => ({
    kind: why === "" ? "deposit" : "nothing", giver: from, into, node: into, position, upstream, local,
    ...(why === "" ? { product, before, after, rule: 0 } : { why }),
  })); // prettier-ignore
  return {
    title: `The point (${brief(x1)}, ${brief(x2)}) of class ${CLASS[label]}, after ${run.steps} steps`,
    engine: { name: "chainrule", own: true, said: [] },
    dropped: {},
    operations: used.map((name) => ({ name, ...symbols[name], table: true })),
    sources: [source],
    nodes: graph.nodes.map((node, at) => ({
      op: node.op === null ? -1 : used.indexOf(node.op), operands: node.operands, data: data[at], locals: locals[at],
      label: node.label, constant: node.constant, place: node.op === null ? null : place(node.part === "net" ? 1 : 2), grad: null,
    })), // prettier-ignore
    events: [...made, { kind: "began", node: graph.loss, number: 1, seed: 1, place: place(3) }, ...passed, { kind: "ended", node: graph.loss, number: 1, whole: 1 }],
    training: { parameters: [], steps: [], losses: [], numbers: [] },
  };
}

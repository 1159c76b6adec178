// @ts-check
// The events of a document's rows. Some rows stand for many events, which follow from the nodes: as see/recording/rows.py.

/** @typedef {import("./recording.js").RecordedEvent} RecordedEvent @typedef {import("./recording.js").RecordedNode} RecordedNode */

const MOST_EVENTS = 20_000_000;

/**
 * @param {any[][]} rows @param {RecordedNode[]} nodes @param {(row: any[]) => RecordedEvent} read makes an event of a row that stands for one
 * @returns {RecordedEvent[]}
 */
export function readEvents(rows, nodes, read) {
  const gradients = new Gradients(nodes);
  /** @type {RecordedEvent[]} */
  const events = [];
  for (const row of rows) {
    if (row[0] === "run") for (let node = row[1]; node <= row[2]; node += 1) events.push({ kind: "made", node });
    else if (row[0] === "gave") gradients.handOn(row[1], events);
    else {
      const event = read(row);
      gradients.take(event);
      events.push(event);
    }
    if (events.length > MOST_EVENTS) throw new Error(`the recording stands for more than ${MOST_EVENTS.toLocaleString("en")} events`);
  }
  return events;
}

/** What the gradients are after each event, as far as deposits follow from that. */
class Gradients {
  /** @param {RecordedNode[]} nodes */
  constructor(nodes) {
    this.nodes = nodes;
    this.grads = new Float64Array(nodes.length);
    /** @type {Map<number, (number | null)[]>} */
    this.locals = new Map();
  }

  /** Goes on by an event. @param {RecordedEvent} event */
  take({ kind, node, after = 0, seed = 1, locals }) {
    if (kind === "deposit" || kind === "set_grad" || kind === "added_back") this.grads[node] = after;
    else if (kind === "began") {
      this.grads.fill(0);
      this.grads[node] = seed;
    } else if (kind === "refreshed" && locals) this.locals.set(node, locals);
  }

  /** What a node hands on, by the rules. @param {number} giver @param {RecordedEvent[]} events where it is added */
  handOn(giver, events) {
    const { operands, locals: recorded } = this.nodes[giver];
    const locals = this.locals.get(giver) ?? recorded;
    const upstream = this.grads[giver];
    for (let position = 0; position < operands.length; position += 1) {
      const [into, local] = [operands[position], locals[position]];
      if (local === null || local === 0 || upstream === 0) {
        const why = local === null ? "no flow" : upstream === 0 ? "zero upstream" : "zero local";
        events.push({ kind: "nothing", giver, position, node: into, upstream, local, why });
      } else {
        const [before, product] = [this.grads[into], local * upstream];
        const after = before + product;
        this.grads[into] = after;
        events.push({ kind: "deposit", giver, position, node: into, upstream, local, product, before, after });
      }
    }
  }
}

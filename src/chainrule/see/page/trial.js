// @ts-check
// Other numbers for the leaves of a graph: all is calculated anew, and what that means for the program is said.

import { agrees, answeredOtherwise, calculated, edited, leavesOf, nudged } from "./editing.js";
import { short } from "./numbers.js";
import { NUMBER, Timeline } from "./state.js";

const LIVE = 3000; // in larger graphs what a nudge shows is not kept up to date

/** @typedef {import("./recording.js").Recording} Recording */

export class Trial {
  /** @type {Map<number, number>} the numbers that a reader gave to leaves */
  leaves = new Map();
  /** @type {{base: Map<number, number>, before: number[], canEdit: boolean} | null} */
  known = null;
  edits = 0; // grows when leaves get other numbers but by their own field
  nudged = { node: -1, text: "" };
  /** @type {((node: number, number: number) => void) | null} who is told of each edit */
  told = null;

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
  }

  /** What is found out of the program's own numbers, when it is first wanted. */
  get own() {
    if (!this.known) {
      const { program, shown, root, operations } = this.app;
      const base = leavesOf(program, root);
      const before = this.attempt(base)?.data ?? [];
      this.known = { base, before, canEdit: before.length > 0 && agrees(program, shown, before, operations) };
    }
    return this.known;
  }

  /** The numbers that the program wrote into leaves before the root was calculated. */
  get base() {
    return this.own.base;
  }

  /** The numbers of the graph, without a reader's. */
  get before() {
    return this.own.before;
  }

  get canEdit() {
    return this.own.canEdit;
  }

  forget() {
    this.known = null;
    this.leaves.clear();
    this.edits++;
    this.nudged = { node: -1, text: "" };
  }

  /** @param {number} node */
  leafNumber(node) {
    return this.leaves.get(node) ?? this.base.get(node) ?? this.app.program.nodes[node].data;
  }

  /** All leaves that have other numbers than they were made with. */
  get numbers() {
    return new Map([...this.base, ...this.leaves]);
  }

  /** Calculates all numbers; null, and says so, where Python would raise an error. @param {Map<number, number>} leaves */
  attempt(leaves) {
    try {
      return calculated(this.app.program, leaves, this.app.operations);
    } catch (error) {
      const { node = 0 } = /** @type {{node?: number}} */ (error);
      const { place } = this.app.program.nodes[node];
      this.app.say(`With these numbers Python would stop${place ? ` in line ${place.line}` : ""}, at ${this.app.teller.names[node]}: ${error instanceof Error ? error.message : error}`);
      return null;
    }
  }

  /** What the program would have done with the numbers that leaves have now, or null. @returns {Recording | null} */
  calculatedAnew() {
    const numbers = this.attempt(this.numbers);
    return numbers && edited(this.app.program, this.app.shown, this.app.root, numbers, this.app.seed);
  }

  /** Gives a leaf another number, and calculates all anew. @param {number} node @param {number} number @param {boolean} [jumps] */
  edit(node, number, jumps = true) {
    if (!Number.isFinite(number)) return;
    this.leaves.set(node, number);
    this.app.picked = node;
    this.recalculate();
    if (!this.app.isVisiting) this.told?.(node, number);
    if (this.nudged.node >= 0 && this.app.shown.length < LIVE) this.nudge(this.nudged.node);
    else this.nudged = { node: -1, text: "" };
    this.app.go(jumps ? this.app.steps.length : Math.min(this.app.position, this.app.steps.length), false);
  }

  recalculate() {
    this.app.quiz.leave();
    this.app.lab.leave();
    const numbers = this.attempt(this.numbers);
    if (!numbers) return;
    this.app.recording = edited(this.app.program, this.app.shown, this.app.root, numbers, this.app.seed);
    this.app.look();
    this.warn(numbers);
  }

  /** Says where the program would go another way, or what is not calculated anew. @param {import("./editing.js").Calculated} numbers */
  warn({ data, fixed }) {
    const { names } = this.app.teller;
    const [other] = answeredOtherwise(this.app.program, "truth", this.before, data);
    const [read] = answeredOtherwise(this.app.program, "data", this.before, data);
    const kept = fixed.find((node) => this.app.shown.includes(node));
    const line = (/** @type {import("./recording.js").RecordedEvent} */ event) => (event.place ? ` in line ${event.place.line}` : "");
    if (other) return this.app.say(`No longer your program: with these numbers Python would go the other way${line(other)}, since ${names[other.node]} turns ${other.answer ? "false" : "true"}.`, true);
    if (kept !== undefined) {
      const { name } = this.app.program.operations[this.app.program.nodes[kept].op];
      return this.app.say(`${names[kept]} keeps its number: what ${name} does is not known here. All that is made of it is not calculated anew.`, true);
    }
    return this.app.say(read ? `Your program read the number of ${names[read.node]}${line(read)}: what it did with it is not calculated anew.` : "");
  }

  /** @param {number} node */
  nudge(node) {
    const h = 1e-4;
    const { app, numbers } = this;
    const { program, root, operations } = app;
    const { slope } = nudged(program, numbers, node, root, h, operations);
    const grads = new Timeline(edited(program, this.app.shown, root, calculated(program, numbers, operations), 1));
    const { state, number } = grads.at(grads.length).gradients[node];
    const name = this.app.teller.names[node];
    this.nudged = { node, text: `(f(${name} + ${h}) − f(${name})) / ${h} = ${short(slope)}; by the chain rule ${state === NUMBER ? short(number) : `${state}, so 0`}` };
    this.app.renderPanel();
  }

  /** @param {number} node */
  nudgedText(node) {
    return this.nudged.node === node ? this.nudged.text : "";
  }
}

// @ts-check
// The bug lab: a broken backward() beside the right one, in step, stopped at the first number that differs.

import { broken, firstDifference, smallestGraph, whyNot } from "./bugs.js";
import { alike } from "./editing.js";
import { NUMBER, Timeline } from "./state.js";

/** @typedef {import("./recording.js").RecordedEvent} RecordedEvent */

/** Whether an event hands something on, or would. @param {RecordedEvent} event */
const isStep = ({ kind }) => kind === "deposit" || kind === "nothing";

export class Lab {
  bug = "";
  operation = ""; // whose rule is wrong
  /** @type {import("./bugs.js").Difference | null} */
  difference = null;
  whyNot = ""; // why there is none
  /** @type {Timeline | null} */
  right = null;
  began = 0; // the step at which both begin
  ahead = 0; // so many steps the broken one has more, before its deposits
  /** @type {Map<number, number>} by number, the step of the last that comes to it: in another order nothing else compares */
  last = new Map();

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
  }

  /** Forgets the mistake. */
  leave() {
    [this.bug, this.operation, this.difference, this.whyNot, this.right] = ["", "", null, "", null];
    this.last.clear();
  }

  /** The position at which the first number differs. */
  get stop() {
    return this.difference ? this.began + this.difference.index + 1 : -1;
  }

  /** Runs a broken backward(), and goes to the first number that differs; "" for the right one. @param {string} bug @param {string} operation */
  breakIt(bug, operation) {
    const { app } = this;
    this.leave();
    const right = app.trial.calculatedAnew();
    if (!right) return;
    if (!bug) {
      app.recording = app.trial.leaves.size ? right : app.program;
      app.look();
      app.go(app.steps.length, false);
      return;
    }
    this.bug = bug;
    this.operation = operation || this.firstOperation(right);
    const { names } = app.teller;
    const steps = right.events.filter(isStep);
    const wrong = broken(right, app.root, this, app.seed, names);
    this.difference = firstDifference(wrong, steps, bug, names);
    if (!this.difference) this.whyNot = whyNot(this, steps, right.nodes, app.root, names);
    this.right = new Timeline(right);
    this.began = right.events.findIndex(({ kind }) => kind === "began") + 1;
    this.ahead = wrong.length - steps.length;
    wrong.forEach(({ node }, i) => this.last.set(node, this.began + i));
    const events = right.events.filter((event) => !isStep(event));
    events.splice(this.began, 0, ...wrong);
    app.recording = { ...right, events };
    app.look();
    app.go(this.difference ? this.stop : app.steps.length, false);
  }

  /** Shows the smallest graph in which the mistake makes a difference. */
  openSmallest() {
    const { bug } = this;
    const { recording, operation } = smallestGraph(bug);
    this.app.visit(recording);
    this.breakIt(bug, operation);
  }

  /** The first operation that hands something on. @param {import("./recording.js").Recording} right */
  firstOperation({ nodes, operations }) {
    const node = this.app.shown.find((each) => nodes[each].op >= 0 && nodes[each].locals.some((x) => x));
    return node === undefined ? "" : operations[nodes[node].op].name;
  }

  /** Whether a number is the first that differs, and has been met. @param {number} node @param {number} position */
  isStopped(node, position) {
    return node === this.difference?.node && position >= this.stop;
  }

  /**
   * The numbers whose gradients differ at a position, and what both have there. In another order a number counts once all
   * has come to it that comes.
   * @param {number} position
   * @returns {{node: number, broken: import("./state.js").Gradient, right: import("./state.js").Gradient}[]}
   */
  differing(position) {
    const { app, right, bug } = this;
    if (!bug || !right) return [];
    const here = app.timeline.at(position).gradients;
    const isEnd = bug === "order";
    const there = right.at(isEnd ? right.length : Math.max(Math.min(position, this.began), position - this.ahead)).gradients;
    return app.shown
      .filter((node) => !sameGradient(here[node], there[node]) && (!isEnd || (this.last.get(node) ?? Infinity) < position || this.isStopped(node, position)))
      .map((node) => ({ node, broken: here[node], right: there[node] }));
  }
}

/** Nothing that came counts as 0. @param {import("./state.js").Gradient} a @param {import("./state.js").Gradient} b */
function sameGradient(a, b) {
  const number = (/** @type {import("./state.js").Gradient} */ x) => (x.state === NUMBER ? x.number : 0);
  return alike(number(a), number(b));
}

// @ts-check
// The bug lab: a broken backward() beside the right one, stopped at the first number that differs.

import { alike, broken, calculated, edited, firstDifference } from "./editing.js";
import { short } from "./numbers.js";
import { Timeline } from "./state.js";

/** @type {Record<string, string>} why a mistake makes no difference in a graph */
const WHY_NOT = {
  assign: "Here no number is used more than once.",
  order: "Here each number is whole in this order too.",
  local: "Here every upstream gradient is 1.",
  forgotten: "Here all gradients are 0.",
  rule: "Here that operation hands on nothing.",
};

export class Lab {
  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    this.bug = "";
    this.operation = ""; // whose rule is wrong
    this.found = ""; // which number differs
    this.whyNot = ""; // why none does
    this.wrong = -1; // the step from which on it differs
    this.node = -1;
  }

  /** Runs a broken backward(), and goes to the first number that differs; "" for the right one. @param {string} bug @param {string} operation */
  breakIt(bug, operation) {
    const { app } = this;
    const numbers = calculated(app.program, app.leaves, app.operations);
    const right = edited(app.program, app.shown, app.root, numbers, app.seed);
    [this.bug, this.operation] = [bug, operation || this.firstOperation(numbers.locals)];
    [this.found, this.whyNot, this.wrong, this.node] = ["", "", -1, -1];
    if (!bug) {
      app.recording = app.leaves.size ? right : app.program;
      app.look();
      app.go(app.steps.length, false);
      return;
    }
    const isStep = (/** @type {import("./recording.js").RecordedEvent} */ { kind }) => kind === "deposit" || kind === "nothing";
    const wrong = broken(right, numbers.locals, app.root, this, app.seed, app.teller.names);
    const at = firstDifference(wrong, right.events.filter(isStep));
    const events = right.events.filter((event) => !isStep(event));
    events.splice(events.length - 1, 0, ...wrong);
    app.recording = { ...right, events };
    app.look();
    const began = events.findIndex((event) => event.kind === "began");
    if (at < 0) this.whyNot = WHY_NOT[bug];
    else this.describe(wrong[at], right, began + 1 + at);
    app.go(at < 0 ? app.steps.length : began + 2 + at, false);
  }

  /** The first operation that hands something on. @param {(number | null)[][]} locals */
  firstOperation(locals) {
    const { nodes, operations } = this.app.program;
    const node = this.app.shown.find((each) => nodes[each].op >= 0 && locals[each].some((x) => x !== null));
    return node === undefined ? "" : operations[nodes[node].op].name;
  }

  /**
   * @param {import("./recording.js").RecordedEvent} event the first that differs
   * @param {import("./recording.js").Recording} right
   * @param {number} step its index
   */
  describe(event, right, step) {
    const timeline = new Timeline(right);
    const here = timeline.at(step + 1).gradients[event.node];
    const end = timeline.at(timeline.length).gradients[event.node];
    const should = this.bug === "order" || alike(here.number, event.after ?? 0) ? end.number : here.number;
    this.wrong = step;
    this.node = event.node;
    this.found = `${this.app.teller.names[event.node]} has ${short(event.after ?? 0)} here, and should have ${short(should)}`;
  }
}

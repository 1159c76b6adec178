// @ts-check
// The questions of a page, one after the other, and the score.

import { questionAbout } from "./predictions.js";

export class Quiz {
  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    /** @type {import("./predictions.js").Question | null} */
    this.question = null;
    this.at = -1; // the step that the question is about
    /** @type {Set<number>} */
    this.chosen = new Set();
    this.solved = false;
    this.score = { right: 0, asked: 0 };
  }

  /** Goes on to the next question; to the start of backward() if there is none. */
  next() {
    const { steps, recording, teller, position } = this.app;
    const started = steps.findIndex((i) => recording.events[i].kind === "began");
    const from = this.question ? this.at + 1 : position;
    this.question = null;
    for (let k = Math.max(from, started + 1); k < steps.length && !this.question; k++) {
      const before = steps.slice(started + 1, k).map((i) => recording.events[i]);
      this.question = questionAbout(recording, recording.events[steps[k]], teller.names, before);
      this.at = k;
    }
    this.chosen = new Set();
    this.solved = false;
    this.app.go(this.question ? this.at : started + 1, false);
  }

  /** Takes an answer: a wrong one is told what it equals, and can be tried again. @param {number} i */
  answer(i) {
    if (!this.question) return;
    const { isRight } = this.question.choices[i];
    if (!this.chosen.size) this.score = { right: this.score.right + (isRight ? 1 : 0), asked: this.score.asked + 1 };
    this.chosen.add(i);
    this.solved = isRight;
    if (isRight) this.app.go(this.at + 1);
    else this.app.renderPanel();
  }
}

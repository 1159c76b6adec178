// @ts-check
// The questions of a page, one after the other, and the score.

import { ASKS_WHO, Past, questionAbout } from "./predictions.js";

const MOST_TRIED = 20_000; // so many events are looked at for the next question

export class Quiz {
  /** @type {import("./predictions.js").Question | null} */
  question = null;
  /** @type {import("./recording.js").RecordedEvent | null} what is asked about */
  event = null;
  at = -1; // the step that the question is about
  /** @type {Set<number>} */
  chosen = new Set();
  solved = false;
  isOver = false; // there is no other question from here on
  score = { right: 0, asked: 0 };

  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
  }

  /** Forgets the question, but not the score. */
  leave() {
    [this.question, this.event, this.at, this.solved, this.isOver] = [null, null, -1, false, false];
    this.chosen = new Set();
  }

  /** Goes on to the next question; back to the start of backward() if there is none. */
  next() {
    const { steps, recording, position } = this.app;
    const events = steps.map((i) => recording.events[i]);
    const from = this.question ? this.at + 1 : this.isOver ? 0 : position;
    this.leave();
    const open = events.findLastIndex(({ kind }, i) => kind === "began" && i < from); // the pass that goes on here
    const started = open >= 0 ? open : events.findIndex(({ kind }) => kind === "began");
    if (started >= 0) this.search(events, started, from);
    this.isOver = !this.question;
    this.app.go(this.question ? this.at : Math.max(0, started + 1), false);
  }

  /** @param {import("./recording.js").RecordedEvent[]} events @param {number} started @param {number} from */
  search(events, started, from) {
    const { recording, teller } = this.app;
    let past = new Past(recording, events[started].node);
    for (let k = started + 1; k < Math.min(events.length, Math.max(from, started) + MOST_TRIED); k++) {
      const event = events[k];
      if (event.kind === "began") past = new Past(recording, event.node);
      const question = k < from ? null : questionAbout(recording, event, teller.names, past);
      if (question) {
        [this.question, this.event, this.at] = [question, event, k];
        return;
      }
      past.add(event);
    }
  }

  /**
   * What is lit: while a question is open the edge that it is about, but none where it asks who is next.
   * @param {import("./recording.js").RecordedEvent | null} event the present one
   * @returns {import("./recording.js").RecordedEvent | null}
   */
  lit(event) {
    if (!this.question || !this.event || this.app.position !== this.at) return event;
    return this.question.asks === ASKS_WHO ? null : { ...this.event, kind: "question" };
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

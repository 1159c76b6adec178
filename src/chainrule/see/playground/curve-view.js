// @ts-check
// The losses of a run as curves: on the points of training, and on those that are held out.

import { drawing, element } from "../page/elements.js";
import { brief } from "../page/numbers.js";

const [CURVE_WIDTH, CURVE_HEIGHT] = [300, 96];
const MOST = 300; // of more measurements, every second is left out

/** @typedef {{step: number, train: number, held: number | null}} Measured */

export class CurveView {
  constructor() {
    this.train = drawing("path", { class: "curve-train" });
    this.held = drawing("path", { class: "curve-held" });
    this.svg = drawing("svg", { viewBox: `0 0 ${CURVE_WIDTH} ${CURVE_HEIGHT}`, class: "losses", preserveAspectRatio: "none", "aria-hidden": true }, drawing("path", { class: "axis", d: `M0 ${CURVE_HEIGHT - 0.5}H${CURVE_WIDTH}` }), this.held, this.train);
    this.words = element("p", { class: "numbers" });
    this.most = element("p", { class: "hint most" });
    this.element = element("div", { class: "curve-view" }, this.words, this.most, this.svg);
    /** @type {Measured[]} */
    this.history = [];
  }

  /** @param {Measured} measured */
  add(measured) {
    const last = this.history[this.history.length - 1];
    if (last?.step === measured.step) this.history.pop();
    this.history.push(measured);
    if (this.history.length > MOST) this.history = this.history.filter((_, i) => i % 2 === 0 || i === this.history.length - 1);
  }

  /** @param {{loss: number, accuracy: number}} train @param {{loss: number, accuracy: number} | null} held */
  show(train, held) {
    const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
    this.words.replaceChildren(
      part("train", "training", `loss ${brief(train.loss)}, ${percent(train.accuracy)} right`),
      ...(held ? [part("held", "held out", `loss ${brief(held.loss)}, ${percent(held.accuracy)} right`)] : []),
    );
    const [first, last] = [this.history[0], this.history[this.history.length - 1]];
    if (!first || last.step === first.step) {
      this.train.setAttribute("d", "");
      this.held.setAttribute("d", "");
      this.most.textContent = "";
      return;
    }
    const most = Math.max(...this.history.flatMap((x) => [x.train, x.held ?? 0].filter(Number.isFinite)), 1e-12);
    const line = (/** @type {(x: Measured) => number | null} */ of) =>
      this.history.flatMap((x) => {
        const y = of(x);
        return y === null || !Number.isFinite(y) ? [] : [`${(((x.step - first.step) / (last.step - first.step)) * CURVE_WIDTH).toFixed(1)} ${(CURVE_HEIGHT - (y / most) * (CURVE_HEIGHT - 4)).toFixed(1)}`];
      });
    const path = (/** @type {string[]} */ points) => (points.length ? `M${points.join("L")}` : "");
    this.train.setAttribute("d", path(line((x) => x.train)));
    this.held.setAttribute("d", path(line((x) => x.held)));
    this.most.textContent = `the curves go up to ${brief(most)}, over ${last.step.toLocaleString("en")} steps`;
  }
}

/** @param {string} kind @param {string} name @param {string} words */
const part = (kind, name, words) => element("span", { class: `key ${kind}` }, element("span", { class: "sample", "aria-hidden": true }), element("b", { text: name }), ` ${words}`);

// @ts-check
// The field: the plane with what the net says of each point of it, and the points that it learns from.

import { drawing, element } from "../page/elements.js";
import { brief } from "../page/numbers.js";
import { paintMap } from "./colours.js";

export const SIDE = 44; // the map has so many points a side
const UNITS = 100; // the drawing's units
const AROUND = 0.12; // around the points, as a share of their span
const RADIUS = 1.35;

/** @typedef {{low: [number, number], span: number}} Plane the square that is shown */

/** The square around points. @param {[number, number][]} points @returns {Plane} */
export function planeAround(points) {
  if (!points.length) return { low: [-1, -1], span: 2 };
  const ends = [0, 1].map((i) => [Math.min(...points.map((p) => p[i])), Math.max(...points.map((p) => p[i]))]);
  const span = Math.max(...ends.map(([low, high]) => high - low), 1e-6) * (1 + 2 * AROUND);
  const [x, y] = ends.map(([low, high]) => (low + high) / 2 - span / 2);
  return { low: [x, y], span };
}

/** The points of the map, row by row from the top. @param {Plane} plane @param {number} [side] */
export function gridOf({ low, span }, side = SIDE) {
  const grid = new Float64Array(2 * side * side);
  for (let k = 0; k < side * side; k += 1) {
    grid[2 * k] = low[0] + (span * ((k % side) + 0.5)) / side;
    grid[2 * k + 1] = low[1] + (span * (side - Math.floor(k / side) - 0.5)) / side;
  }
  return grid;
}

export class FieldView {
  /** @param {{pick: (index: number, held: boolean) => void, place: (x1: number, x2: number) => void}} actions */
  constructor(actions) {
    this.actions = actions;
    this.plane = planeAround([]);
    this.map = /** @type {HTMLCanvasElement} */ (element("canvas", { class: "map", "aria-hidden": true }));
    this.border = drawing("path", { class: "border" });
    this.marks = drawing("g", {});
    this.svg = drawing("svg", { viewBox: `0 0 ${UNITS} ${UNITS}`, class: "points", role: "group", "aria-label": "points: arrow keys go from one to the next, Enter opens its graph", onclick: (/** @type {MouseEvent} */ event) => this.clicked(event), onkeydown: (/** @type {KeyboardEvent} */ event) => this.pressed(event) }, this.border, this.marks);
    this.ends = element("p", { class: "ends hint" });
    this.element = element("div", { class: "field" }, element("div", { class: "square" }, this.map, this.svg), this.ends);
    this.at = 0;
  }

  /** Shows other points. @param {import("./run.js").Rows} train @param {import("./run.js").Rows} heldOut @param {Plane} plane */
  showPoints(train, heldOut, plane) {
    this.plane = plane;
    const marks = (/** @type {import("./run.js").Rows} */ rows, /** @type {boolean} */ held) => rows.points.map((point, i) => this.mark(point, rows.labels[i], i, held));
    this.marks.replaceChildren(...marks(train, false), ...marks(heldOut, true));
    this.at = Math.min(this.at, Math.max(0, this.marks.children.length - 1));
    this.marks.children[this.at]?.setAttribute("tabindex", "0");
    const [x, y] = plane.low;
    this.ends.textContent = `x1 from ${brief(x)} to ${brief(x + plane.span)}, x2 from ${brief(y)} to ${brief(y + plane.span)}`;
  }

  /** @param {[number, number]} point @param {number} label @param {number} index @param {boolean} held */
  mark(point, label, index, held) {
    const [x, y] = this.toDrawing(point);
    const r = RADIUS * (held ? 0.85 : 1);
    const shape = label ? drawing("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, transform: `rotate(45 ${x} ${y})` }) : drawing("circle", { cx: x, cy: y, r: r * 1.1 });
    const what = `point ${brief(point[0])}, ${brief(point[1])}, class ${label}${held ? ", held out" : ""}: open its graph`;
    const mark = drawing("g", { class: `mark class-${label}${held ? " held" : ""}`, role: "button", tabindex: -1, "aria-label": what, onclick: (/** @type {Event} */ event) => {
      event.stopPropagation();
      this.actions.pick(index, held);
    } }, drawing("circle", { cx: x, cy: y, r: 3, class: "reach" }), shape, drawing("title", { text: what })); // prettier-ignore
    return mark;
  }

  /** Shows what the net says of the plane. @param {ArrayLike<number>} numbers @param {(x: number) => number} scaled @param {number | null} level where the border between the classes is */
  showMap(numbers, scaled, level) {
    paintMap(this.map, numbers, scaled);
    this.border.setAttribute("d", level === null ? "" : contour(numbers, level));
  }

  /** @param {[number, number]} point */
  toDrawing([x1, x2]) {
    const { low, span } = this.plane;
    return [((x1 - low[0]) / span) * UNITS, (1 - (x2 - low[1]) / span) * UNITS];
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const box = this.svg.getBoundingClientRect();
    const { low, span } = this.plane;
    this.actions.place(low[0] + ((event.clientX - box.left) / box.width) * span, low[1] + (1 - (event.clientY - box.top) / box.height) * span);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const marks = [...this.marks.children];
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by && marks.length) {
      marks[this.at]?.setAttribute("tabindex", "-1");
      this.at = (this.at + by + marks.length) % marks.length;
      marks[this.at].setAttribute("tabindex", "0");
      /** @type {SVGElement} */ (marks[this.at]).focus();
    } else if (event.key === "Enter" || event.key === " ") {
      const mark = /** @type {Element} */ (event.target).closest(".mark");
      if (!mark) return;
      mark.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** The line on which a map has a level, by linear interpolation in each of its squares. @param {ArrayLike<number>} numbers @param {number} level */
export function contour(numbers, level) {
  const side = Math.round(Math.sqrt(numbers.length));
  const step = UNITS / side;
  const at = (/** @type {number} */ i, /** @type {number} */ j) => numbers[j * side + i] - level;
  const parts = [];
  for (let j = 0; j + 1 < side; j += 1) {
    for (let i = 0; i + 1 < side; i += 1) {
      const corners = /** @type {[number, number][]} */ ([[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]]); // prettier-ignore
      const crossed = corners.flatMap(([x, y], k) => {
        const [u, v] = corners[(k + 1) % 4];
        const [a, b] = [at(x, y), at(u, v)];
        if (a > 0 === b > 0) return [];
        const share = a / (a - b);
        return [[(x + 0.5 + (u - x) * share) * step, (y + 0.5 + (v - y) * share) * step]];
      });
      for (let k = 0; k + 1 < crossed.length; k += 2) parts.push(`M${crossed[k].map((x) => x.toFixed(2)).join(" ")}L${crossed[k + 1].map((x) => x.toFixed(2)).join(" ")}`);
    }
  }
  return parts.join("");
}

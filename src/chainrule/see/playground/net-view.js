// @ts-check
// The net: each neuron with the map of what it gives on the plane, and each weight as an edge.

import { button, drawing, element } from "../page/elements.js";
import { brief } from "../page/numbers.js";
import { byLargest, paintMap } from "./colours.js";
import { MOST_LAYERS, MOST_NEURONS } from "./settings.js";

const THICKEST = 7;

export class NetView {
  /** @param {{resize: (hidden: number[]) => void, look: (layer: number, neuron: number) => void}} actions */
  constructor(actions) {
    this.actions = actions;
    this.lines = drawing("svg", { class: "edges", "aria-hidden": true });
    this.columns = element("div", { class: "columns" });
    this.element = element("div", { class: "net-view" }, this.lines, this.columns);
    /** @type {HTMLCanvasElement[][]} the maps of neurons, by layer; the inputs come first */
    this.maps = [];
    /** @type {{path: SVGElement, title: SVGElement, parameter: number}[]} */
    this.edges = [];
    new ResizeObserver(() => this.place()).observe(this.element);
  }

  /** Builds the picture of a net. @param {import("./run.js").Run} run */
  build(run) {
    const { hidden } = run.settings;
    const layers = [["x1", "x2"], ...hidden.map((size, l) => Array.from({ length: size }, (_, n) => `h${l + 1}.${n + 1}`)), ["score"]];
    this.maps = [];
    const columns = layers.map((names, l) => {
      const cells = names.map((name, n) => this.cell(name, l, n));
      this.maps.push(cells.map(({ map }) => map));
      return element("div", { class: "column" }, this.head(hidden, l), ...cells.map(({ cell }) => cell));
    });
    this.columns.replaceChildren(...columns);
    this.sizes = layers.map((names) => names.length);
    let parameter = 0;
    this.edges = [];
    for (let l = 1; l < layers.length; l += 1) {
      for (let n = 0; n < layers[l].length; n += 1) {
        for (let i = 0; i < layers[l - 1].length; i += 1, parameter += 1) {
          const title = drawing("title", {});
          const path = drawing("path", { class: "weight", "data-from": `${l - 1} ${i}`, "data-to": `${l} ${n}` }, title);
          this.edges.push({ path, title, parameter });
        }
        parameter += 1; // the bias
      }
    }
    this.lines.replaceChildren(...this.edges.map(({ path }) => path));
    this.place();
  }

  /** @param {number[]} hidden @param {number} l */
  head(hidden, l) {
    const isHidden = l > 0 && l <= hidden.length;
    if (!isHidden) return element("div", { class: "head-of" }, element("span", { text: l ? "output" : "inputs" }));
    const to = (/** @type {number} */ size) => this.actions.resize(hidden.with(l - 1, size));
    const size = hidden[l - 1];
    return element(
      "div",
      { class: "head-of" },
      button("−", `one neuron fewer in layer ${l}`, () => to(size - 1), { disabled: size <= 1 }),
      element("span", { text: String(size), "aria-label": `${size} neurons in layer ${l}`, role: "img" }),
      button("+", `one neuron more in layer ${l}`, () => to(size + 1), { disabled: size >= MOST_NEURONS }),
    );
  }

  /** @param {string} name @param {number} l @param {number} n */
  cell(name, l, n) {
    const map = /** @type {HTMLCanvasElement} */ (element("canvas", { class: "small-map", "aria-hidden": true }));
    const look = () => this.actions.look(l, n);
    const away = () => this.actions.look(-1, -1);
    const cell = element("button", { type: "button", class: "neuron", "aria-label": `${name}: its map in the field`, title: `${name}: its map in the field`, onpointerenter: look, onpointerleave: away, onfocus: look, onblur: away, onclick: look }, map, element("span", { text: name }));
    return { cell, map };
  }

  /** Moves the edges to where the neurons are. */
  place() {
    const around = this.element.getBoundingClientRect();
    if (!around.width) return;
    this.lines.setAttribute("viewBox", `0 0 ${this.element.scrollWidth} ${this.element.scrollHeight}`);
    const box = (/** @type {string} */ key) => {
      const [l, n] = key.split(" ").map(Number);
      return this.maps[l][n].getBoundingClientRect();
    };
    for (const { path } of this.edges) {
      const [from, to] = [box(path.getAttribute("data-from") ?? ""), box(path.getAttribute("data-to") ?? "")];
      const [x, y] = [from.right - around.left, from.top + from.height / 2 - around.top];
      const [u, v] = [to.left - around.left, to.top + to.height / 2 - around.top];
      const middle = (x + u) / 2;
      path.setAttribute("d", `M${x} ${y}C${middle} ${y} ${middle} ${v} ${u} ${v}`);
    }
  }

  /** Shows the weights. @param {Float64Array} parameters */
  showWeights(parameters) {
    const most = Math.max(...this.edges.map(({ parameter }) => Math.abs(parameters[parameter])), 1e-12);
    for (const { path, title, parameter } of this.edges) {
      const w = parameters[parameter];
      path.setAttribute("class", `weight ${w < 0 ? "negative" : "positive"}`);
      path.setAttribute("stroke-width", (0.6 + (THICKEST - 0.6) * (Math.abs(w) / most)).toFixed(2));
      title.textContent = `weight ${brief(w)}`;
    }
  }

  /** Shows the maps. @param {Float64Array[][]} layers what the inputs and each neuron give on a grid */
  showMaps(layers) {
    layers.forEach((layer, l) => layer.forEach((numbers, n) => paintMap(this.maps[l][n], numbers, byLargest(numbers))));
  }

  /** The buttons for layers. @param {number[]} hidden */
  layerButtons(hidden) {
    return [
      button("+ layer", "one hidden layer more", () => this.actions.resize([...hidden, Math.min(4, MOST_NEURONS)]), { disabled: hidden.length >= MOST_LAYERS }),
      button("− layer", "one hidden layer fewer", () => this.actions.resize(hidden.slice(0, -1)), { disabled: !hidden.length }),
    ];
  }
}


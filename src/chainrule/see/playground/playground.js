// @ts-check
// The playground: it puts the parts together, and lets time run.

import { button, element } from "../page/elements.js";
import { operations } from "../page/operations.js";
import { remarkOn } from "./coach.js";
import { byLargest } from "./colours.js";
import { chosen, controlsOf } from "./controls.js";
import { CurveView } from "./curve-view.js";
import { openPaste, openStepper } from "./dialogs.js";
import { toModel, toPython, toTable } from "./exports.js";
import { FieldView, SIDE, gridOf, planeAround } from "./field-view.js";
import { offer, pictureOf } from "./leaving.js";
import { NetView } from "./net-view.js";
import { createRun, knownOf } from "./run.js";
import { storyOf } from "./sample-story.js";
import { DEFAULTS, OWN, fromHash, toHash } from "./settings.js";

const SLICE = 14; // milliseconds of training between two pictures
const EVERY = 90; // milliseconds between two looks at the whole
const SMALL = 14; // points a side of a neuron's map
const FIELD_WORK = 300_000; // operands that are calculated for one picture of the field while training, so that no task is long
const PACES = [1, 10, 100, 1000, Infinity]; // steps a second

class Playground {
  /** @param {import("./run.js").Library & {symbols: any}} library */
  constructor(library) {
    this.library = library;
    this.known = knownOf(library);
    this.side = 0; // the class of points that a click adds
    this.looked = [-1, -1]; // the neuron whose map stands in the field
    this.playing = false;
    this.due = 0; // when to look at the whole
    this.pace = 100;
    this.owed = 0; // steps that are due at this pace
    this.before = 0; // the time of the last frame
    this.turn = 0;
    /** @type {Float64Array | null} what the field shows */
    this.numbers = null;
    this.field = new FieldView({ pick: (index, held) => this.pick(index, held), place: (x1, x2) => this.place(x1, x2) });
    this.net = new NetView({ resize: (hidden) => this.change({ hidden }), look: (l, n) => this.look(l, n) });
    this.curve = new CurveView();
    this.controls = element("section", { class: "settings", "aria-label": "settings" });
    this.build();
    this.settings = this.fromAddress();
    /** @type {import("./run.js").Run | null} */
    this.run = null;
    /** @type {import("./run.js").Run | null} whose net is drawn */
    this.built = null;
    this.begin();
    addEventListener("hashchange", () => this.addressChanged());
    addEventListener("keydown", (event) => this.pressed(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.showAll());
  }

  // ---- the page ----

  build() {
    this.player = element("button", { type: "button", class: "main player", onclick: () => this.play() });
    this.namePlayer("▶", "Train");
    this.count = element("p", { class: "count" });
    const pace = chosen("pace", PACES, this.pace, (x) => (this.pace = x), (x) => (x === Infinity ? "as fast as it goes" : `${x.toLocaleString("en")} ${x === 1 ? "step" : "steps"} a second`));
    this.said = element("p", { class: "remark", role: "status" });
    this.alarm = element("p", { class: "banner", role: "alert", hidden: true });
    this.shown = element("p", { class: "hint shown" });
    document.body.append(
      element(
        "div",
        { class: "playground" },
        element(
          "div",
          { class: "top", role: "banner" },
          element("h1", { text: "A net that learns, one scalar at a time" }),
          element("div", { class: "row", role: "group", "aria-label": "training" }, this.player, button("Step", "one step", () => this.step()), button("Start again", "start again with the same seed", () => this.begin()), button("Other seed", "start again with another seed", () => this.change({ seed: (this.settings.seed + 1) % 2 ** 32 })), pace),
          this.count,
        ),
        this.alarm,
        element(
          "div",
          { class: "ground", role: "main" },
          this.controls,
          element("section", { class: "net", "aria-label": "the net" }, element("h2", { text: "The net" }), this.net.element, element("p", { class: "hint", text: "Each box is the map of what a neuron gives on the plane. Edges are weights: thick is large, dashed is negative." })),
          element("section", { class: "outcome", "aria-label": "what it says" }, element("h2", { text: "What it says of the plane" }), this.field.element, this.shown, this.curve.element, this.said, this.exports()),
        ),
      ),
    );
  }

  exports() {
    const run = () => /** @type {import("./run.js").Run} */ (this.run);
    return element(
      "div",
      { class: "row exports", role: "group", "aria-label": "take it along" },
      button("Python", "this net as a program in Python", () => offer("playground.py", toPython(run()), "text/x-python")),
      button("Model", "the net as JSON, for chainrule predict", () => offer("playground.model.json", toModel(run()), "application/json")),
      button("Points", "the held-out points as CSV; all where none are", () => offer("points.csv", toTable(run().data.heldOut.points.length ? run().data.heldOut : run().data.train), "text/csv")),
      button("Picture", "the field as PNG", async () => this.numbers && offer("playground.png", await pictureOf(this.field, this.numbers, this.scale(), run()), "image/png")),
    );
  }

  // ---- settings ----

  /** The settings in the address; where they cannot be, the usual ones, and words about it. */
  fromAddress() {
    try {
      const settings = fromHash(location.hash, this.known);
      this.warn("");
      return settings;
    } catch (error) {
      this.warn(`The address asks for what cannot be: ${error instanceof Error ? error.message : error}. These are the usual settings.`);
      return { ...DEFAULTS };
    }
  }

  addressChanged() {
    if (location.hash === toHash(this.settings) || (!location.hash && toHash(this.settings) === "#")) return;
    this.settings = this.fromAddress();
    this.begin();
  }

  /** Changes settings, and starts again. @param {Partial<import("./settings.js").Settings>} part */
  change(part) {
    const focused = focusedName(this.controls) ?? focusedName(this.net.element);
    this.warn("");
    this.settings = { ...this.settings, ...part };
    this.begin();
    refocus(focused, this.controls, this.net.element);
  }

  /** Starts a run from its first weights. */
  begin() {
    const { settings } = this;
    this.curve.history = [];
    this.looked = [-1, -1];
    this.field.element.classList.toggle("draws", settings.data === OWN);
    try {
      this.run = createRun(settings, this.library, operations);
      if (location.hash !== toHash(settings)) writeAddress(toHash(settings));
    } catch (error) {
      this.run = null;
      this.pause();
      if (settings.data === OWN) this.say(error instanceof Error ? `${error.message}.` : String(error));
      else this.warn(error instanceof Error ? error.message : String(error));
    }
    this.controls.replaceChildren(...controlsOf(settings, this.known, this.actions()));
    this.showAll();
  }

  actions() {
    const { own } = this.settings;
    const without = () => ({ points: own.points.slice(0, -1), labels: own.labels.slice(0, -1) });
    return {
      change: (/** @type {Partial<import("./settings.js").Settings>} */ part) => this.change(part),
      paste: () => openPaste((found) => this.change({ data: OWN, own: found })),
      side: () => this.side,
      turn: (/** @type {number} */ side) => (this.side = side),
      undo: () => this.change({ own: without() }),
      add: (/** @type {number} */ x1, /** @type {number} */ x2) => this.place(x1, x2),
      layers: this.net.layerButtons(this.settings.hidden),
    };
  }

  /** Adds a point of one's own. @param {number} x1 @param {number} x2 */
  place(x1, x2) {
    const { data, own } = this.settings;
    if (data !== OWN || !Number.isFinite(x1) || !Number.isFinite(x2)) return;
    const digits = (/** @type {number} */ x) => Number(x.toPrecision(4));
    this.change({ own: { points: [...own.points, [digits(x1), digits(x2)]], labels: [...own.labels, this.side] } });
  }

  // ---- time ----

  play() {
    if (this.playing) return this.pause();
    if (!this.run) return undefined;
    this.playing = true;
    [this.owed, this.before] = [1, performance.now()];
    this.namePlayer("❚❚", "Pause");
    requestAnimationFrame(() => this.frame());
    return undefined;
  }

  pause() {
    const played = this.playing;
    this.playing = false;
    if (played) this.showAll();
    this.namePlayer("▶", "Train");
  }

  /** @param {string} sign @param {string} word */
  namePlayer(sign, word) {
    this.player?.replaceChildren(element("span", { "aria-hidden": true, text: `${sign} ` }), word);
  }

  /** A slice of training, then, from time to time, one of the pictures. */
  frame() {
    const { run } = this;
    if (!this.playing || !run) return;
    const now = performance.now();
    this.owed = Math.min(this.owed + ((now - this.before) / 1000) * this.pace, this.pace); // not more than a second's
    this.before = now;
    const before = run.steps;
    if (this.owed >= 1) run.stepFor(SLICE, Math.floor(this.owed));
    this.owed -= run.steps - before;
    this.showCount();
    if (performance.now() > this.due) {
      const shows = [() => this.showField(), () => this.showNet(), () => this.showLosses()];
      shows[this.turn]();
      this.turn = (this.turn + 1) % shows.length;
      this.due = performance.now() + EVERY / shows.length;
    }
    if (run.diverged) this.pause();
    else requestAnimationFrame(() => this.frame());
  }

  step() {
    this.pause();
    if (!this.run || this.run.diverged) return;
    this.run.step();
    this.showAll();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || target.closest?.("input, select, textarea, button, [role=button]")) return;
    if (event.key !== " " && event.key !== "s") return;
    event.preventDefault();
    if (event.key === " ") this.play();
    else this.step();
  }

  // ---- pictures ----

  showAll() {
    const { run, settings } = this;
    const rows = run?.data ?? { train: { ...settings.own, targets: [] }, heldOut: { points: [], labels: [], targets: [] } };
    const points = [...rows.train.points, ...rows.heldOut.points];
    this.field.showPoints(rows.train, rows.heldOut, settings.data === OWN ? planeAround([...points, [-1, -1], [1, 1]]) : planeAround(points));
    if (run && this.built !== run) this.net.build(run);
    this.built = run;
    this.showField();
    this.showNet();
    this.showLosses();
    this.showCount();
  }

  showCount() {
    if (this.count) this.count.textContent = this.run ? `step ${this.run.steps.toLocaleString("en")} · epoch ${this.run.epoch.toLocaleString("en")}` : "";
  }

  /** The scale of the field's colours: a score, or a neuron's number. */
  scale() {
    if (this.looked[0] > 0 && this.numbers) return byLargest(this.numbers);
    return this.settings.loss === "binary_cross_entropy" ? (/** @type {number} */ x) => Math.tanh(x / 2) : (/** @type {number} */ x) => Math.tanh(1.5 * x);
  }

  showField() {
    const { run } = this;
    if (!run) return this.field.showMap(new Float64Array(4), () => 0, null);
    const grid = gridOf(this.field.plane, this.playing ? sideFor(run) : SIDE);
    const [l, n] = this.looked;
    const layers = run.activations(grid);
    const isScore = l < 0 || l === layers.length;
    this.numbers = isScore ? layers[layers.length - 1][0] : l === 0 ? grid.filter((_, k) => k % 2 === n) : layers[l - 1][n];
    this.field.showMap(this.numbers, l === 0 ? byLargest(this.numbers) : this.scale(), isScore ? run.middle : null);
    if (this.shown) this.shown.textContent = isScore ? "Colour: the score of the net. The line is the border. Circles are class 0, diamonds class 1; hollow ones are held out. Click a point: its graph." : `Colour: what ${l === 0 ? `x${n + 1}` : `neuron h${l}.${n + 1}`} gives.`;
    return undefined;
  }

  showNet() {
    const { run } = this;
    if (!run) return;
    const grid = gridOf(this.field.plane, SMALL);
    const inputs = [0, 1].map((i) => grid.filter((_, k) => k % 2 === i));
    this.net.showMaps([inputs, ...run.activations(grid)]);
    this.net.showWeights(run.parameters);
  }

  showLosses() {
    const { run } = this;
    if (!run) return;
    const [train, held] = [run.evaluate("train"), run.evaluate("heldOut")];
    if (!train) return;
    this.curve.add({ step: run.steps, train: train.loss, held: held?.loss ?? null });
    this.curve.show(train, held);
    this.say(remarkOn(run, this.curve.history));
  }

  /** @param {number} l @param {number} n */
  look(l, n) {
    this.looked = [l, n];
    this.showField();
  }

  /** Opens the graph of a point. @param {number} index @param {boolean} held */
  pick(index, held) {
    const { run } = this;
    if (!run) return;
    this.pause();
    const rows = held ? run.data.heldOut : run.data.train;
    const [x1, x2] = rows.points[index];
    openStepper(storyOf(run, { x1, x2, label: rows.labels[index], target: rows.targets[index] }, this.library.symbols), operations);
  }

  /** @param {string} words */
  say(words) {
    if (this.said && this.said.textContent !== words) this.said.textContent = words;
  }

  /** @param {string} words */
  warn(words) {
    if (!this.alarm) return;
    this.alarm.textContent = words;
    this.alarm.hidden = !words;
  }
}

/** How many points a side the field has while a net trains: fewer for a large one. @param {import("./run.js").Run} run */
function sideFor({ graph }) {
  const operands = graph.nodes.reduce((total, node) => total + node.operands.length, 0);
  return Math.min(SIDE, Math.max(20, Math.floor(Math.sqrt(FIELD_WORK / operands))));
}

/** @param {string} address */
function writeAddress(address) {
  try {
    history.replaceState(null, "", address);
  } catch {
    location.hash = address; // in an iframe's srcdoc
  }
}

/** What the focused element within another is called. @param {HTMLElement} within */
function focusedName(within) {
  const { activeElement } = document;
  return activeElement instanceof HTMLElement && within.contains(activeElement) ? nameOf(activeElement) : null;
}

/** @param {Element} found */
const nameOf = (found) => found.getAttribute("aria-label") ?? found.closest("label")?.firstElementChild?.textContent ?? null;

/** @param {string | null} name @param {...HTMLElement} within */
function refocus(name, ...within) {
  if (name === null) return;
  const found = within.flatMap((part) => [...part.querySelectorAll("button, input, select")]).find((part) => nameOf(part) === name);
  /** @type {HTMLElement | undefined} */ (found)?.focus();
}

try {
  new Playground(JSON.parse(document.getElementById("data")?.textContent ?? ""));
} catch (error) {
  document.body.append(element("p", { class: "banner", role: "alert", text: `This page cannot be shown: ${error instanceof Error ? error.message : error}` }));
  throw error;
}

// @ts-check
// The page: a graph, its timeline and its source, and what a reader does with them.

import { calculated, edited, nudged, readNumbers, turned } from "./editing.js";
import { button, element } from "./elements.js";
import "./graph-view.js";
import { Lab } from "./lab.js";
import { brief, short } from "./numbers.js";
import { details, lab, predictions, training } from "./panels.js";
import { drawn, nodesOf, rootsOf } from "./picture.js";
import { Quiz } from "./quiz.js";
import "./source-view.js";
import { Timeline } from "./state.js";
import { Teller } from "./telling.js";

const KEYS = "space: play · → ←: step · n p: next, last deposit · Home End · s l: start of backward, end";
const NARROW = 700; // on narrower screens edges run downwards
const PAUSE = 900; // milliseconds between two events while playing

/** @typedef {import("./recording.js").Recording} Recording */

export class App {
  /**
   * @param {HTMLElement} host
   * @param {Recording} recording
   * @param {any} operations what the engine knows of operations
   * @param {{event: number, words: string} | null} mistake the first of another engine: the page begins there
   */
  constructor(host, recording, operations, mistake) {
    this.host = host;
    this.program = recording; // what the program did
    this.recording = recording; // what is shown: the same, or with other numbers
    this.operations = operations;
    this.roots = rootsOf(recording);
    this.root = this.roots[this.roots.length - 1];
    this.leaves = new Map();
    /** @type {number[]} */
    this.opened = []; // nodes whose boxes were opened, in this order
    this.position = 0;
    this.picked = -1;
    this.panel = "source";
    this.trained = Math.max(0, recording.training.steps.length - 1);
    this.quiz = new Quiz(this);
    this.lab = new Lab(this);
    this.nudge_ = { node: -1, text: "" };
    /** @type {number[]} the nodes that are looked at */
    this.shown = [];
    /** @type {number[]} the events that are about them, by index */
    this.steps = [];
    this.teller = new Teller(recording);
    this.timeline = new Timeline(recording);
    this.down = false;
    /** @type {ReturnType<typeof setInterval> | 0} */
    this.playing = 0;
    this.build();
    this.look();
    this.go(this.positionInAddress() ?? (mistake ? this.steps.filter((i) => i <= mistake.event).length : 0), false);
    if (mistake && this.banner) {
      this.banner.textContent = `The first mistake of this engine: ${mistake.words}.`;
      this.banner.hidden = false;
    }
  }

  get canEdit() {
    return this.shown.every((node) => this.program.nodes[node].op < 0 || this.program.operations[this.program.nodes[node].op].name in this.operations);
  }

  // ---- what is shown ----

  build() {
    this.graph = /** @type {import("./graph-view.js").GraphView} */ (document.createElement("chainrule-graph"));
    this.source = /** @type {import("./source-view.js").SourceView} */ (document.createElement("chainrule-source"));
    this.graph.addEventListener("pick", (event) => this.pick(/** @type {CustomEvent} */ (event).detail));
    this.graph.addEventListener("open", (event) => this.open(/** @type {CustomEvent} */ (event).detail));
    this.graph.addEventListener("close", () => this.close());
    this.graph.addEventListener("hover", (event) => this.hovered(/** @type {CustomEvent} */ (event).detail));
    this.sentence = element("p", { class: "sentence", role: "status", "aria-live": "polite" });
    this.count = element("span", { class: "count" });
    this.slider = /** @type {HTMLInputElement} */ (element("input", { type: "range", min: 0, value: 0, step: 1, "aria-label": "the timeline", oninput: () => this.go(Number(this.slider?.value)) }));
    this.player = button("▶", "play", () => this.play(), { class: "main" });
    this.side = element("div", { class: "panel", id: "panel", role: "tabpanel", tabindex: 0 });
    this.tabs = element("div", { class: "tabs", role: "tablist", "aria-label": "what is beside the graph" });
    this.banner = element("p", { class: "banner", role: "alert", hidden: true });
    const controls = element(
      "div",
      { class: "controls", role: "group", "aria-label": "go through the events" },
      button("«", "to the start", () => this.go(0)),
      button("‹", "one event back", () => this.go(this.position - 1)),
      this.player,
      button("›", "one event on", () => this.go(this.position + 1)),
      button("»", "to the end", () => this.go(this.steps.length)),
      this.slider,
      this.count,
    );
    const passes = this.roots.length > 1 ? [this.chooser()] : [];
    const said = [...this.program.engine.said, ...droppedWords(this.program.dropped)];
    this.host.replaceChildren(
      element("header", {}, element("h1", { text: this.program.title || "Backpropagation, step by step" }), ...passes),
      element("main", {}, element("div", { class: "stage" }, this.banner, this.graph), element("aside", { "aria-label": "beside the graph" }, this.tabs, this.side)),
      element("footer", {}, this.sentence, controls, element("p", { class: "hint keys", text: [KEYS, ...said].join(" · ") })),
    );
    document.addEventListener("keydown", (event) => this.pressed(event));
    window.addEventListener("resize", () => this.resized());
    window.addEventListener("hashchange", () => this.go(this.positionInAddress() ?? this.position, false));
  }

  chooser() {
    const select = /** @type {HTMLSelectElement} */ (
      element(
        "select",
        { "aria-label": "which backward pass", onchange: () => this.choose(this.roots[Number(select.value)]) },
        ...this.roots.map((root, i) => element("option", { value: i, selected: root === this.root, text: `backward pass ${i + 1} of ${this.roots.length}` })),
      )
    );
    return select;
  }

  /** @param {number} root */
  choose(root) {
    this.root = root;
    this.opened = [];
    this.recording = this.program;
    this.look();
    this.go(0);
  }

  /** Takes what is shown in: the nodes, their picture, the events that are about them. */
  look() {
    this.shown = nodesOf(this.program, this.root);
    this.teller = new Teller(this.recording);
    this.timeline = new Timeline(this.recording);
    const isShown = new Set(this.shown);
    this.steps = this.recording.events.map((_, i) => i).filter((i) => isShown.has(this.recording.events[i].node));
    this.draw();
    this.source?.show(this.program, this.shown, (node) => this.hovered(node));
    if (this.slider) this.slider.max = String(this.steps.length);
    this.listTabs();
  }

  draw() {
    this.down = innerWidth < NARROW;
    this.graph?.show(drawn(this.recording, this.shown, this.root, this.teller.names, this.opened, this.down), this.teller.names);
  }

  /** On a screen that was turned, edges run the other way. */
  resized() {
    if (this.down !== innerWidth < NARROW) {
      this.draw();
      this.render(false);
    }
  }

  /** The events that have happened. */
  get happened() {
    return this.steps.slice(0, this.position).map((i) => this.recording.events[i]);
  }

  get event() {
    return this.position ? this.recording.events[this.steps[this.position - 1]] : null;
  }

  get state() {
    return this.timeline.at(this.position ? this.steps[this.position - 1] + 1 : 0);
  }

  /** Goes to a position: so many events have happened. @param {number} position @param {boolean} [moves] */
  go(position, moves = true) {
    const next = Math.min(this.steps.length, Math.max(0, position));
    const isNext = next === this.position + 1;
    this.position = next;
    this.render(moves && isNext);
    const address = `#event=${next}`;
    if (location.hash !== address && (next || location.hash)) location.hash = address; // replaceState fails in srcdoc
  }

  /** @param {boolean} moves whether a deposit travels */
  render(moves) {
    const { event } = this;
    const state = this.state;
    const note = event ? noteOf(event) : "";
    const wrong = new Set(this.lab.wrong >= 0 && this.position > this.lab.wrong ? [this.lab.node] : []);
    this.graph?.update({ data: state.data, gradients: state.gradients, locals: (node) => this.recording.nodes[node].locals, event, note, moves, wrong });
    if (this.sentence) this.sentence.textContent = event ? this.teller.sentence(event) : "Nothing has happened yet: step on, or press play.";
    if (this.slider) this.slider.value = String(this.position);
    if (this.count) this.count.textContent = `${this.position} / ${this.steps.length}`;
    this.renderPanel();
    this.source?.light(this.placeOf(event)); // once it is there, so that it scrolls
  }

  /** @param {import("./recording.js").RecordedEvent | null} event */
  placeOf(event) {
    if (!event) return null;
    return event.place ?? this.program.nodes[event.giver ?? event.node].place;
  }

  /** @param {number | null} node */
  hovered(node) {
    if (node === null) {
      this.source?.light(this.placeOf(this.event));
      return;
    }
    this.source?.light(this.program.nodes[node].place);
    this.graph?.querySelectorAll(".hovered").forEach((x) => x.classList.remove("hovered"));
    const card = this.graph?.picture?.cardOf.get(node);
    if (card !== undefined) this.graph?.boxes?.[card].group.classList.add("hovered");
  }

  // ---- panels ----

  listTabs() {
    const names = { source: "Source", details: "Number", predict: "Predict", lab: "Bug lab", ...(this.program.training.steps.length > 1 ? { training: "Training" } : {}) };
    this.tabs?.replaceChildren(
      ...Object.entries(names).map(([key, text]) =>
        element("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-selected": this.panel === key, "aria-controls": "panel", tabindex: this.panel === key ? 0 : -1, onclick: () => this.openPanel(key), onkeydown: (/** @type {KeyboardEvent} */ event) => this.alongTabs(event, Object.keys(names)) }, text),
      ),
    );
    this.side?.setAttribute("aria-labelledby", `tab-${this.panel}`);
  }

  /** @param {KeyboardEvent} event @param {string[]} keys */
  alongTabs(event, keys) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.stopPropagation();
    this.openPanel(keys[(keys.indexOf(this.panel) + by + keys.length) % keys.length]);
    document.getElementById(`tab-${this.panel}`)?.focus();
  }

  /** @param {string} panel */
  openPanel(panel) {
    if (this.panel === "lab" && panel !== "lab" && this.lab.bug) this.lab.breakIt("", "");
    this.panel = panel;
    this.listTabs();
    this.render(false);
  }

  renderPanel() {
    if (!this.side || !this.source) return;
    const focused = document.activeElement instanceof HTMLElement && this.side.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const node = this.picked >= 0 ? this.picked : this.root;
    if (this.panel === "source") {
      if (this.source.parentElement !== this.side) this.side.replaceChildren(this.source);
      return;
    }
    const content = { details: () => details(this, node), predict: () => predictions(this), lab: () => lab(this), training: () => training(this) };
    this.side.replaceChildren(...content[/** @type {"details" | "predict" | "lab" | "training"} */ (this.panel)]());
    if (focused) /** @type {HTMLElement | undefined} */ ([...this.side.querySelectorAll("[aria-label]")].find((x) => x.getAttribute("aria-label") === focused))?.focus();
  }

  /** @param {number} node */
  pick(node) {
    this.picked = node;
    this.openPanel(this.panel === "training" ? "training" : "details");
  }

  /** @param {number} node */
  open(node) {
    this.opened.push(node);
    this.draw();
    this.render(false);
  }

  /** Folds all that was opened. */
  close() {
    this.opened = [];
    this.draw();
    this.render(false);
  }

  // ---- other numbers ----

  /** @param {number} node */
  leafNumber(node) {
    return this.leaves.get(node) ?? this.program.nodes[node].data;
  }

  /** Gives a leaf another number, and calculates all anew. @param {number} node @param {number} number @param {boolean} [jumps] */
  edit(node, number, jumps = true) {
    if (!Number.isFinite(number)) return;
    this.leaves.set(node, number);
    this.recalculate();
    this.go(jumps ? this.steps.length : Math.min(this.position, this.steps.length), false);
  }

  recalculate() {
    const numbers = calculated(this.program, this.leaves, this.operations);
    this.recording = edited(this.program, this.shown, this.root, numbers, this.seed);
    this.look();
    this.warn(numbers.data);
  }

  get seed() {
    const began = this.program.events.filter((event) => event.kind === "began" && event.node === this.root);
    return began[began.length - 1]?.seed ?? 1;
  }

  /** Says where the program would go another way. @param {number[]} data */
  warn(data) {
    if (!this.banner) return;
    const other = turned(this.program, data);
    const read = readNumbers(this.program, data);
    const line = (/** @type {any} */ event) => (event.place ? ` in line ${event.place.line}` : "");
    const words = other.length
      ? `No longer your program: with these numbers Python would go the other way${line(other[0])}, since ${this.teller.names[other[0].node]} turns ${other[0].answer ? "false" : "true"}.`
      : read.length
        ? `Your program read the number of ${this.teller.names[read[0].node]}${line(read[0])}: what it did with it is not calculated anew.`
        : "";
    this.banner.textContent = words;
    this.banner.hidden = !words;
    this.host.classList.toggle("other", Boolean(other.length));
  }

  /** @param {number} node */
  nudge(node) {
    const h = 1e-4;
    const { slope } = nudged(this.program, this.leaves, node, this.root, h, this.operations);
    const grads = new Timeline(edited(this.program, this.shown, this.root, calculated(this.program, this.leaves, this.operations), 1));
    const { state, number } = grads.at(grads.length).gradients[node];
    const name = this.teller.names[node];
    this.nudge_ = { node, text: `(f(${name} + ${h}) − f(${name})) / ${h} = ${short(slope)}; by the chain rule ${state === "a number" ? short(number) : `${state}, so 0`}` };
    this.renderPanel();
  }

  /** @param {number} node */
  nudgedText(node) {
    return this.nudge_.node === node ? this.nudge_.text : "";
  }

  undo() {
    this.leaves.clear();
    this.recording = this.program;
    if (this.banner) this.banner.hidden = true;
    this.host.classList.remove("other");
    this.look();
    this.go(this.position, false);
  }

  // ---- training ----

  /** @param {number} step */
  train(step) {
    this.trained = step;
    const { parameters, numbers } = this.program.training;
    this.leaves = new Map(parameters.map((node, i) => [node, numbers[step][i]]));
    if (!this.canEdit) return this.renderPanel();
    this.recalculate();
    return this.go(this.steps.length, false);
  }

  // ---- time ----

  play() {
    if (this.playing) {
      clearInterval(this.playing);
      this.playing = 0;
    } else {
      if (this.position >= this.steps.length) this.go(0);
      this.playing = setInterval(() => {
        this.go(this.position + 1);
        if (this.position >= this.steps.length) this.play();
      }, PAUSE);
    }
    if (this.player) {
      this.player.textContent = this.playing ? "❚❚" : "▶";
      this.player.setAttribute("aria-label", this.playing ? "pause" : "play");
    }
  }

  /** The next position with an event of some kinds. @param {number} by 1 or -1 @param {string[]} kinds */
  jump(by, kinds) {
    let k = this.position + by;
    while (k > 0 && k < this.steps.length && !kinds.includes(this.recording.events[this.steps[k - 1]].kind)) k += by;
    this.go(k);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest?.("input, select, textarea")) return;
    if (event.key === " " && target.closest?.("button, [role=button], [role=tab]")) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      " ": () => this.play(),
      ArrowRight: () => this.go(this.position + 1),
      ArrowLeft: () => this.go(this.position - 1),
      Home: () => this.go(0),
      End: () => this.go(this.steps.length),
      n: () => this.jump(1, ["deposit", "nothing"]),
      p: () => this.jump(-1, ["deposit", "nothing"]),
      s: () => this.go(this.steps.findIndex((i) => this.recording.events[i].kind === "began") + 1),
      l: () => this.go(this.steps.length),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }

  positionInAddress() {
    const found = /(?:^#|&)event=(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) : null;
  }
}

/** @param {Record<string, number>} dropped */
function droppedWords({ passes, nodes, compiled_steps: steps }) {
  const words = [];
  if (passes) words.push(`${passes} earlier backward passes are not kept`);
  if (nodes) words.push(`${nodes} nodes are not kept`);
  if (steps) words.push(`${steps} training steps ran in native code, unrecorded`);
  return words;
}

/** What the edge of a deposit says. @param {import("./recording.js").RecordedEvent} event */
function noteOf({ kind, said, local, upstream = 0, product }) {
  if (kind !== "deposit" || product === null || product === undefined) return "";
  return said ? brief(product) : `${brief(Number(local))} × ${brief(upstream)} = ${brief(product)}`;
}

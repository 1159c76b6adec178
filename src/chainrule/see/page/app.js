// @ts-check
// The page: a graph, its timeline and its source, and what a reader does with them.

import { element, replaced } from "./elements.js";
import "./graph-view.js";
import { Lab } from "./lab.js";
import { brief } from "./numbers.js";
import { details, lab, predictions, training } from "./panels.js";
import { drawn, nodesOf, rootsOf } from "./picture.js";
import { Quiz } from "./quiz.js";
import "./source-view.js";
import { Timeline } from "./state.js";
import { Teller } from "./telling.js";
import { TimelineBar } from "./timeline-bar.js";
import { Trial } from "./trial.js";

const HINT = "space: play · → ←: step · n p: from deposit to deposit · ?: all keys";
const NARROW = 700; // on narrower screens edges run downwards
const BESIDE = 1100; // on wider ones the source stays beside the graph, above the panels
const GAIN = 1.2; // a graph runs downwards if that makes it so many times as large
const FEW = 60; // of larger graphs only one way is tried

/** @typedef {import("./recording.js").Recording} Recording */

export class App {
  /**
   * @param {HTMLElement} host
   * @param {Recording} recording
   * @param {any} operations what the engine knows of operations
   * @param {{event: number, words: string} | null} mistake the first of another engine: the page begins there
   * @param {{inAddress?: boolean, signal?: AbortSignal}} [place] whether the position stands in the address; what ends the page
   */
  constructor(host, recording, operations, mistake, { inAddress = true, signal } = {}) {
    this.host = host;
    this.inAddress = inAddress;
    this.signal = signal;
    this.own = recording; // of the program that the page is about
    this.program = recording; // what the program did: that one, or a small one of the lab
    this.recording = recording; // what is shown: the same, or with other numbers
    this.operations = operations;
    this.roots = rootsOf(recording);
    this.root = this.roots[this.roots.length - 1];
    /** @type {number[]} */
    this.opened = []; // nodes whose boxes were opened, in this order
    this.position = 0;
    this.picked = -1;
    this.panel = innerWidth < BESIDE ? "source" : "details";
    this.trained = Math.max(0, recording.training.steps.length - 1);
    this.trial = new Trial(this);
    this.quiz = new Quiz(this);
    this.lab = new Lab(this);
    /** @type {{program: Recording | null, root: number}} whose nodes are shown */
    this.graphOf = { program: null, root: -1 };
    /** @type {number[]} the nodes that are looked at */
    this.shown = [];
    /** @type {number[]} the events that are about them, by index */
    this.steps = [];
    this.teller = new Teller(recording);
    this.timeline = new Timeline(recording);
    this.down = false;
    this.build();
    this.look();
    this.go(this.bar?.positionInAddress() ?? (mistake ? this.steps.filter((i) => i <= mistake.event).length : 0), false);
    if (mistake && this.banner) {
      this.banner.textContent = `The first mistake of this engine: ${mistake.words}.`;
      this.banner.hidden = false;
    }
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
    this.side = element("div", { class: "panel", id: "panel", role: "tabpanel", tabindex: 0 });
    this.tabs = element("div", { class: "tabs", role: "tablist", "aria-label": "what is beside the graph" });
    this.banner = element("p", { class: "banner", role: "alert", hidden: true });
    const passes = this.roots.length > 1 ? [this.chooser()] : [];
    const said = [...this.program.engine.said, ...droppedWords(this.program.dropped)];
    this.bar = new TimelineBar(this, said);
    this.beside = element("section", { class: "beside", "aria-label": "the source" });
    this.host.replaceChildren(
      element("header", {}, element("h1", { text: this.program.title || "Backpropagation, step by step" }), ...passes),
      element("main", {}, element("div", { class: "stage" }, this.banner, this.graph), element("aside", { "aria-label": "beside the graph" }, this.beside, this.tabs, this.side)),
      element("footer", {}, this.sentence, this.bar.controls, element("p", { class: "hint keys", text: HINT }), ...(said.length ? [element("p", { class: "hint said-of", text: said.join(" · ") })] : [])),
      this.bar.help,
    );
    window.addEventListener("resize", () => this.resized(), { signal: this.signal });
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
    this.forget();
    this.look();
    this.go(0);
  }

  /** Shows another recording; null for the program's own again. @param {Recording | null} recording */
  visit(recording) {
    this.program = recording ?? this.own;
    this.roots = rootsOf(this.program);
    this.choose(this.roots[this.roots.length - 1]);
  }

  /** Shows the same graph with the numbers that Python has now. @param {Recording} recording */
  take(recording) {
    const { position, picked, root } = this;
    [this.own, this.program, this.roots] = [recording, recording, rootsOf(recording)];
    this.root = this.roots.includes(root) ? root : this.roots[this.roots.length - 1];
    const { opened } = this;
    this.forget();
    [this.picked, this.opened] = [picked, opened];
    this.look();
    this.go(Math.min(position, this.steps.length), false);
  }

  get isVisiting() {
    return this.program !== this.own;
  }

  /** Takes back all that a reader did. */
  forget() {
    this.recording = this.program;
    this.opened = [];
    this.picked = -1;
    this.trial.forget();
    this.quiz.leave();
    this.lab.leave();
    this.say("");
  }

  /** Takes what is shown in: the nodes, their picture, the events that are about them. */
  look() {
    if (this.graphOf.program !== this.program || this.graphOf.root !== this.root) {
      this.graphOf = { program: this.program, root: this.root };
      this.shown = nodesOf(this.program, this.root); // the same list as long as it is the same graph: it is folded once
    }
    this.teller = new Teller(this.recording);
    this.timeline = new Timeline(this.recording);
    const isShown = new Set(this.shown);
    this.steps = this.recording.events.map((_, i) => i).filter((i) => isShown.has(this.recording.events[i].node));
    this.draw();
    this.source?.show(this.program, this.shown, (node) => this.hovered(node));
    this.bar?.look();
    this.listTabs();
  }

  draw() {
    const one = (/** @type {boolean} */ down) => drawn(this.recording, this.shown, this.root, this.teller.names, this.opened, down);
    const { width = 0, height = 0 } = this.graph?.getBoundingClientRect() ?? {};
    const size = (/** @type {import("./picture.js").Picture} */ picture) => Math.min(width / picture.width, height / picture.height);
    let picture = one(innerWidth < NARROW);
    if (!picture.down && width && this.shown.length <= FEW) {
      const other = one(true);
      if (size(other) > GAIN * size(picture) && size(picture) < 1.6) picture = other;
    }
    this.down = picture.down;
    this.graph?.show(picture, this.teller.names);
  }

  /** On a screen that was turned, edges may run the other way, and the source stand elsewhere. */
  resized() {
    this.draw();
    this.listTabs();
    this.render(false);
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
  }

  /** @param {boolean} moves whether a deposit travels */
  render(moves) {
    const { event } = this;
    const state = this.state;
    const note = event ? noteOf(event) : "";
    const wrong = new Set(this.panel === "lab" ? this.lab.differing(this.position).map(({ node }) => node) : []);
    const lit = this.panel === "predict" ? this.quiz.lit(event) : event;
    this.graph?.update({ data: state.data, gradients: state.gradients, locals: (node) => this.recording.nodes[node].locals, event: lit, note: lit === event ? note : "", moves, wrong });
    const picked = this.graph?.picture?.cardOf.get(this.picked);
    this.graph?.boxes?.forEach(({ group }, i) => group.classList.toggle("picked", i === picked));
    if (this.sentence) this.sentence.textContent = event ? this.teller.sentence(event) : "Nothing has happened yet: step on, or press play.";
    this.bar?.update();
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
    this.graph?.querySelectorAll(".hovered").forEach((x) => x.classList.remove("hovered"));
    if (node === null) {
      this.source?.light(this.placeOf(this.event));
      return;
    }
    this.source?.light(this.program.nodes[node].place);
    const card = this.graph?.picture?.cardOf.get(node);
    if (card !== undefined) this.graph?.boxes?.[card].group.classList.add("hovered");
  }

  // ---- panels ----

  listTabs() {
    const isBeside = innerWidth >= BESIDE && Boolean(this.source?.lines.size);
    if (this.beside && this.source && isBeside !== this.beside.contains(this.source)) this.beside.replaceChildren(...(isBeside ? [this.source] : []));
    if (this.beside) this.beside.hidden = !isBeside;
    if (isBeside && this.panel === "source") this.panel = "details";
    const names = { ...(isBeside ? {} : { source: "Source" }), details: "Number", predict: "Predict", lab: "Bug lab", ...(this.program.training.steps.length > 1 ? { training: "Training" } : {}) };
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
    const leaves = this.panel === "lab" && panel !== "lab" && this.lab.bug;
    this.panel = panel;
    if (leaves) this.lab.breakIt("", "");
    this.listTabs();
    this.render(false);
  }

  renderPanel() {
    if (!this.side || !this.source) return;
    const focused = document.activeElement instanceof HTMLElement && this.side.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const node = this.picked >= 0 ? this.picked : (this.event?.node ?? this.root);
    if (this.panel === "source") {
      if (this.source.parentElement !== this.side) this.side.replaceChildren(this.source);
      return;
    }
    const content = { details: () => details(this, node), predict: () => predictions(this), lab: () => lab(this), training: () => training(this) };
    replaced(this.side, content[/** @type {"details" | "predict" | "lab" | "training"} */ (this.panel)]());
    if (focused && !this.side.contains(document.activeElement)) /** @type {HTMLElement | undefined} */ ([...this.side.querySelectorAll("[aria-label]")].find((x) => x.getAttribute("aria-label") === focused))?.focus();
  }

  /** @param {number} node */
  pick(node) {
    this.picked = node;
    this.openPanel(this.panel === "training" ? "training" : "details");
  }

  /** Shows the number of the present event again. */
  follow() {
    this.picked = -1;
    this.render(false);
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

  get seed() {
    return this.program.events.findLast(({ kind, node }) => kind === "began" && node === this.root)?.seed ?? 1;
  }

  /** Shows words above the graph; "" for none. @param {string} words @param {boolean} [isOther] whether the numbers are not the program's */
  say(words, isOther = false) {
    if (this.banner) {
      this.banner.textContent = words;
      this.banner.hidden = !words;
    }
    this.host.classList.toggle("other", isOther);
  }

  undo() {
    const { picked } = this;
    this.forget();
    this.picked = picked;
    this.look();
    this.go(this.position, false);
  }

  // ---- training ----

  /** @param {number} step */
  train(step) {
    this.trained = step;
    const { parameters, numbers } = this.program.training;
    this.trial.leaves = new Map(parameters.map((node, i) => [node, numbers[step][i]]));
    if (!this.trial.canEdit) return this.renderPanel();
    this.trial.edits++;
    this.trial.recalculate();
    return this.go(this.steps.length, false);
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

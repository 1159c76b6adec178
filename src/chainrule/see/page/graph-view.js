// @ts-check
// The graph: boxes with number and gradient, edges with local derivatives, and the deposit that is on its way.

import { button, drawing, element, wantsLittleMotion } from "./elements.js";
import { brief, spanOf } from "./numbers.js";
import { ROW } from "./picture.js";
import { IS_CONSTANT, NOT_REACHED, NOTHING_CAME, NUMBER } from "./state.js";
import { Viewport } from "./viewport.js";
import { textWidth } from "./widths.js";

const TRAVEL = 650; // milliseconds that a deposit is on its way
const NOTE_ROOM = 120; // a longer note takes two lines

/**
 * @typedef {object} Moment what the graph shows
 * @property {(number | null)[]} data
 * @property {import("./state.js").Gradient[]} gradients
 * @property {(node: number) => (number | null)[]} locals
 * @property {import("./recording.js").RecordedEvent | null} event the present event
 * @property {string} note what the edge of a deposit says
 * @property {boolean} moves whether a deposit travels
 * @property {Set<number>} wrong nodes that differ from a right engine's
 */

export class GraphView extends HTMLElement {
  constructor() {
    super();
    /** @type {import("./picture.js").Picture | null} */
    this.picture = null;
    /** @type {string[]} */
    this.names = [];
    this.focused = 0;
    /** @type {Moment | null} */
    this.last = null;
  }

  connectedCallback() {
    if (this.svg) return;
    const label = "the graph: arrow keys move it, plus and minus zoom, 0 shows all of it";
    this.svg = drawing("svg", { class: "graph", role: "group", tabindex: 0, "aria-label": label });
    const viewport = new Viewport(this.svg, () => this.picture);
    this.viewport = viewport;
    this.close = button("fold", "fold what was opened", () => this.dispatchEvent(new CustomEvent("close")), { hidden: true });
    this.find = /** @type {HTMLInputElement} */ (
      element("input", { type: "search", placeholder: "find a number", "aria-label": "find a number by its name", onchange: () => this.search(this.find?.value ?? "") })
    );
    const tools = element(
      "div",
      { class: "tools", role: "group", "aria-label": "view of the graph" },
      this.close,
      button("−", "zoom out", () => viewport.zoom(1 / 1.25)),
      button("+", "zoom in", () => viewport.zoom(1.25)),
      button("fit", "show the whole graph", () => viewport.fit()),
      this.find,
    );
    this.append(this.svg, tools);
    new ResizeObserver(() => this.fit()).observe(this);
  }

  /**
   * Shows a picture.
   * @param {import("./picture.js").Picture} picture
   * @param {string[]} names
   */
  show(picture, names) {
    this.picture = picture;
    this.names = names;
    this.last = null;
    if (this.close) this.close.hidden = !picture.isOpened;
    this.focused = Math.min(this.focused, picture.cards.length - 1);
    this.lines = picture.lines.map((line) => this.lineOf(line));
    this.boxes = picture.cards.map((card, i) => this.boxOf(card, i));
    this.token = drawing("circle", { class: "token", r: 6, visibility: "hidden" });
    this.note = drawing("g", { class: "said", "aria-hidden": true });
    this.sum = drawing("g", { class: "said", "aria-hidden": true });
    this.svg?.replaceChildren(...this.lines.map(({ group }) => group), ...this.boxes.map(({ group }) => group), this.sum, this.note, this.token);
    this.fit();
  }

  /** @param {import("./picture.js").Line} line */
  lineOf(line) {
    const path = /** @type {SVGPathElement} */ (drawing("path", { class: "line", d: line.path }));
    const way = this.picture?.down ? "l-3.6 -7h7.2z" : "l-7 -3.6v7.2z";
    const tip = drawing("path", { class: "tip", d: `M${line.tip.x} ${line.tip.y}${way}` });
    const back = drawing("rect", { class: "under", y: line.label.y - 9, height: 18, rx: 6 });
    const text = drawing("text", { class: "local", x: line.label.x, y: line.label.y + 4 });
    const count = line.size > 1 ? [drawing("title", { text: `${line.size.toLocaleString("en-US")} edges` })] : [];
    const group = drawing("g", { class: line.flows ? "edge" : "edge blocked" }, ...count, path, tip, back, text);
    return { group, path, text, back };
  }

  /** @param {import("./picture.js").Card} card @param {number} i */
  boxOf(card, i) {
    const many = card.box.places.length > 1;
    const { x, y, width, height, pill } = card;
    const top = ROW + (card.caption ? 12 : 0);
    const half = width / 2;
    const heading = drawing("text", { class: "small", x: half + 9, y: top + 12, text: "gradient" });
    const title = drawing("title"); // its name for those who do not see it, too
    const number = drawing("text", { class: "number", x: 9, y: top + 27 });
    const grad = drawing("text", { class: "number grad", x: half + 9, y: top + 27 });
    /** @type {SVGElement[]} */
    const parts = [drawing("rect", { class: "box", width, height, rx: 11 })];
    if (many) parts.unshift(drawing("rect", { class: "box behind", x: 5, y: 5, width, height, rx: 11 }));
    if (card.symbol) {
      parts.push(drawing("rect", { class: "pill", x: 5, y: 5, width: pill - 5, height: 20, rx: 10 }));
      parts.push(drawing("text", { class: "symbol", x: 5 + (pill - 5) / 2, y: 19.5, text: card.symbol }));
    }
    parts.push(drawing("text", { class: "label", x: pill + 9, y: 20, text: card.name }));
    if (card.caption) parts.push(drawing("text", { class: "small", x: 9, y: 34, text: card.caption }));
    if (!card.isConstant) {
      parts.push(drawing("path", { class: "rule", d: `M0 ${top}H${width}M${half} ${top}V${height}` }));
      parts.push(drawing("text", { class: "small", x: 9, y: top + 12, text: "number" }));
      parts.push(heading, number, grad);
    }
    const group = drawing(
      "g",
      {
        class: `node ${card.box.kind}`,
        transform: `translate(${x} ${y})`,
        role: "button",
        tabindex: i === this.focused ? 0 : -1,
        onclick: () => this.picked(i),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.pressed(event, i),
        onpointerenter: () => {
          this.dispatchEvent(new CustomEvent("hover", { detail: many ? null : card.box.places[0] }));
        },
        onpointerleave: () => this.dispatchEvent(new CustomEvent("hover", { detail: null })),
        onfocus: () => this.viewport?.reveal(card),
      },
      title,
      ...parts,
    );
    return { group, title, number, grad, heading };
  }

  /** A click or Enter: a folded box is opened, of another the node is picked. @param {number} i */
  picked(i) {
    this.moveFocus(i);
    const { places } = /** @type {import("./picture.js").Picture} */ (this.picture).cards[i].box;
    this.dispatchEvent(new CustomEvent(places.length > 1 ? "open" : "pick", { detail: places[0] }));
  }

  /** Arrow keys go along edges, and to the box above or below. @param {KeyboardEvent} event @param {number} i */
  pressed(event, i) {
    const picture = /** @type {import("./picture.js").Picture} */ (this.picture);
    const sources = picture.lines.filter((line) => line.target === i).map((line) => line.source);
    const targets = picture.lines.filter((line) => line.source === i).map((line) => line.target);
    const sorted = picture.cards.map((_, k) => k).sort((a, b) => picture.cards[a].x - picture.cards[b].x || picture.cards[a].y - picture.cards[b].y);
    const at = sorted.indexOf(i);
    /** @type {Record<string, number | undefined>} */
    const next = { ArrowLeft: sources[0], ArrowRight: targets[0], ArrowUp: sorted[at - 1], ArrowDown: sorted[at + 1] };
    if (event.key === "Enter" || event.key === " ") this.picked(i);
    else if (!(event.key in next)) return;
    else this.moveFocus(next[event.key] ?? i);
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} i */
  moveFocus(i) {
    this.boxes?.[this.focused]?.group.setAttribute("tabindex", "-1");
    this.focused = i;
    this.boxes?.[i].group.setAttribute("tabindex", "0");
    this.boxes?.[i].group.focus();
  }

  /**
   * Brings numbers, gradients and the deposit on its way up to date.
   * @param {Moment} moment
   */
  update(moment) {
    const { picture, boxes, lines } = this;
    if (!picture || !boxes || !lines) return;
    const active = moment.event ? picture.cardOf.get(moment.event.node) : undefined;
    const giving = moment.event?.giver === undefined ? undefined : picture.cardOf.get(moment.event.giver);
    const changed = picture.cards.map((card) => this.hasChanged(card, moment));
    picture.cards.forEach((card, i) => {
      const { classList } = boxes[i].group;
      if (changed[i]) this.updateBox(card, boxes[i], moment);
      classList.toggle("active", i === active || i === giving);
      classList.toggle("wrong", moment.wrong.size > 0 && card.box.places.some((node) => moment.wrong.has(node)));
    });
    picture.lines.forEach((line, i) => {
      const { text, back, group } = lines[i];
      if (changed[line.target]) {
        text.textContent = localText(line, moment);
        const room = textWidth(text.textContent, 11.5, true) + 8;
        back.setAttribute("visibility", text.textContent ? "visible" : "hidden");
        back.setAttribute("x", String(line.label.x - room / 2));
        back.setAttribute("width", String(room));
      }
      group.classList.toggle("active", this.isActive(line, moment.event));
    });
    this.last = moment;
    this.follow([active, giving]);
    this.addUp(moment);
    this.travel(moment);
  }

  /** Whether a box's numbers are others than before. @param {import("./picture.js").Card} card @param {Moment} moment */
  hasChanged({ box }, { data, gradients }) {
    const { last } = this;
    return !last || box.results.some((node) => data[node] !== last.data[node] || gradients[node] !== last.gradients[node]);
  }

  /**
   * @param {import("./picture.js").Card} card
   * @param {ReturnType<GraphView["boxOf"]>} parts
   * @param {Moment} moment
   */
  updateBox(card, { group, title, number, grad, heading }, moment) {
    const { places, results } = card.box;
    const made = results.flatMap((node) => moment.data[node] ?? []);
    const said = gradientOf(results, moment);
    number.textContent = spanOf(made);
    grad.textContent = said.text;
    heading.textContent = said.heading;
    fit(number, card.width / 2);
    fit(grad, card.width / 2);
    group.classList.toggle("unmade", !made.length);
    grad.classList.toggle("waiting", !said.isNumber);
    const name = places.length === 1 ? this.names[places[0]] : `${card.name}, ${places.length.toLocaleString("en-US")} nodes`;
    const how = card.symbol ? `, made by ${card.symbol}` : "";
    title.textContent = `${name}${how}: number ${number.textContent || "not made yet"}, gradient ${said.words}${places.length > 1 ? " (a click opens it)" : ""}`;
    group.setAttribute("data-name", name);
  }

  /** Brings what the present event is about into view. @param {(number | undefined)[]} cards */
  follow(cards) {
    const all = cards.flatMap((i) => (i === undefined ? [] : [/** @type {import("./picture.js").Picture} */ (this.picture).cards[i]]));
    if (!all.length) return;
    const [x, y] = [Math.min(...all.map((card) => card.x)), Math.min(...all.map((card) => card.y))];
    const right = Math.max(...all.map((card) => card.x + card.width));
    const bottom = Math.max(...all.map((card) => card.y + card.height));
    this.viewport?.reveal({ x, y: y - 24, width: right - x, height: bottom - y + 48 });
  }

  /** Shows beside the operand what its gradient was, what came, and what it is now. @param {Moment} moment */
  addUp({ event }) {
    const i = event ? this.picture?.cardOf.get(event.node) : undefined;
    const words = event ? additionOf(event) : "";
    if (!this.picture || !this.sum) return;
    if (i === undefined || !words) {
      this.sum.replaceChildren();
      return;
    }
    const { x, y, width, height, box } = this.picture.cards[i];
    const name = box.places.length > 1 && event ? `${this.names[event.node]}: ` : "";
    this.sum.replaceChildren(...bubble([name + words], x + width / 2, this.picture.down ? y - 11 : y + height + 10, "sum"));
  }

  /** @param {import("./picture.js").Line} line @param {Moment["event"]} event */
  isActive(line, event) {
    if (!event || event.giver === undefined || !this.picture) return false;
    const ends = line.target === this.picture.cardOf.get(event.giver) && line.source === this.picture.cardOf.get(event.node);
    return ends && (line.giver < 0 || (line.giver === event.giver && line.position === event.position));
  }

  /** Lets a deposit travel along its edge, towards the inputs. @param {Moment} moment */
  travel({ event, note, moves }) {
    const { picture, lines, token } = this;
    if (!picture || !lines || !token || !this.note) return;
    const i = picture.lines.findIndex((line) => this.isActive(line, event));
    const shows = i >= 0 && event?.kind === "deposit" && Boolean(note);
    token.setAttribute("visibility", shows ? "visible" : "hidden");
    this.note.replaceChildren();
    cancelAnimationFrame(this.frame ?? 0);
    if (!shows) return;
    const { x, y } = picture.lines[i].label;
    const isLong = textWidth(note, 11.5, true) > NOTE_ROOM;
    this.note.replaceChildren(...bubble(isLong ? note.split(/ (?==)/) : [note], x, y, "note"));
    const { path } = lines[i];
    const length = path.getTotalLength();
    const place = (/** @type {number} */ part) => {
      const point = path.getPointAtLength(length * (1 - part));
      token.setAttribute("cx", String(point.x));
      token.setAttribute("cy", String(point.y));
    };
    if (!moves || wantsLittleMotion()) {
      place(1);
      return;
    }
    const start = performance.now();
    const step = (/** @type {number} */ now) => {
      const part = Math.min(1, Math.max(0, (now - start) / TRAVEL));
      place(part * part * (3 - 2 * part));
      if (part < 1) this.frame = requestAnimationFrame(step);
    };
    place(0);
    this.frame = requestAnimationFrame(step);
  }

  // ---- the view ----

  fit() {
    const { event = null } = this.last ?? {};
    const i = this.picture?.cardOf.get(event?.node ?? -1) ?? (this.picture?.cards.length ?? 0) - 1;
    const card = this.picture?.cards[i];
    if (card) this.viewport?.fit({ x: card.x + card.width / 2, y: card.y + card.height / 2 });
  }

  /** Shows the first node whose name begins so, in the middle. @param {string} text */
  search(text) {
    const wanted = text.trim().toLowerCase();
    const node = wanted ? this.names.findIndex((name, i) => name.toLowerCase().startsWith(wanted) && this.picture?.cardOf.has(i)) : -1;
    if (node < 0) return;
    const i = /** @type {number} */ (this.picture?.cardOf.get(node));
    const card = /** @type {import("./picture.js").Picture} */ (this.picture).cards[i];
    const scale = Math.max(this.viewport?.view.scale ?? 1, 0.9);
    this.viewport?.centre(card.x + card.width / 2, card.y + card.height / 2, scale);
    this.moveFocus(i);
  }
}

/** What an edge says: the local derivatives of the results that are made. @param {import("./picture.js").Line} line @param {Moment} moment */
function localText({ uses, flows }, { data, locals }) {
  const known = [];
  for (let i = 0; flows && i < uses.length; i += 2) {
    const local = data[uses[i]] === null ? null : locals(uses[i])[uses[i + 1]];
    if (local !== null && local !== undefined) known.push(local);
  }
  return spanOf(known);
}

/** What a gradient was, what came to it, and what it is. @param {import("./recording.js").RecordedEvent} event */
function additionOf({ kind, before, product, after, sum, aside }) {
  const sumOfTwo = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ c) =>
    `${brief(a)} + ${b < 0 ? `(${brief(b)})` : brief(b)} = ${brief(c)}`;
  if (kind === "deposit" && after !== undefined && before !== undefined) {
    return product === null || product === undefined || !Object.is(before + product, after) ? `${brief(before)} → ${brief(after)}` : sumOfTwo(before, product, after);
  }
  if (kind === "added_back" && after !== undefined) return sumOfTwo(sum ?? 0, aside ?? 0, after);
  return "";
}

/** Lines of text on a ground. @param {string[]} texts @param {number} x the middle @param {number} y @param {string} name */
function bubble(texts, x, y, name) {
  const width = Math.max(...texts.map((text) => textWidth(text, 11.5, true))) + 12;
  const height = 15 * texts.length + 5;
  return [
    drawing("rect", { class: `${name}-back`, x: x - width / 2, y: y - height / 2, width, height, rx: 7 }),
    ...texts.map((text, i) => drawing("text", { class: name, x, y: y - height / 2 + 14 + 15 * i, text })),
  ];
}

/** What a box says of its gradient. @param {number[]} nodes @param {Moment} moment */
function gradientOf(nodes, { gradients }) {
  const states = nodes.map((node) => gradients[node]);
  const reached = states.filter(({ state }) => state !== NOT_REACHED && state !== IS_CONSTANT);
  if (reached.some(({ state }) => state === NUMBER)) {
    const text = spanOf(reached.map(({ number }) => number)); // where nothing came, .grad is 0
    const isPart = reached.length < nodes.length;
    const part = `${reached.length.toLocaleString("en-US")} of ${nodes.length.toLocaleString("en-US")}`;
    return { text, words: isPart ? `${text}, which ${part} have` : text, heading: isPart ? `gradient, ${part}` : "gradient", isNumber: true };
  }
  const { state, why } = reached[0] ?? states[0];
  if (state === NOTHING_CAME) return { text: "nothing", words: `nothing came: ${why}`, heading: "gradient", isNumber: false };
  return { text: state === IS_CONSTANT ? "" : "·", words: state, heading: "gradient", isNumber: false };
}

/** Sets a number smaller that would not fit. @param {SVGElement} text @param {number} room */
function fit(text, room) {
  const needed = 8 * (text.textContent?.length ?? 0);
  text.setAttribute("font-size", Math.min(13, (13 * (room - 14)) / Math.max(needed, 1)).toFixed(1));
}

customElements.define("chainrule-graph", GraphView);

// @ts-check
// The graph: boxes with number and gradient, edges with local derivatives, and the deposit that is on its way.

import { button, drawing, element, wantsLittleMotion } from "./elements.js";
import { brief, general } from "./numbers.js";
import { ROW } from "./picture.js";
import { IS_CONSTANT, NOTHING_CAME, NUMBER } from "./state.js";

const MARGIN = 24;
const TRAVEL = 650; // milliseconds that a deposit is on its way
const SMALLEST = 0.15;
const LARGEST = 4;

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
    this.view = { x: 0, y: 0, scale: 1 };
    this.focused = 0;
  }

  connectedCallback() {
    if (this.svg) return;
    this.svg = drawing("svg", { class: "graph", role: "group", "aria-label": "the graph" });
    this.find = /** @type {HTMLInputElement} */ (
      element("input", { type: "search", placeholder: "find a number", "aria-label": "find a number by its name", onchange: () => this.search(this.find?.value ?? "") })
    );
    const tools = element(
      "div",
      { class: "tools", role: "group", "aria-label": "view of the graph" },
      button("−", "zoom out", () => this.zoom(1 / 1.25)),
      button("+", "zoom in", () => this.zoom(1.25)),
      button("fit", "show the whole graph", () => this.fit()),
      this.find,
    );
    this.append(this.svg, tools);
    this.svg.addEventListener("wheel", (event) => this.wheeled(/** @type {WheelEvent} */ (event)), { passive: false });
    this.svg.addEventListener("pointerdown", (event) => this.dragged(/** @type {PointerEvent} */ (event)));
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
    this.focused = Math.min(this.focused, picture.cards.length - 1);
    this.lines = picture.lines.map((line) => this.lineOf(line));
    this.boxes = picture.cards.map((card, i) => this.boxOf(card, i));
    this.token = drawing("circle", { class: "token", r: 6, visibility: "hidden" });
    this.note = drawing("text", { class: "note", visibility: "hidden" });
    this.noteBack = drawing("rect", { class: "note-back", rx: 7, visibility: "hidden" });
    this.svg?.replaceChildren(...this.lines.map(({ group }) => group), ...this.boxes.map(({ group }) => group), this.noteBack, this.note, this.token);
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
    const number = drawing("text", { class: "number", x: 9, y: top + 27 });
    const grad = drawing("text", { class: "number grad", x: half + 9, y: top + 27 });
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
      parts.push(drawing("text", { class: "small", x: half + 9, y: top + 12, text: "gradient" }));
      parts.push(number, grad);
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
        onpointerenter: () => this.dispatchEvent(new CustomEvent("hover", { detail: many ? null : card.box.places[0] })),
        onpointerleave: () => this.dispatchEvent(new CustomEvent("hover", { detail: null })),
      },
      ...parts,
    );
    return { group, number, grad };
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
    picture.cards.forEach((card, i) => {
      const { group, number, grad } = boxes[i];
      const made = card.box.places.filter((node) => moment.data[node] !== null);
      number.textContent = made.length ? spanOf(made.map((node) => /** @type {number} */ (moment.data[node]))) : "";
      const said = gradientOf(card.box.places, moment);
      grad.textContent = said.text;
      fit(number, card.width / 2);
      fit(grad, card.width / 2);
      group.classList.toggle("unmade", !made.length);
      group.classList.toggle("active", i === active || i === giving);
      group.classList.toggle("wrong", card.box.places.some((node) => moment.wrong.has(node)));
      grad.classList.toggle("waiting", !said.isNumber);
      const name = card.box.places.length === 1 ? this.names[card.box.places[0]] : `${card.name}, ${card.box.places.length} nodes`;
      group.setAttribute("aria-label", `${name}${card.symbol ? `, made by ${card.symbol}` : ""}: number ${number.textContent || "not made yet"}, gradient ${said.words}`);
    });
    picture.lines.forEach((line, i) => {
      const local = line.giver >= 0 && moment.data[line.giver] !== null ? moment.locals(line.giver)[line.position] : null;
      const text = local === null || local === undefined ? "" : brief(local);
      lines[i].text.textContent = text;
      const room = 7 * text.length + 8;
      lines[i].back.setAttribute("visibility", text ? "visible" : "hidden");
      lines[i].back.setAttribute("x", String(line.label.x - room / 2));
      lines[i].back.setAttribute("width", String(room));
      lines[i].group.classList.toggle("active", this.isActive(line, moment.event));
    });
    this.travel(moment);
  }

  /** @param {import("./picture.js").Line} line @param {Moment["event"]} event */
  isActive(line, event) {
    if (!event || event.giver === undefined || !this.picture) return false;
    const ends = line.target === this.picture.cardOf.get(event.giver) && line.source === this.picture.cardOf.get(event.node);
    return ends && (line.giver < 0 || line.position === event.position);
  }

  /** Lets a deposit travel along its edge, towards the inputs. @param {Moment} moment */
  travel({ event, note, moves }) {
    const { picture, lines, token } = this;
    if (!picture || !lines || !token || !this.note || !this.noteBack) return;
    const i = picture.lines.findIndex((line) => this.isActive(line, event));
    const shows = i >= 0 && event?.kind === "deposit" && Boolean(note);
    for (const part of [token, this.note, this.noteBack]) part.setAttribute("visibility", shows ? "visible" : "hidden");
    cancelAnimationFrame(this.frame ?? 0);
    if (!shows) return;
    const { x, y } = picture.lines[i].label;
    this.note.textContent = note;
    this.note.setAttribute("x", String(x));
    this.note.setAttribute("y", String(y + 4));
    const width = 6.8 * note.length + 14;
    for (const [name, at] of Object.entries({ x: x - width / 2, y: y - 12, width, height: 24 })) this.noteBack.setAttribute(name, String(at));
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
    if (!this.picture || !this.svg) return;
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width || !height) return;
    const whole = Math.min((width - 2 * MARGIN) / this.picture.width, (height - 2 * MARGIN) / this.picture.height);
    const scale = Math.min(1.25, Math.max(SMALLEST, whole));
    this.view = { scale, x: (width - scale * this.picture.width) / 2, y: (height - scale * this.picture.height) / 2 };
    this.look();
  }

  /** Zooms around a point, the middle unless told. @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x, y) {
    const { width, height } = /** @type {SVGElement} */ (this.svg).getBoundingClientRect();
    const [atX, atY] = [x ?? width / 2, y ?? height / 2];
    const scale = Math.min(LARGEST, Math.max(SMALLEST / 4, this.view.scale * factor));
    const ratio = scale / this.view.scale;
    this.view = { scale, x: atX - (atX - this.view.x) * ratio, y: atY - (atY - this.view.y) * ratio };
    this.look();
  }

  look() {
    const { x, y, scale } = this.view;
    const { width, height } = /** @type {SVGElement} */ (this.svg).getBoundingClientRect();
    this.svg?.setAttribute("viewBox", `${-x / scale} ${-y / scale} ${width / scale} ${height / scale}`);
  }

  /** @param {WheelEvent} event */
  wheeled(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 200), event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} start */
  dragged(start) {
    const from = { ...this.view };
    const move = (/** @type {PointerEvent} */ event) => {
      this.view.x = from.x + event.clientX - start.clientX;
      this.view.y = from.y + event.clientY - start.clientY;
      this.look();
    };
    const stop = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
  }

  /** Shows the first node whose name begins so, in the middle. @param {string} text */
  search(text) {
    const wanted = text.trim().toLowerCase();
    const node = wanted ? this.names.findIndex((name, i) => name.toLowerCase().startsWith(wanted) && this.picture?.cardOf.has(i)) : -1;
    if (node < 0) return;
    const i = /** @type {number} */ (this.picture?.cardOf.get(node));
    const card = /** @type {import("./picture.js").Picture} */ (this.picture).cards[i];
    const { width, height } = /** @type {SVGElement} */ (this.svg).getBoundingClientRect();
    const scale = Math.max(this.view.scale, 0.9);
    this.view = { scale, x: width / 2 - scale * (card.x + card.width / 2), y: height / 2 - scale * (card.y + card.height / 2) };
    this.look();
    this.moveFocus(i);
  }
}

/** @param {number[]} numbers */
function spanOf(numbers) {
  if (numbers.length === 1) return brief(numbers[0]);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return low === high || Number.isNaN(low) ? brief(low) : `${general(low, 2)} … ${general(high, 2)}`;
}

/** What a box says of its gradient. @param {number[]} nodes @param {Moment} moment */
function gradientOf(nodes, { gradients }) {
  const known = nodes.map((node) => gradients[node]).filter((gradient) => gradient.state === NUMBER);
  if (known.length) {
    const text = spanOf(known.map((gradient) => gradient.number));
    return { text, words: text, isNumber: true };
  }
  const { state, why } = gradients[nodes[0]];
  if (state === NOTHING_CAME) return { text: "nothing", words: `nothing came: ${why}`, isNumber: false };
  return { text: state === IS_CONSTANT ? "" : "·", words: state, isNumber: false };
}

/** Sets a number smaller that would not fit. @param {SVGElement} text @param {number} room */
function fit(text, room) {
  const needed = 8 * (text.textContent?.length ?? 0);
  text.setAttribute("font-size", Math.min(13, (13 * (room - 14)) / Math.max(needed, 1)).toFixed(1));
}

customElements.define("chainrule-graph", GraphView);

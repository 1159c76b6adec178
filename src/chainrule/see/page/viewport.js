// @ts-check
// What of a drawing is seen: zoom by buttons, wheel and two fingers, pan by dragging and arrow keys.

const MARGIN = 24;
const TOOLS = 56; // the height of the buttons over the lower edge
const SUM = 22; // the room above and below for what a gradient adds up to
const SMALLEST = 0.04;
const READABLE = 0.6; // a drawing is not made smaller than this unless a reader wants it
const LARGEST = 4;
const MOST_FIT = 1.7; // nor larger, to fill the room
const STEP = 80; // pixels for an arrow key
const SLACK = 5; // pixels that a pointer may move in a click

export class Viewport {
  /** @param {SVGElement} svg @param {() => {width: number, height: number} | null} content the size of what is drawn */
  constructor(svg, content) {
    this.svg = svg;
    this.content = content;
    this.view = { x: 0, y: 0, scale: 1 };
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.moved = 0;
    svg.addEventListener("wheel", (event) => this.wheeled(/** @type {WheelEvent} */ (event)), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.pressed(/** @type {PointerEvent} */ (event)));
    svg.addEventListener("mousedown", (event) => event.target === svg && event.preventDefault()); // a click takes no focus
    svg.addEventListener("click", (event) => this.moved > SLACK && event.stopPropagation(), { capture: true });
    svg.addEventListener("keydown", (event) => this.keyed(/** @type {KeyboardEvent} */ (event)));
  }

  get room() {
    const { width, height } = this.svg.getBoundingClientRect();
    return { width, height };
  }

  /** Shows all; or, where that would be too small to read, what is around a place. @param {{x: number, y: number}} [around] */
  fit(around) {
    const [content, { width, height }] = [this.content(), this.room];
    if (!content || !width || !height) return;
    const whole = Math.min((width - 2 * MARGIN) / content.width, (height - MARGIN - TOOLS) / (content.height + 2 * SUM), MOST_FIT);
    const scale = Math.max(whole, around ? READABLE : SMALLEST);
    this.view = { scale, x: (width - scale * content.width) / 2, y: (height - TOOLS + MARGIN - scale * content.height) / 2 };
    if (around && scale > whole) {
      const within = (/** @type {number} */ at, /** @type {number} */ size, /** @type {number} */ start, /** @type {number} */ end) =>
        size > end - start ? Math.min(start, Math.max(end - size, (end - start) / 2 - at)) : start + (end - start - size) / 2;
      this.view.x = within(scale * around.x, scale * content.width, MARGIN, width - MARGIN);
      this.view.y = within(scale * around.y, scale * content.height, MARGIN, height - TOOLS);
    }
    this.look();
  }

  /** @param {number} x @param {number} y @param {number} scale */
  centre(x, y, scale) {
    const { width, height } = this.room;
    this.view = { scale, x: width / 2 - scale * x, y: height / 2 - scale * y };
    this.look();
  }

  /** Moves as little as is needed to show a part. @param {{x: number, y: number, width: number, height: number}} part */
  reveal({ x, y, width, height }) {
    const { room, view } = this;
    const shift = (/** @type {number} */ start, /** @type {number} */ end, /** @type {number} */ most) =>
      start < MARGIN || end - start > most ? MARGIN - start : Math.min(0, most - end);
    const [left, top] = [view.x + view.scale * x, view.y + view.scale * y];
    const dx = shift(left, left + view.scale * width, room.width - MARGIN);
    const dy = shift(top, top + view.scale * height, room.height - TOOLS);
    if (dx || dy) this.pan(dx, dy);
  }

  /** @param {number} dx @param {number} dy in pixels */
  pan(dx, dy) {
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.look();
  }

  /** Zooms around a point, the middle unless told. @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = this.room.width / 2, y = this.room.height / 2) {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.view.scale * factor));
    const ratio = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * ratio, y: y - (y - this.view.y) * ratio };
    this.look();
  }

  look() {
    const { x, y, scale } = this.view;
    const { width, height } = this.room;
    this.svg.setAttribute("viewBox", `${-x / scale} ${-y / scale} ${width / scale} ${height / scale}`);
  }

  /** @param {WheelEvent} event */
  wheeled(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, top } = this.svg.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 200), event.clientX - left, event.clientY - top);
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    if (event.target !== this.svg) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => this.pan(STEP, 0),
      ArrowRight: () => this.pan(-STEP, 0),
      ArrowUp: () => this.pan(0, STEP),
      ArrowDown: () => this.pan(0, -STEP),
      "+": () => this.zoom(1.25),
      "-": () => this.zoom(1 / 1.25),
      0: () => this.fit(),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  /** A finger or the mouse goes down: one pans, two zoom. @param {PointerEvent} start */
  pressed(start) {
    if (!this.pointers.size) this.moved = 0;
    this.pointers.set(start.pointerId, { x: start.clientX, y: start.clientY });
    if (this.pointers.size > 1) return;
    const move = (/** @type {PointerEvent} */ event) => this.dragged(event);
    const stop = (/** @type {PointerEvent} */ event) => {
      this.pointers.delete(event.pointerId);
      if (this.pointers.size) return;
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
      window.removeEventListener("pointercancel", stop);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
    window.addEventListener("pointercancel", stop);
  }

  /** @param {PointerEvent} event */
  dragged(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    this.moved += Math.hypot(now.x - before.x, now.y - before.y);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (other) {
      const { left, top } = this.svg.getBoundingClientRect();
      const apart = (/** @type {{x: number, y: number}} */ p) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
      this.zoom(apart(now) / apart(before), (now.x + other.x) / 2 - left, (now.y + other.y) / 2 - top);
    } else if (this.moved > SLACK) {
      this.pan(now.x - before.x, now.y - before.y);
    }
  }
}

// @ts-check
// The timeline: play, step, scrub, keys, and the position in the address.

import { button, element } from "./elements.js";

const PAUSE = 900; // milliseconds between two events while playing
const REST = 120; // the address is written when the position has rested for so long: browsers count such writes
const SPEEDS = [0.5, 1, 2, 4];
const MOST_PHASES = 40;
const OF_BACKWARD = ["deposit", "nothing"];

/** What each key does: the keys, and the words of the help. */
const KEYS = [
  ["space", "play, pause"],
  ["→ ←", "one event on, one back"],
  ["n p", "to the next, the previous deposit"],
  ["s", "to where backward() begins"],
  ["Home End", "to the start, the end"],
  ["Tab", "to the graph; there, arrow keys go along edges, Enter picks"],
  ["+ − 0", "in the graph: larger, smaller, all of it"],
  ["?", "these keys"],
];

export class TimelineBar {
  /** @param {import("./app.js").App} app @param {string[]} said what is to be said of the recording */
  constructor(app, said) {
    this.app = app;
    /** @type {ReturnType<typeof setTimeout> | 0} */
    this.playing = 0;
    /** @type {ReturnType<typeof setTimeout> | 0} */
    this.writing = 0;
    this.speed = 1;
    this.slider = /** @type {HTMLInputElement} */ (
      element("input", { type: "range", min: 0, value: 0, step: 1, "aria-label": "the timeline", oninput: () => app.go(Number(this.slider.value)) })
    );
    this.phases = element("div", { class: "phases", "aria-hidden": true });
    this.count = element("span", { class: "count" });
    this.player = button("▶", "play", () => this.play(), { class: "main" });
    this.help = helpOf(said);
    const pace = /** @type {HTMLSelectElement} */ (
      element("select", { class: "speed", "aria-label": "speed", onchange: () => (this.speed = Number(pace.value)) }, ...SPEEDS.map((x) => element("option", { value: x, selected: x === 1, text: `${x}×` })))
    );
    this.controls = element(
      "div",
      { class: "controls", role: "group", "aria-label": "go through the events" },
      button("«", "to the start", () => app.go(0)),
      button("‹", "one event back", () => app.go(app.position - 1)),
      this.player,
      button("›", "one event on", () => app.go(app.position + 1)),
      button("»", "to the end", () => app.go(app.steps.length)),
      element("div", { class: "track" }, this.slider, this.phases),
      this.count,
      pace,
      button("?", "keys and help", () => this.help.showModal()),
    );
    const { signal } = app;
    document.addEventListener("keydown", (event) => this.pressed(event), { signal });
    window.addEventListener("hashchange", () => this.addressChanged(), { signal });
    signal?.addEventListener("abort", () => [this.playing, this.writing].forEach(clearTimeout));
  }

  /** The parts of the timeline: forward, and each backward(). */
  look() {
    const { steps, recording } = this.app;
    this.slider.max = String(steps.length);
    /** @type {{words: string, size: number}[]} */
    const phases = [];
    let words = "forward";
    for (const i of steps) {
      const { kind } = recording.events[i];
      if (kind === "began") words = "backward";
      const last = phases[phases.length - 1];
      if (last?.words === words) last.size++;
      else phases.push({ words, size: 1 });
      if (kind === "ended") words = "forward";
    }
    const shown = phases.length > MOST_PHASES ? [] : phases;
    this.phases.replaceChildren(
      ...shown.map(({ words: text, size }) => {
        const part = element("span", { class: text, text: size * 12 > steps.length ? text : "" });
        part.style.flexGrow = String(size);
        return part;
      }),
    );
  }

  update() {
    const { position, steps } = this.app;
    this.slider.value = String(position);
    this.slider.setAttribute("aria-valuetext", `event ${position} of ${steps.length}`);
    this.count.textContent = `${position} / ${steps.length}`;
    clearTimeout(this.writing);
    if (this.app.inAddress) this.writing = setTimeout(() => this.writeAddress(), REST);
  }

  // ---- the address ----

  writeAddress() {
    const address = `#event=${this.app.position}`;
    if (location.hash === address || (!this.app.position && !location.hash)) return;
    try {
      history.replaceState(null, "", address); // no entry for each step
    } catch {
      location.hash = address; // in an iframe's srcdoc
    }
  }

  addressChanged() {
    const position = this.positionInAddress();
    if (position !== null && position !== this.app.position) this.app.go(position, false);
  }

  positionInAddress() {
    if (!this.app.inAddress) return null;
    const found = /(?:^#|&)event=(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) : null;
  }

  // ---- time ----

  play() {
    if (this.playing) {
      clearTimeout(this.playing);
      this.playing = 0;
    } else {
      if (this.app.position >= this.app.steps.length) this.app.go(0);
      this.tick();
    }
    this.player.textContent = this.playing ? "❚❚" : "▶";
    this.player.setAttribute("aria-label", this.playing ? "pause" : "play");
    this.player.title = this.playing ? "pause" : "play";
  }

  tick() {
    this.playing = setTimeout(() => {
      this.app.go(this.app.position + 1);
      if (this.app.position >= this.app.steps.length) this.play();
      else this.tick();
    }, PAUSE / this.speed);
  }

  /** To the next event of backward(), or the last. @param {number} by 1 or -1 */
  jump(by) {
    const { app } = this;
    let k = app.position + by;
    while (k > 0 && k < app.steps.length && !OF_BACKWARD.includes(app.recording.events[app.steps[k - 1]].kind)) k += by;
    app.go(k);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const { app } = this;
    if (event.ctrlKey || event.metaKey || event.altKey || this.help.open || target.closest?.("input, select, textarea")) return;
    if (event.key === " " && target.closest?.("button, [role=button], [role=tab]")) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      " ": () => this.play(),
      ArrowRight: () => app.go(app.position + 1),
      ArrowLeft: () => app.go(app.position - 1),
      Home: () => app.go(0),
      End: () => app.go(app.steps.length),
      n: () => this.jump(1),
      p: () => this.jump(-1),
      s: () => app.go(app.steps.findIndex((i) => app.recording.events[i].kind === "began") + 1),
      l: () => app.go(app.steps.length),
      "?": () => this.help.showModal(),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }
}

/** @param {string[]} said @returns {HTMLDialogElement} */
function helpOf(said) {
  const rows = KEYS.map(([keys, words]) =>
    element("tr", {}, element("th", { scope: "row" }, ...keys.split(" ").map((key) => element("kbd", { text: key }))), element("td", { text: words })),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    element(
      "dialog",
      { "aria-labelledby": "help" },
      element("h2", { id: "help", text: "Keys" }),
      element("table", {}, element("tbody", {}, ...rows)),
      element("p", { text: "Forward: each number appears where it is made. Backward: what a result hands on, local × upstream, travels along its edge towards the inputs, and is added there." }),
      ...said.map((text) => element("p", { class: "hint", text: `${text}.` })),
      button("close", "close the help", () => dialog.close(), { class: "main" }),
    )
  );
  return dialog;
}

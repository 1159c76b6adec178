// @ts-check
// The source beside the graph: the sub-expression of the present event is lit.

import { element } from "./elements.js";

/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("./recording.js").Place} Place */

export class SourceView extends HTMLElement {
  constructor() {
    super();
    /** @type {Map<number, HTMLElement[]>} the lines of each source */
    this.lines = new Map();
  }

  /** @param {Recording} recording @param {number[]} nodes those that are looked at @param {(node: number | null) => void} hovered */
  show(recording, nodes, hovered) {
    this.recording = recording;
    this.lines.clear();
    const used = [...new Set(nodes.map((node) => recording.nodes[node].place?.source).filter((x) => x !== undefined))];
    this.replaceChildren(...used.flatMap((source) => this.sourceOf(/** @type {number} */ (source))));
    if (!used.length) this.append(element("p", { class: "hint", text: "The source of this graph is not known: record it with chainrule.recording()." }));
    this.onpointermove = (event) => hovered(this.nodeAt(event, nodes));
    this.onpointerleave = () => hovered(null);
  }

  /** @param {number} number @returns {HTMLElement[]} */
  sourceOf(number) {
    const { name, text, first, why } = /** @type {Recording} */ (this.recording).sources[number];
    const heading = element("h2", { text: name });
    if (text === null) return [heading, element("p", { class: "hint", text: `No text: ${why}.` })];
    const lines = text.replace(/\n$/, "").split("\n").map((line, i) => {
      const code = element("code", { "data-source": number, "data-line": first + i });
      code.textContent = line || " ";
      return element("li", { value: first + i }, code);
    });
    this.lines.set(number, lines.map((line) => /** @type {HTMLElement} */ (line.firstChild)));
    return [heading, element("ol", { class: "source", tabindex: 0, "aria-label": `the text of ${name}` }, ...lines)];
  }

  /** Lights the text at a place; nothing if there is none. @param {Place | null} place */
  light(place) {
    for (const code of this.querySelectorAll("code:has(mark)")) code.replaceChildren(code.textContent ?? "");
    if (!place) return;
    const { first = 1 } = this.recording?.sources[place.source] ?? {};
    const lines = this.lines.get(place.source) ?? [];
    for (let line = place.line; line <= place.endLine; line++) {
      const code = lines[line - first];
      if (!code) continue;
      const letters = [...(code.textContent ?? "")];
      const start = line === place.line ? (place.column ?? 0) : 0;
      const end = line === place.endLine ? (place.endColumn ?? letters.length) : letters.length;
      const piece = (/** @type {number} */ a, /** @type {number} */ b) => letters.slice(a, b).join("");
      code.replaceChildren(piece(0, start), element("mark", { text: piece(start, end) }), piece(end, letters.length));
    }
    const list = lines[0]?.closest("ol");
    const code = lines[place.line - first];
    if (list && code) list.scrollTop = Math.max(0, code.offsetTop - list.offsetTop - list.clientHeight / 2);
  }

  /** The node whose place is smallest around a letter. @param {PointerEvent} event @param {number[]} nodes */
  nodeAt(event, nodes) {
    const code = /** @type {HTMLElement} */ (event.target).closest?.("code");
    if (!code || !this.recording) return null;
    const [source, line] = [Number(code.dataset.source), Number(code.dataset.line)];
    const { left, width } = code.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / Math.max(width, 1)) * [...(code.textContent ?? "")].length);
    let found = null;
    let smallest = Infinity;
    for (const node of nodes) {
      const { place, constant } = this.recording.nodes[node];
      if (!place || constant || place.source !== source || place.column === null || place.endColumn === null) continue;
      const inside = place.line <= line && line <= place.endLine;
      const after = line > place.line || column >= place.column;
      const before = line < place.endLine || column < place.endColumn;
      const size = (place.endLine - place.line) * 1000 + place.endColumn - place.column;
      if (inside && after && before && size <= smallest) [found, smallest] = [node, size];
    }
    return found;
  }
}

customElements.define("chainrule-source", SourceView);

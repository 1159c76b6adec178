// @ts-check
// What opens above the playground: the graph of one point in the stepper, and the field for pasted points.

import { App } from "../page/app.js";
import { button, element } from "../page/elements.js";
import { parsePasted } from "./own-data.js";

/**
 * Opens a recording in the stepper; it ends when the dialog is closed.
 * @param {import("../page/recording.js").Recording} story @param {any} operations
 */
export function openStepper(story, operations) {
  const ending = new AbortController();
  const host = element("div", { id: "app" });
  const dialog = /** @type {HTMLDialogElement} */ (
    element("dialog", { class: "stepper", "aria-label": "the graph of this point", onclose: () => {
      ending.abort();
      dialog.remove();
    } }, button("close", "close: back to the playground", () => dialog.close(), { class: "closer" }), host)
  ); // prettier-ignore
  document.body.append(dialog);
  dialog.showModal();
  new App(host, story, operations, null, { inAddress: false, signal: ending.signal });
}

/**
 * Asks for points as text.
 * @param {(own: {points: [number, number][], labels: number[]}) => void} take
 */
export function openPaste(take) {
  const text = /** @type {HTMLTextAreaElement} */ (element("textarea", { rows: 10, "aria-describedby": "paste-form", "aria-label": "points, one a line", placeholder: "x1,x2,class\n0.5,1.2,a\n-0.3,0.4,b", spellcheck: "false" }));
  const said = element("p", { class: "wrong-text", role: "alert" });
  const dialog = /** @type {HTMLDialogElement} */ (
    element(
      "dialog",
      { "aria-labelledby": "paste-title", onclose: () => dialog.remove() },
      element("h2", { id: "paste-title", text: "Paste points" }),
      element("p", { id: "paste-form", class: "hint", text: "One point a line: x1, x2 and its class, between commas, semicolons, tabs or blanks. Two classes, by any names." }),
      text,
      said,
      element("div", { class: "row" }, button("use them", "use these points", () => use(), { class: "main" }), button("cancel", "cancel", () => dialog.close())),
    )
  );
  const use = () => {
    try {
      const { points, labels } = parsePasted(text.value);
      dialog.close();
      take({ points, labels });
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  document.body.append(dialog);
  dialog.showModal();
}

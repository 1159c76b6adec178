// @ts-check
// A page that is in step with Python: it tells of each edit, and shows what it is told. Only the page around it may speak to it.

import { readRecording } from "./recording.js";

/** Ties a page to the widget around it. @param {import("./app.js").App} app */
export function tie(app) {
  let count = 0; // edits that were made here: an answer to an earlier one is out of date
  app.trial.told = (node, number) => {
    count += 1;
    parent.postMessage({ chainrule: "edit", node, number: asText(number), count }, "*");
  };
  addEventListener("message", (event) => {
    if (event.source !== parent || event.data?.chainrule !== "show" || event.data.answers < count) return;
    try {
      app.take(readRecording(event.data.document));
    } catch (error) {
      app.say(error instanceof Error ? error.message : String(error));
    }
  });
  parent.postMessage({ chainrule: "ready" }, "*");
}

/** A number as Python reads it. @param {number} x */
const asText = (x) => (Object.is(x, -0) ? "-0.0" : String(x));

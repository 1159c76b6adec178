// @ts-check
// Where a page begins: it reads the recording that stands in it, and shows it.

import { App } from "./app.js";
import { operations } from "./operations.js";
import { tie } from "./live.js";
import { readRecording } from "./recording.js";
import { element } from "./elements.js";

const host = element("div", { id: "app" });
document.body.append(host);
try {
  const data = JSON.parse(document.getElementById("data")?.textContent ?? "");
  const app = new App(host, readRecording(data), operations, data.mistake);
  if (data.live) tie(app);
} catch (error) {
  host.replaceChildren(element("p", { class: "banner", role: "alert", text: `This page cannot be shown: ${error instanceof Error ? error.message : error}` }));
}

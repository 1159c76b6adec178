// @ts-check
// The widget in a notebook: a frame with the page, and the messages between the page and Python.

/** @typedef {{get: (name: string) => any, on: (event: string, listener: () => void) => void, off: (event: string, listener: () => void) => void, send: (content: any) => void}} Model */

/** @param {{model: Model, el: HTMLElement}} given */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = "a graph, step by step";
  frame.style.cssText = `width:100%;height:${Number(model.get("height"))}px;border:1px solid #8884;border-radius:10px`;
  frame.srcdoc = model.get("html").replace('<html lang="en">', `<html lang="en" data-theme="${isDark(el) ? "dark" : "light"}">`);
  const show = () => {
    const document = model.get("document");
    if (document?.nodes) frame.contentWindow?.postMessage({ chainrule: "show", document, answers: model.get("answers") }, "*");
  };
  const received = (/** @type {MessageEvent} */ event) => {
    if (event.source !== frame.contentWindow) return;
    if (event.data?.chainrule === "ready") show();
    if (event.data?.chainrule === "edit") model.send({ edit: [event.data.node, event.data.number], count: event.data.count });
  };
  window.addEventListener("message", received);
  for (const name of ["change:document", "change:answers"]) model.on(name, show);
  el.append(frame);
  return () => {
    window.removeEventListener("message", received);
    for (const name of ["change:document", "change:answers"]) model.off(name, show);
  };
}

/** Whether the notebook is dark where the frame is to stand. @param {HTMLElement} el */
function isDark(el) {
  for (let at = /** @type {HTMLElement | null} */ (el); at; at = at.parentElement) {
    const [red = 255, green = 255, blue = 255, alpha = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (alpha > 0) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return false;
}

export default { render };

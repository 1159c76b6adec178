// @ts-check
// Elements of a page. Text goes in as text alone, so nothing that a stranger wrote becomes an element or a script.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element of HTML.
 * @param {string} name
 * @param {Record<string, any>} [attributes] an attribute each; `on…` is a listener, `text` the text within
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(name), attributes, children));
}

/**
 * Makes an element of SVG.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function drawing(name, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS(SVG, name), attributes, children));
}

/** @param {Element} made @param {Record<string, any>} attributes @param {(Node | string)[]} children */
function filled(made, attributes, children) {
  for (const [name, x] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), x);
    else if (name === "text") made.textContent = x;
    else if (name.startsWith("aria-")) made.setAttribute(name, String(x));
    else if (x === true) made.setAttribute(name, "");
    else if (x !== false && x !== null && x !== undefined) made.setAttribute(name, String(x));
  }
  made.append(...children);
  return made;
}

/** A button. Its name has what stands on it, for those who speak to a screen. @param {string} text @param {string} label what it does @param {() => void} action @param {Record<string, any>} [more] */
export function button(text, label, action, more = {}) {
  const isTold = !/[a-z]/i.test(text) || label.toLowerCase().includes(text.toLowerCase());
  return element("button", { type: "button", "aria-label": isTold ? label : `${text}: ${label}`, title: label, onclick: action, ...more }, text);
}

/**
 * Replaces the children of an element. One that is `data-kept` by the same name before and after stays in its place: a
 * slider, for instance, that is being dragged.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} children
 */
export function replaced(parent, children) {
  const stays = /** @type {HTMLElement | null} */ (parent.querySelector(":scope > [data-kept]"));
  const at = stays ? children.findIndex((child) => child.dataset.kept === stays.dataset.kept) : -1;
  if (!stays || at < 0) {
    parent.replaceChildren(...children);
    return;
  }
  for (const child of [...parent.children]) if (child !== stays) child.remove();
  stays.before(...children.slice(0, at));
  stays.after(...children.slice(at + 1));
}

/** Whether the reader wants little motion. */
export function wantsLittleMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

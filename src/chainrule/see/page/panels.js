// @ts-check
// The panels beside the graph: details and editing of a number, predictions, the bug lab, training.

import { BUGS } from "./editing.js";
import { button, element } from "./elements.js";
import { short } from "./numbers.js";
import { IS_CONSTANT, NOTHING_CAME, NOT_REACHED } from "./state.js";

/** @typedef {import("./app.js").App} App */

/**
 * What is known of a node, and its field and slider if it is a leaf.
 * @param {App} app
 * @param {number} node
 * @returns {HTMLElement[]}
 */
export function details(app, node) {
  const { recording, teller } = app;
  const { op, operands, locals, constant } = recording.nodes[node];
  const { data, gradients } = app.state;
  const name = teller.names[node];
  const rows = operands.map((x, i) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", text: teller.names[x] }),
      element("td", { text: data[x] === null ? "" : short(data[x]) }),
      element("td", { text: locals[i] === null ? "no flow" : short(Number(locals[i])) }),
    ),
  );
  const got = app.happened.filter((event) => event.node === node && (event.kind === "deposit" || event.kind === "nothing"));
  return [
    element("h2", { text: name }),
    element("p", { class: "big" }, op >= 0 ? teller.made(node) : `${name} = ${short(recording.nodes[node].data)}`),
    element("p", { text: gradientWords(gradients[node], name) }),
    ...(operands.length ? [table(["operand", "number", "local derivative"], rows)] : []),
    ...(got.length ? [element("h3", { text: "What it got" }), element("ol", { class: "got" }, ...got.slice(-12).map((event) => element("li", { text: teller.sentence(event) })))] : []),
    ...(op < 0 && !constant ? [editor(app, node)] : []),
  ];
}

/** @param {import("./state.js").Gradient} gradient @param {string} name */
function gradientWords({ state, number, why }, name) {
  if (state === NOT_REACHED) return `The gradient of ${name} is not reached yet.`;
  if (state === NOTHING_CAME) return `Nothing came to ${name}: ${why}.`;
  if (state === IS_CONSTANT) return `${name} is a constant, and never gets a gradient.`;
  return `Its gradient so far is ${short(number)}.`;
}

/** @param {string[]} heads @param {HTMLElement[]} rows */
function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col", text })));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

/** @param {App} app @param {number} node */
function editor(app, node) {
  const number = app.leafNumber(node);
  const name = app.teller.names[node];
  const span = Math.max(1, Math.abs(app.program.nodes[node].data)) * 2;
  if (!app.canEdit) return element("p", { class: "hint", text: "This engine's operations are not known here, so its numbers cannot be calculated anew." });
  const field = /** @type {HTMLInputElement} */ (
    element("input", { type: "number", step: "any", value: number, "aria-label": `the number of ${name}`, onchange: () => app.edit(node, Number(field.value)) })
  );
  const slider = /** @type {HTMLInputElement} */ (
    element("input", {
      type: "range", min: -span, max: span, step: span / 200, value: number, "aria-label": `the number of ${name}, by a slider`,
      oninput: () => app.edit(node, Number(slider.value), false),
    })
  );
  return element(
    "fieldset",
    {},
    element("legend", { text: `Change ${name}` }),
    element("div", { class: "row" }, field, slider),
    element("div", { class: "row" }, button("nudge", `nudge ${name} a little, and see what the result does`, () => app.nudge(node)), button("undo", "take the numbers of the program again", () => app.undo())),
    element("p", { class: "nudged", text: app.nudgedText(node) }),
  );
}

/** @param {App} app @returns {HTMLElement[]} */
export function predictions(app) {
  const { question, score } = app.quiz;
  const head = element("h2", { text: "Predict, then reveal" });
  const counted = element("p", { class: "hint", text: `${score.right} of ${score.asked} right at the first try. A wrong answer blocks nothing.` });
  if (!question) {
    return [head, element("p", { text: "Go on to the next question: it is about the graph at hand." }), button("next question", "go to the next question", () => app.quiz.next(), { class: "main" }), counted];
  }
  const choices = question.choices.map((choice, i) => {
    const chosen = app.quiz.chosen.has(i);
    const shown = element("li", {}, button(choice.text, `answer ${choice.text}`, () => app.quiz.answer(i), { class: chosen ? (choice.isRight ? "right" : "not") : "", disabled: app.quiz.solved || chosen }));
    if (chosen) shown.append(element("p", { text: choice.says }));
    return shown;
  });
  const next = app.quiz.solved ? [button("next question", "go to the next question", () => app.quiz.next(), { class: "main" })] : [];
  return [head, element("p", { class: "big", text: question.asks }), element("ul", { class: "choices" }, ...choices), ...next, counted];
}

/** @param {App} app @returns {HTMLElement[]} */
export function lab(app) {
  const { bug, operation, found } = app.lab;
  const used = [...new Set(app.shown.map((node) => app.program.nodes[node].op).filter((op) => op >= 0))].map((op) => app.program.operations[op].name);
  const select = /** @type {HTMLSelectElement} */ (
    element(
      "select",
      { "aria-label": "the mistake", onchange: () => app.lab.breakIt(select.value, app.lab.operation) },
      element("option", { value: "", text: "choose a mistake" }),
      ...Object.entries(BUGS).map(([key, { name }]) => element("option", { value: key, text: name, selected: key === bug })),
    )
  );
  const rule = /** @type {HTMLSelectElement} */ (
    element("select", { "aria-label": "the operation with the wrong rule", onchange: () => app.lab.breakIt(bug, rule.value) }, ...used.map((name) => element("option", { value: name, text: name, selected: name === operation })))
  );
  const what = bug ? BUGS[bug] : null;
  return [
    element("h2", { text: "Bug lab" }),
    element("p", { text: "A broken backward() runs beside the right one, and stops at the first number that differs." }),
    element("div", { class: "row" }, select, ...(bug === "rule" ? [rule] : [])),
    ...(what ? [element("p", { text: `${what.name}: ${what.why}.` })] : []),
    ...(what && found ? [element("p", { class: "big wrong-text", text: found })] : []),
    ...(what && !found ? [element("p", { class: "big", text: `It makes no difference here. ${app.lab.whyNot}` }), element("p", { text: `The smallest graph where it does: ${what.smallest}.` })] : []),
    ...(bug ? [button("show the right one again", "leave the lab", () => app.lab.breakIt("", ""))] : []),
  ];
}

/** @param {App} app @returns {HTMLElement[]} */
export function training(app) {
  const { parameters, steps, losses, numbers } = app.program.training;
  const at = app.trained;
  const slider = /** @type {HTMLInputElement} */ (
    element("input", { type: "range", min: 0, max: steps.length - 1, step: 1, value: at, "aria-label": "the step of the training", oninput: () => app.train(Number(slider.value)) })
  );
  const shown = parameters.slice(0, 12).map((node, i) =>
    element("tr", {}, element("th", { scope: "row", text: app.teller.names[node] }), element("td", { text: short(numbers[at][i]) })),
  );
  return [
    element("h2", { text: "Training" }),
    element("p", { class: "big", text: `step ${steps[at]} of ${steps[steps.length - 1]}: loss ${short(losses[at])}` }),
    curveOf(losses, at),
    slider,
    element("p", { class: "hint", text: "The graph is that of the last step, with the parameters of this one." }),
    table(["parameter", "number"], shown),
    ...(parameters.length > 12 ? [element("p", { class: "hint", text: `and ${parameters.length - 12} more` })] : []),
  ];
}

/** The losses as a line. @param {number[]} losses @param {number} at */
function curveOf(losses, at) {
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", { width: 640, height: 200, class: "curve", role: "img", "aria-label": `the loss by step; here ${short(losses[at])}` }));
  const pen = canvas.getContext("2d");
  const known = losses.filter(Number.isFinite);
  if (!pen || !known.length) return canvas;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (/** @type {number} */ i) => 8 + (624 * i) / Math.max(1, losses.length - 1);
  const y = (/** @type {number} */ loss) => 190 - (180 * (loss - low)) / (high - low || 1);
  const colour = (/** @type {string} */ name) => getComputedStyle(document.body).getPropertyValue(name);
  pen.strokeStyle = colour("--leaf-strong");
  pen.lineWidth = 3;
  pen.beginPath();
  losses.forEach((loss, i) => (i ? pen.lineTo(x(i), y(loss)) : pen.moveTo(x(i), y(loss))));
  pen.stroke();
  pen.fillStyle = colour("--root-strong");
  pen.beginPath();
  pen.arc(x(at), y(losses[at]), 8, 0, 7);
  pen.fill();
  return canvas;
}

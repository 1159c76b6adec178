// @ts-check
// The panels beside the graph: details and editing of a number, predictions, the bug lab, training.

import { BUGS } from "./bugs.js";
import { button, element } from "./elements.js";
import { short } from "./numbers.js";
import { IS_CONSTANT, NOTHING_CAME, NOT_REACHED, NUMBER } from "./state.js";

const MOST_GOT = 12;
const MOST_DIFFERING = 10;

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
  const isMade = data[node] !== null;
  const name = teller.names[node];
  const rows = operands.map((x, i) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", text: teller.names[x] }),
      element("td", { text: data[x] === null ? "" : short(data[x]) }),
      element("td", { text: !isMade ? "" : locals[i] === null ? "no flow" : short(Number(locals[i])) }),
    ),
  );
  const got = gotBy(app, node);
  const follow = app.picked >= 0 ? [button("follow what happens", "show the number of the present event again", () => app.follow(), { class: "quiet" })] : [];
  return [
    element("div", { class: "row head" }, element("h2", { text: name }), ...follow),
    element("p", { class: "big" }, !isMade ? `${name} is not made yet.` : op >= 0 ? teller.made(node) : `${name} = ${short(recording.nodes[node].data)}`),
    element("p", { text: gradientWords(gradients[node], name) }),
    ...(operands.length ? [table(["operand", "number", "local derivative"], rows)] : []),
    ...(got.length ? [element("h3", { text: "What it got" }), element("ol", { class: "got", start: Math.max(1, got.length - MOST_GOT + 1) }, ...got.slice(-MOST_GOT).map(([position, event]) => element("li", {}, button(teller.sentence(event), `go to: ${teller.sentence(event)}`, () => app.go(position, false), { class: "link" }))))] : []),
    ...momentsOf(app, node),
    ...(op < 0 && !constant ? [editor(app, node), element("p", { class: "nudged", role: "status", text: app.trial.nudgedText(node) })] : []),
  ];
}

/**
 * What a node was given so far: positions and events.
 * @param {App} app
 * @param {number} node
 * @returns {[number, import("./recording.js").RecordedEvent][]}
 */
function gotBy({ happened }, node) {
  return happened.flatMap((event, i) => (event.node === node && (event.kind === "deposit" || event.kind === "nothing") ? [[i + 1, event]] : []));
}

/** Buttons that go to where a number is made, and to where it first gets something. @param {App} app @param {number} node */
function momentsOf(app, node) {
  const to = (/** @type {string[]} */ kinds) => app.steps.findIndex((i) => app.recording.events[i].node === node && kinds.includes(app.recording.events[i].kind)) + 1;
  const name = app.teller.names[node];
  const moments = [
    ["where it is made", `go to where ${name} is made`, to(["made"])],
    ["its first deposit", `go to the first deposit of ${name}`, to(["deposit"])],
  ].filter(([, , position]) => position);
  return moments.length ? [element("div", { class: "row" }, ...moments.map(([text, label, position]) => button(String(text), String(label), () => app.go(Number(position), false), { class: "quiet" })))] : [];
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

/** The field and slider of a leaf: they stay while all around them is calculated anew. @param {App} app @param {number} node */
function editor(app, node) {
  const number = app.trial.leafNumber(node);
  const name = app.teller.names[node];
  const span = Math.max(1, Math.abs(app.program.nodes[node].data)) * 2;
  if (!app.trial.canEdit) return element("p", { class: "hint", text: "Our rules do not give all of this engine's numbers, so they cannot be calculated anew." });
  const field = /** @type {HTMLInputElement} */ (element("input", { type: "number", step: "any", value: number, "aria-label": `the number of ${name}` }));
  const slider = /** @type {HTMLInputElement} */ (
    element("input", { type: "range", min: -span, max: span, step: span / 200, value: number, "aria-label": `the number of ${name}, by a slider` })
  );
  field.addEventListener("change", () => {
    slider.value = field.value;
    app.trial.edit(node, field.value === "" ? NaN : Number(field.value));
  });
  slider.addEventListener("input", () => {
    field.value = slider.value;
    app.trial.edit(node, Number(slider.value), false);
  });
  return element(
    "fieldset",
    { "data-kept": `${node} ${app.trial.edits}` },
    element("legend", { text: `Change ${name}` }),
    element("div", { class: "row" }, field, slider),
    element("div", { class: "row" }, button("nudge", `nudge ${name} a little, and see what the result does`, () => app.trial.nudge(node)), button("undo", "take the numbers of the program again", () => app.undo())),
  );
}

/** @param {App} app @returns {HTMLElement[]} */
export function predictions(app) {
  const { question, score } = app.quiz;
  const head = element("h2", { text: "Predict, then reveal" });
  const counted = element("p", { class: "hint", text: `${score.right} of ${score.asked} right at the first try. A wrong answer blocks nothing.` });
  if (!question && app.quiz.isOver) {
    return [head, element("p", { class: "big", text: "There is no other question from here on." }), button("from the start", "go to the next question", () => app.quiz.next(), { class: "main" }), counted];
  }
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
  const { bug, operation, difference, whyNot } = app.lab;
  const back = app.isVisiting ? [button("back to your graph", "back to your graph", () => app.visit(null))] : [];
  const head = [element("h2", { text: "Bug lab" }), element("p", { text: "A broken backward() runs beside the right one, in step, and stops at the first number that differs." })];
  if (!app.trial.canEdit) return [...head, element("p", { class: "hint", text: "Our rules do not give all of this engine's numbers, so no other backward() can run beside it." })];
  const used = [...new Set(app.shown.map((node) => app.program.nodes[node].op).filter((op) => op >= 0))].map((op) => app.program.operations[op].name);
  const choice = chooser("the mistake", [["", "choose a mistake"], ...Object.entries(BUGS).map(([key, { name }]) => [key, name])], bug, (key) => app.lab.breakIt(key, ""));
  const rule = bug === "rule" ? [chooser("the operation with the wrong rule", used.map((name) => [name, name]), operation, (name) => app.lab.breakIt(bug, name))] : [];
  if (!bug) return [...head, element("div", { class: "row" }, choice), ...back];
  const stays = element("h2", { text: app.isVisiting ? `Bug lab: ${app.program.title}` : "Bug lab" });
  const { name, why, smallest } = BUGS[bug];
  const small = app.isVisiting ? [] : [button(`open ${smallest}`, `open the smallest graph where it does: ${smallest}`, () => app.lab.openSmallest())];
  const stop = difference && app.position !== app.lab.stop ? [button("to the first difference", "go to the first number that differs", () => app.go(app.lab.stop, false))] : [];
  const found = difference
    ? [element("p", { class: "big wrong-text", text: difference.found }), element("p", { text: `Why: ${difference.because}.` })]
    : [element("p", { class: "big", text: `It makes no difference here: ${whyNot}.` }), element("p", { text: "The smallest graph where it does:" })];
  return [
    stays,
    element("div", { class: "row" }, choice, ...rule),
    element("p", { text: `${name}: ${why}.` }),
    ...found,
    ...(difference ? [] : small),
    ...comparison(app),
    element("div", { class: "row" }, ...stop, button("show the right one", "leave the lab", () => app.lab.breakIt("", "")), ...back),
  ];
}

/** Both gradients of the numbers that differ by now. @param {App} app */
function comparison(app) {
  const rows = app.lab.differing(app.position);
  if (!rows.length) return app.lab.difference ? [element("p", { class: "hint", text: "Up to here both have the same gradients." })] : [];
  const words = (/** @type {import("./state.js").Gradient} */ { state, number }) => (state === NUMBER ? short(number) : state);
  const shown = rows.slice(0, MOST_DIFFERING).map(({ node, broken, right }) =>
    element("tr", {}, element("th", { scope: "row", text: app.teller.names[node] }), element("td", { class: "wrong-text", text: words(broken) }), element("td", { text: words(right) })),
  );
  const more = rows.length > MOST_DIFFERING ? [element("p", { class: "hint", text: `and ${rows.length - MOST_DIFFERING} more` })] : [];
  return [table(["gradient of", "broken", app.lab.bug === "order" ? "right, at the end" : "right"], shown), ...more];
}

/** @param {string} label @param {string[][]} options values and texts @param {string} chosen @param {(value: string) => void} action */
function chooser(label, options, chosen, action) {
  const select = /** @type {HTMLSelectElement} */ (
    element("select", { "aria-label": label, onchange: () => action(select.value) }, ...options.map(([value, text]) => element("option", { value, text, selected: value === chosen })))
  );
  return select;
}

/** @param {App} app @returns {HTMLElement[]} */
export function training(app) {
  const { parameters, steps, losses, numbers } = app.program.training;
  const at = app.trained;
  const slider = /** @type {HTMLInputElement} */ (
    element("input", { type: "range", "data-kept": "training", min: 0, max: steps.length - 1, step: 1, value: at, "aria-label": "the step of the training", oninput: () => app.train(Number(slider.value)) })
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

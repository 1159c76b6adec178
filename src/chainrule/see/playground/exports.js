// @ts-check
// A net on its way out of the page: as a program in Python, and as the file that `chainrule predict` reads.

import { OWN } from "./settings.js";
import { SIDES } from "./run.js";

/** A program that makes the net as it is now, and trains it on. @param {import("./run.js").Run} run */
export function toPython(run) {
  const { settings, optimizer } = run;
  const { template } = optimizer;
  const options = Object.entries(template.options).map(([name, x]) => `, ${name}=${pythonNumber(x)}`).join("");
  const state = run.names.map((name, i) => `    "${name}": ${pythonNumber(run.parameters[i])},`).join("\n");
  const { data, lines } = dataLines(settings);
  return `"""A net from chainrule's playground, after ${run.steps} steps; this program trains it on."""

${data === OWN ? "" : `from chainrule.data import ${data}\n`}from chainrule.nn import MLP
from chainrule.optim import ${template.class}
from chainrule.training import evaluate, fit

${lines}
y = [(${SIDES[settings.loss].map((x) => x.toFixed(1)).join(", ")})[label] for label in labels]

model = MLP(2, [${[...settings.hidden, 1].join(", ")}], activation="${settings.activation}", init="${settings.init}", seed=${settings.seed})
model.load_state_dict({
${state}
})

print("before:", evaluate(model, X, y, loss="${settings.loss}", metrics=["accuracy"]))
history = fit(
    model, X, y, loss="${settings.loss}", optimizer=${template.class}(model.parameters(), lr=${pythonNumber(settings.rate)}${options}),
    batch_size=${settings.batch || "None"}, validation=${settings.heldOut ? pythonNumber(settings.heldOut) : "None"}, epochs=20, seed=${settings.seed},
)
print("after: ", evaluate(model, X, y, loss="${settings.loss}", metrics=["accuracy"]))
`;
}

/** @param {import("./settings.js").Settings} settings */
function dataLines({ data, own, samples, noise, seed }) {
  if (data === OWN) {
    const rows = own.points.map(([x1, x2]) => `[${pythonNumber(x1)}, ${pythonNumber(x2)}]`).join(", ");
    return { data, lines: `X = [${rows}]\nlabels = [${own.labels.join(", ")}]` };
  }
  const size = data === "xor" ? `repeat=${Math.floor(samples / 4)}` : `n=${samples}`;
  return { data, lines: `X, labels = ${data}(${size}, noise=${pythonNumber(noise)}, seed=${seed})` };
}

/** A finite number as Python writes it. @param {number} x */
export function pythonNumber(x) {
  if (!Number.isFinite(x)) throw new RangeError(`${x} is no finite number`);
  if (Object.is(x, -0)) return "-0.0";
  return Number.isInteger(x) && Math.abs(x) < 1e16 ? x.toFixed(1) : String(x);
}

/** The document of a model for `chainrule predict`: columns x1 and x2, classes 0 and 1. @param {import("./run.js").Run} run @returns {string} */
export function toModel(run) {
  const { settings } = run;
  const input = (/** @type {string} */ name) => ({ kind: "number", name, mean: 0, scale: 1 });
  const layers = settings.hidden.map(() => settings.activation);
  return `${JSON.stringify(
    {
      format: "chainrule model",
      version: 1,
      model: "MLP",
      config: { type: "MLP", nin: 2, nouts: [...settings.hidden, 1], activations: [...layers, "linear"] },
      state: Object.fromEntries(run.names.map((name, i) => [name, run.parameters[i]])),
      extra: {
        encoder: { inputs: [input("x1"), input("x2")], target: { kind: "number", name: "class", classes: ["0", "1"] } },
        loss: settings.loss,
        trained: { data: settings.data, steps: run.steps },
      },
    },
    null,
    1,
  )}\n`;
}

/** A sample for the table that `chainrule predict` reads. @param {import("./run.js").Rows} rows */
export function toTable({ points, labels }) {
  return `x1,x2,class\n${points.map(([x1, x2], i) => `${x1},${x2},${labels[i]}\n`).join("")}`;
}

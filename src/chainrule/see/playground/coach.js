// @ts-check
// What a run shows that is worth saying: only what its numbers prove.

const LOOK_BACK = 8; // measurements
const RISE = 1.05;

/**
 * One sentence about a run; "" where there is nothing to say.
 * @param {import("./run.js").Run} run @param {import("./curve-view.js").Measured[]} history
 */
export function remarkOn(run, history) {
  const { settings } = run;
  if (run.diverged) return `${run.diverged}. The net keeps the numbers from before. A smaller rate than ${settings.rate} may help.`;
  const last = history[history.length - 1];
  if (!last || run.steps < 20) return "";
  const dead = deadNeurons(run);
  if (dead) return `${dead} ${dead === 1 ? "neuron gives" : "neurons give"} 0 for every training point, so no gradient reaches ${dead === 1 ? "its" : "their"} weights: a dead ReLU. Start again with another seed, or a smaller rate.`;
  const rise = risesHeldOut(history);
  if (rise) return `The held-out loss rises, from ${rise.low.toPrecision(3)} at its lowest to ${rise.now.toPrecision(3)}, while the training loss falls: the net learns the training points by heart.`;
  const isStraight = !settings.hidden.length || settings.activation === "linear";
  const accuracy = run.evaluate("train")?.accuracy ?? 1;
  if (isStraight && accuracy < 0.95 && run.steps > 100) return `${settings.hidden.length ? "With a linear activation" : "Without a hidden layer"} the border is a straight line, and it gets ${(100 * accuracy).toFixed(0)} % right: ${settings.hidden.length ? "another activation" : "a hidden layer"} lets it bend.`;
  if (accuracy === 1) return "Every training point is on its side of the border.";
  return "";
}

/** How many ReLUs give 0 for every training point. @param {import("./run.js").Run} run */
export function deadNeurons(run) {
  if (run.settings.activation !== "relu") return 0;
  const layers = run.activations(Float64Array.from(run.data.train.points.flat())).slice(0, -1);
  return layers.flat().filter((numbers) => numbers.every((x) => x === 0)).length;
}

/** @param {import("./curve-view.js").Measured[]} history */
function risesHeldOut(history) {
  if (history.length < 3 * LOOK_BACK) return null;
  const held = history.map((x) => x.held ?? 0);
  const low = Math.min(...held);
  const now = held[held.length - 1];
  const before = history[history.length - 1 - LOOK_BACK];
  return before.held !== null && now > RISE * low && now > before.held && history[history.length - 1].train < before.train ? { low, now } : null;
}

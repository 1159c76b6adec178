// @ts-check
// Orders the nodes of each layer so that few edges cross: what draw/ordering.py does, with the same results.

const SWEEPS = 24;
const WORK = 400_000; // the most vertices that all sweeps visit: large graphs get fewer sweeps instead of more time
const PATIENCE = 4; // the search ends after so many sweeps without progress

/**
 * Orders layers so that few edges cross.
 * @param {number[][]} layers the vertices of each layer
 * @param {number[][]} before the neighbours of each vertex in the previous layer
 * @param {number[][]} after the neighbours of each vertex in the next layer
 * @returns {number[][]}
 */
export function orderLayers(layers, before, after) {
  let current = depthFirst(layers, before, after);
  let best = current;
  let fewest = countCrossings(current, after);
  const vertices = layers.reduce((sum, layer) => sum + layer.length, 0);
  const sweeps = Math.max(2, Math.min(SWEEPS, Math.floor(WORK / Math.max(vertices, 1))));
  let stale = 0;
  for (let round = 0; round < sweeps && fewest && stale < PATIENCE; round++) {
    current = current.map((layer) => [...layer]);
    const forward = round % 2 === 0;
    sweep(forward ? current : [...current].reverse(), forward ? before : after);
    transpose(current, before, after);
    const crossings = countCrossings(current, after);
    stale++;
    if (crossings < fewest) {
      [best, fewest, stale] = [current, crossings, 0];
    }
  }
  return best;
}

/**
 * Counts the pairs of edges that cross.
 * @param {number[][]} layers
 * @param {number[][]} after
 */
export function countCrossings(layers, after) {
  let total = 0;
  for (let i = 0; i + 1 < layers.length; i++) {
    const place = placesIn(layers[i + 1]);
    const ends = layers[i].flatMap((vertex) => after[vertex].map((x) => placeOf(place, x)).sort(ascending));
    total += inversions(ends, layers[i + 1].length);
  }
  return total;
}

/**
 * Counts the pairs in the wrong order, with a Fenwick tree of the ends seen so far.
 * @param {number[]} ends
 * @param {number} width
 */
function inversions(ends, width) {
  const tree = new Int32Array(width + 1);
  let total = 0;
  ends.forEach((end, seen) => {
    let notAbove = 0;
    for (let i = end + 1; i; i &= i - 1) notAbove += tree[i];
    total += seen - notAbove;
    for (let i = end + 1; i <= width; i += i & -i) tree[i]++;
  });
  return total;
}

/**
 * The order of a depth-first search from the results; trees get no crossings.
 * @param {number[][]} layers
 * @param {number[][]} before
 * @param {number[][]} after
 */
function depthFirst(layers, before, after) {
  /** @type {Map<number, number>} */
  const layerOf = new Map();
  layers.forEach((layer, number) => layer.forEach((vertex) => layerOf.set(vertex, number)));
  /** @type {number[][]} */
  const ordered = layers.map(() => []);
  const stack = layers.flatMap((layer) => [...layer].reverse().filter((vertex) => !after[vertex].length));
  const met = new Set();
  while (stack.length) {
    const vertex = /** @type {number} */ (stack.pop());
    if (met.has(vertex)) continue;
    met.add(vertex);
    ordered[layerOf.get(vertex) ?? 0].push(vertex);
    for (let i = before[vertex].length - 1; i >= 0; i--) stack.push(before[vertex][i]);
  }
  return ordered;
}

/**
 * Sorts each layer by the mean place of its vertices' neighbours in the layer before.
 * @param {number[][]} layers
 * @param {number[][]} neighbours
 */
function sweep(layers, neighbours) {
  let place = new Map();
  for (const layer of layers) {
    const centre = new Map(
      layer.map((vertex, i) => [vertex, mean(neighbours[vertex].map((x) => placeOf(place, x)), i)]),
    );
    layer.sort((a, b) => placeOf(centre, a) - placeOf(centre, b));
    place = placesIn(layer);
  }
}

/** @param {number[]} places @param {number} otherwise */
function mean(places, otherwise) {
  return places.length ? places.reduce((sum, x) => sum + x, 0) / places.length : otherwise;
}

/**
 * Swaps neighbours where that leaves fewer crossings on their two sides together.
 * @param {number[][]} layers
 * @param {number[][]} before
 * @param {number[][]} after
 */
function transpose(layers, before, after) {
  layers.forEach((layer, number) => {
    const previous = placesIn(layers[number - 1] ?? []);
    const following = placesIn(layers[number + 1] ?? []);
    /** @type {Map<number, number[][]>} */
    const sides = new Map(
      layer.map((vertex) => [
        vertex,
        [
          before[vertex].map((x) => placeOf(previous, x)).sort(ascending),
          after[vertex].map((x) => placeOf(following, x)).sort(ascending),
        ],
      ]),
    );
    for (let i = 0; i + 1 < layer.length; i++) {
      const left = /** @type {number[][]} */ (sides.get(layer[i]));
      const right = /** @type {number[][]} */ (sides.get(layer[i + 1]));
      const now = crossingPairs(left[0], right[0]) + crossingPairs(left[1], right[1]);
      const swapped = crossingPairs(right[0], left[0]) + crossingPairs(right[1], left[1]);
      if (swapped < now) [layer[i], layer[i + 1]] = [layer[i + 1], layer[i]];
    }
  });
}

/**
 * Counts the pairs of edges that cross if the vertex with neighbours `first` precedes the one with `second`.
 * @param {number[]} first
 * @param {number[]} second
 */
function crossingPairs(first, second) {
  let total = 0;
  let smaller = 0;
  for (const place of first) {
    while (smaller < second.length && second[smaller] < place) smaller++;
    total += smaller;
  }
  return total;
}

/** @param {number[]} layer @returns {Map<number, number>} */
function placesIn(layer) {
  return new Map(layer.map((vertex, i) => [vertex, i]));
}

/** @param {Map<number, number>} places @param {number} vertex */
function placeOf(places, vertex) {
  return /** @type {number} */ (places.get(vertex));
}

/** @param {number} a @param {number} b */
export function ascending(a, b) {
  return a - b;
}

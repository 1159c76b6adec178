// @ts-check
// A layered layout: the places of boxes, and the routes of edges. What draw/layout.py does, with the same results.

import { placeAcross } from "./coordinates.js";
import { orderLayers } from "./ordering.js";

const LAYER_GAP = [14, 64]; // the smallest gap between two layers, and the largest to which steep edges widen it
const STEEPNESS = 6;
const APPROACH = 7; // edges run straight for this length before their target, to make room for an arrowhead

/** @typedef {{along: number, across: number}} Size */
/** @typedef {{along: number, across: number}} Point */

/**
 * Lays boxes out so that edges run forward.
 * @param {Size[]} sizes the sizes of the boxes
 * @param {[number, number][]} edges pairs of box numbers; sources have smaller numbers than their targets
 * @param {Size[]} labels the size of each edge's label
 * @returns {{boxes: Point[], routes: Point[][], labels: Point[], size: Size}}
 */
export function layOut(sizes, edges, labels) {
  const graph = layered(sizes, edges, labels, assignLayers(sizes.length, edges));
  graph.layers = orderLayers(graph.layers, graph.before, graph.after);
  const across = placeAcross(graph);
  const spans = placeAlong(graph, across);
  /** @type {Point[]} */
  const centre = graph.sizes.map(() => ({ along: 0, across: 0 }));
  graph.layers.forEach((layer, i) => {
    for (const vertex of layer) centre[vertex] = { along: (spans[i][0] + spans[i][1]) / 2, across: across[vertex] };
  });
  const extent = across.reduce((most, place, i) => Math.max(most, place + graph.sizes[i].across / 2), 0);
  return {
    boxes: centre.slice(0, graph.boxes),
    routes: graph.paths.map((path) => route(graph, path, centre, spans)),
    labels: graph.paths.map((path) => centre[path[path.length - 2]]),
    size: { along: spans[spans.length - 1][1], across: extent },
  };
}

/**
 * Assigns each box a layer: as early as its operands allow, then later where that shortens the edges.
 * @param {number} count
 * @param {[number, number][]} edges
 */
export function assignLayers(count, edges) {
  const layers = new Array(count).fill(0);
  /** @type {Set<number>[]} */
  const sources = layers.map(() => new Set());
  /** @type {Set<number>[]} */
  const targets = layers.map(() => new Set());
  for (const [source, target] of edges) {
    sources[target].add(source);
    targets[source].add(target);
  }
  for (let box = 0; box < count; box++) {
    layers[box] = 0;
    for (const source of sources[box]) layers[box] = Math.max(layers[box], layers[source] + 1);
  }
  for (let box = count - 1; box >= 0; box--) {
    if (sources[box].size < targets[box].size) {
      let first = Infinity;
      for (const target of targets[box]) first = Math.min(first, layers[target]);
      layers[box] = first - 1;
    }
  }
  return layers;
}

/**
 * Builds the layered graph: boxes on even layers, labels on odd ones, bends wherever else an edge crosses a layer.
 * @param {Size[]} sizes
 * @param {[number, number][]} edges
 * @param {Size[]} labels
 * @param {number[]} layers
 * @returns {import("./coordinates.js").Layered}
 */
function layered(sizes, edges, labels, layers) {
  const count = sizes.length;
  const last = layers.reduce((most, layer) => Math.max(most, layer), 0);
  /** @type {import("./coordinates.js").Layered} */
  const graph = {
    sizes: [...sizes],
    boxes: count,
    layerOf: layers.map((layer) => 2 * layer),
    layers: Array.from({ length: 2 * last + 1 }, () => []),
    before: sizes.map(() => []),
    after: sizes.map(() => []),
    paths: [],
  };
  layers.forEach((layer, box) => graph.layers[2 * layer].push(box));
  /** @param {number} layer @param {Size} size @param {number} previous */
  const add = (layer, size, previous) => {
    const vertex = graph.sizes.length;
    graph.sizes.push(size);
    graph.layerOf.push(layer);
    graph.before.push([previous]);
    graph.after.push([]);
    graph.after[previous].push(vertex);
    graph.layers[layer].push(vertex);
    return vertex;
  };
  const trunks = sizes.map((_, box) => [box]); // all edges from one source share one path up to the fork
  edges.forEach(([source, target], i) => {
    const first = 2 * layers[source];
    const labelLayer = 2 * layers[target] - 1;
    const trunk = trunks[source];
    while (first + trunk.length < labelLayer) {
      trunk.push(add(first + trunk.length, { along: 0, across: 0 }, trunk[trunk.length - 1]));
    }
    const bends = trunk.slice(0, labelLayer - first);
    const vertex = add(labelLayer, labels[i], bends[bends.length - 1]);
    graph.after[vertex].push(target);
    graph.before[target].push(vertex);
    graph.paths.push([...bends, vertex, target]);
  });
  return graph;
}

/**
 * The start and the end of each layer.
 * @param {import("./coordinates.js").Layered} graph
 * @param {number[]} across
 */
function placeAlong(graph, across) {
  /** @type {[number, number][]} */
  const spans = [];
  for (const layer of graph.layers) {
    let start = 0;
    if (spans.length) {
      let climb = 0;
      for (const v of layer) for (const u of graph.before[v]) climb = Math.max(climb, Math.abs(across[v] - across[u]));
      start = spans[spans.length - 1][1] + Math.min(Math.max(LAYER_GAP[0], climb / STEEPNESS), LAYER_GAP[1]);
    }
    spans.push([start, start + layer.reduce((most, vertex) => Math.max(most, graph.sizes[vertex].along), 0)]);
  }
  return spans;
}

/**
 * The points of an edge. It crosses every layer straight, and changes its place only between layers.
 * @param {import("./coordinates.js").Layered} graph
 * @param {number[]} path
 * @param {Point[]} centre
 * @param {[number, number][]} spans
 */
function route(graph, path, centre, spans) {
  const source = path[0];
  const target = path[path.length - 1];
  let layer = graph.layerOf[source];
  const points = [
    { along: centre[source].along + graph.sizes[source].along / 2, across: centre[source].across },
    { along: spans[layer][1], across: centre[source].across },
  ];
  for (const vertex of path.slice(1, -1)) {
    layer++;
    for (const border of spans[layer]) points.push({ along: border, across: centre[vertex].across });
  }
  points.push({ along: spans[layer + 1][0] - APPROACH, across: centre[target].across });
  points.push({ along: centre[target].along - graph.sizes[target].along / 2, across: centre[target].across });
  return points;
}

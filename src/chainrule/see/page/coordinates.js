// @ts-check
// Places the nodes of ordered layers so that edges run straight: what draw/coordinates.py does, with the same results.

/**
 * @typedef {object} Layered a proper layered graph: all edges run between neighbouring layers
 * @property {{along: number, across: number}[]} sizes
 * @property {number} boxes vertices from this number on are virtual: bends and labels of edges
 * @property {number[]} layerOf
 * @property {number[][]} layers
 * @property {number[][]} before
 * @property {number[][]} after
 * @property {number[][]} paths
 */

const BOX_GAP = 18;
const EDGE_GAP = 9;

/**
 * The centre of each vertex across the direction of the edges; the smallest border is at 0.
 * @param {Layered} graph
 * @returns {number[]}
 */
export function placeAcross(graph) {
  const forbidden = conflicts(graph);
  const candidates = [];
  for (const [neighbours, backward] of /** @type {[number[][], boolean][]} */ ([[graph.before, false], [graph.after, true]])) {
    for (const mirrored of [false, true]) {
      const layers = graph.layers.map((layer) => (mirrored ? [...layer].reverse() : layer));
      const block = align(backward ? [...layers].reverse() : layers, neighbours, forbidden);
      const places = pack(layers, block, graph);
      candidates.push(mirrored ? places.map((place) => -place) : places);
    }
  }
  return balance(graph, candidates);
}

/** @param {Layered} graph @param {number} first @param {number} second */
function separation(graph, first, second) {
  const gap = first >= graph.boxes || second >= graph.boxes ? EDGE_GAP : BOX_GAP;
  return (graph.sizes[first].across + graph.sizes[second].across) / 2 + gap;
}

/** @param {number} a @param {number} b */
const pairOf = (a, b) => a * 2 ** 26 + b;

/**
 * Edges that must not be aligned because they cross an edge between two virtual vertices: long edges stay straight.
 * @param {Layered} graph
 */
function conflicts(graph) {
  /** @type {Set<number>} */
  const marked = new Set();
  for (let number = 0; number + 1 < graph.layers.length; number++) {
    const upper = graph.layers[number];
    const lower = graph.layers[number + 1];
    const place = new Map(upper.map((vertex, i) => [vertex, i]));
    let start = 0;
    let left = 0;
    lower.forEach((vertex, i) => {
      const inner = vertex >= graph.boxes ? graph.before[vertex].find((x) => x >= graph.boxes) : undefined;
      if (inner === undefined && i < lower.length - 1) return;
      const right = inner === undefined ? upper.length : place.get(inner) ?? 0;
      for (const scanned of lower.slice(start, i + 1)) {
        for (const neighbour of graph.before[scanned]) {
          const bothVirtual = neighbour >= graph.boxes && scanned >= graph.boxes;
          const at = place.get(neighbour) ?? 0;
          if (!bothVirtual && !(left <= at && at <= right)) marked.add(pairOf(neighbour, scanned));
        }
      }
      [start, left] = [i + 1, right];
    });
  }
  return marked;
}

/**
 * Aligns vertices in blocks that get one place; returns for each vertex one member of its block.
 * @param {number[][]} layers
 * @param {number[][]} neighbours
 * @param {Set<number>} forbidden
 */
function align(layers, neighbours, forbidden) {
  const block = neighbours.map((_, i) => i);
  const taken = neighbours.map(() => false);
  /** @type {Map<number, number>} */
  let place = new Map();
  for (const layer of layers) {
    let last = -1;
    for (const vertex of layer) {
      const around = [...neighbours[vertex]].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
      const middle = (around.length - 1) / 2;
      const medians = around.length ? [...new Set([Math.trunc(middle), Math.trunc(middle + 0.5)])] : [];
      for (const i of medians) {
        const other = around[i];
        const at = place.get(other) ?? 0;
        const allowed = !forbidden.has(pairOf(other, vertex)) && !forbidden.has(pairOf(vertex, other));
        if (!taken[other] && last < at && allowed) {
          taken[other] = true;
          block[vertex] = block[other];
          last = at;
          break;
        }
      }
    }
    place = new Map(layer.map((vertex, i) => [vertex, i]));
  }
  return block;
}

/**
 * The tightest places with every block straight.
 * @param {number[][]} layers
 * @param {number[]} block
 * @param {Layered} graph
 */
function pack(layers, block, graph) {
  /** @type {[number, number][][]} */
  const above = block.map(() => []);
  /** @type {[number, number][][]} */
  const below = block.map(() => []);
  for (const layer of layers) {
    for (let i = 0; i + 1 < layer.length; i++) {
      const distance = separation(graph, layer[i], layer[i + 1]);
      above[block[layer[i + 1]]].push([block[layer[i]], distance]);
      below[block[layer[i]]].push([block[layer[i + 1]], distance]);
    }
  }
  const order = topological([...new Set(block)].sort((a, b) => a - b), above, below);
  const place = block.map(() => 0);
  for (const b of order) place[b] = above[b].reduce((most, [x, distance]) => Math.max(most, place[x] + distance), above[b].length ? -Infinity : 0);
  for (const b of order.reverse()) {
    if (below[b].length) {
      place[b] = Math.max(place[b], below[b].reduce((least, [x, distance]) => Math.min(least, place[x] - distance), Infinity));
    }
  }
  return block.map((b) => place[b]);
}

/**
 * @param {number[]} blocks
 * @param {[number, number][][]} above
 * @param {[number, number][][]} below
 */
function topological(blocks, above, below) {
  const waiting = new Map(blocks.map((b) => [b, above[b].length]));
  const order = blocks.filter((b) => !above[b].length);
  for (const b of order) {
    for (const [other] of below[b]) {
      const left = (waiting.get(other) ?? 0) - 1;
      waiting.set(other, left);
      if (!left) order.push(other);
    }
  }
  return order;
}

/**
 * Shifts the four placements to the narrowest one, and takes the mean of each vertex's two middle places.
 * @param {Layered} graph
 * @param {number[][]} candidates
 */
function balance(graph, candidates) {
  const halves = graph.sizes.map((size) => size.across / 2);
  const low = (/** @type {number[]} */ c) => c.reduce((least, p, i) => Math.min(least, p - halves[i]), c.length ? Infinity : 0);
  const high = (/** @type {number[]} */ c) => c.reduce((most, p, i) => Math.max(most, p + halves[i]), c.length ? -Infinity : 0);
  const lows = candidates.map(low);
  const highs = candidates.map(high);
  let narrowest = 0;
  for (let i = 1; i < 4; i++) if (highs[i] - lows[i] < highs[narrowest] - lows[narrowest]) narrowest = i;
  const shifted = candidates.map((places, i) => {
    const shift = i % 2 ? highs[narrowest] - highs[i] : lows[narrowest] - lows[i];
    return places.map((place) => place + shift);
  });
  const middle = graph.sizes.map((_, i) => {
    const ordered = shifted.map((places) => places[i]).sort((a, b) => a - b);
    return (ordered[1] + ordered[2]) / 2;
  });
  const least = low(middle);
  return middle.map((place) => place - least);
}

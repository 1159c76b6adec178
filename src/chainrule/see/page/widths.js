// @ts-check
// Widths of text, as draw/theme.py estimates them. Made by tools/text_widths.py; changes belong there.

const NARROW_LETTERS = new Set(" !'(),.:;I[]fijlrt{|}");
const BROAD_LETTERS = new Set("%@MOQWmwΣ—…√≠≤≥");

// Ranges of characters, each as its distance from the one before and its length, in base 36.
const WIDE = rangesOf("3cw 2n 3i3 1 e 1 5b 3 4 0 3 0 ei 1 m 1 1f b 18 0 k 0 e 0 9 1 i 1 6 1 9 0 6 0 m 0 8 1 2 0 5 0 3 0 8 0 5 1 t 0 10 0 2 0 5 2 2 0 1q 2 p 0 f 0 nw 1 1g 0 5 0 mj ce 3 ee 9 5f3 1t h52 wq s hw 8mb 6l9 d5 mv 9 n 1n 46 2n 3k 6 m4a d97 c21 0 5n 0 5b 0 3 9 2u 80 d 8 2 1x 2 l d 16 5 4 d g 4 0 4 1y 2 0 2 56 3 1q e 3 2 n j 0 r 1 e 0 2f 2c 1d 1x 7 0 4 2 3 a c 1 8 8 6c g 7w 1a 2 9 2 54 35 3q zu 1idm");
const COMBINING = rangesOf("lc 26 2 v 7o 4 7e 18 2 0 2 1 2 1 2 0 21 a 1d k h 0 2u 6 3 5 3 1 2 3 10 0 v q 4h 8 a 0 p 3 2 8 2 2 2 4 18 2 1p 7 17 n 2 s 1p 0 h 0 4 3 2w 0 h 0 1d 0 1q 0 h 0 33 0 h 0 33 0 h 0 3k 0 33 0 h 9 2u 0 h 0 32 1 h 0 3h 0 32 2 e 3 31 2 e 3 25 1 s 0 2 0 2 0 1k 1 2 0 6 3 3 0 2 2 2 1 1r 0 35 0 2 1 2b 0 k0 2 qd 1 v 0 4e 0 b 0 5o 0 40 2 64 1 20 0 l a 1d d 2 f 2u 0 g 0 13 8 1j 1 1n 0 c 1 1w 0 49 2 2 c 2 6 5 0 7 0 4 1 5j 1r k1 c 5 0 4 b 2db 2 3y 0 2p v ff 5 2y 1 n9x 0 5 9 x 1 29 1 7p 0 12 0 48 0 s h 1m 2 12 0 2o 0 d 0 6o 0 2 2 3 1 6 1 2 0 1h 0 6v 0 fn5 0 le f r2 0 6b 0 46 4 1ar 0 2 0 15 7 4m 1 fy 3 as 1 4a a 1e 3 5d 0 16 0 f 0 1m 1 1y 2 1d 1 1r 0 25 0 a 0 2z 1 4z 1 29 1 h 0 p e 5q 0 4 0 o 0 2s 1 70 1 3j 0 3b 1 38 0 7i 1 77 1 5 0 4d 0 2c 0 j 0 2a 0 bq 0 77 0 2 1 2a 0 fa1 4 1o 6 xm 1 f59 0 43r 4 4 5 9 7 3 6 v 3 45 2 2po 16 7a 6 ag 0 1q 3 15t 6 32 6");

/** @param {string} text @returns {[number, number][]} */
function rangesOf(text) {
  const steps = text.split(" ").map((x) => parseInt(x, 36));
  /** @type {[number, number][]} */
  const ranges = [];
  for (let i = 0, at = 0; i < steps.length; i += 2) {
    const start = at + steps[i];
    at = start + steps[i + 1];
    ranges.push([start, at]);
  }
  return ranges;
}

/** @param {number} code @param {[number, number][]} ranges */
function isIn(code, ranges) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < code) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low][0] <= code;
}

/**
 * The largest width of a text in any of the fonts, rather over- than underestimated.
 * @param {string} text
 * @param {number} size
 * @param {boolean} [mono]
 */
export function textWidth(text, size, mono = false) {
  let width = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    if (isIn(code, COMBINING)) continue;
    if (isIn(code, WIDE)) width += mono || !NARROW_LETTERS.has(letter) ? 1.15 : 0.43;
    else if (mono) width += code < 128 ? 0.62 : 0.75;
    else width += NARROW_LETTERS.has(letter) ? 0.43 : BROAD_LETTERS.has(letter) ? 1.02 : 0.7;
  }
  return Math.round(size * width * 1000) / 1000;
}

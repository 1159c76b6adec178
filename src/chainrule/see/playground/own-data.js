// @ts-check
// Points of one's own, from pasted text: one a line, x1, x2 and a class, in commas, semicolons, tabs or blanks.

import { MOST_POINTS, numberOf } from "./settings.js";

const MOST_LETTERS = 100_000;

/**
 * Reads pasted text. The first line may have the names of columns.
 * @param {string} text @returns {{points: [number, number][], labels: number[], classes: string[]}}
 * @throws {RangeError} it is no such text; the message says which line
 */
export function parsePasted(text) {
  if (text.length > MOST_LETTERS) throw new RangeError(`The text has ${text.length.toLocaleString("en")} letters: at most ${MOST_LETTERS.toLocaleString("en")} are read.`);
  /** @type {[number, number][]} */
  const points = [];
  /** @type {string[]} */
  const names = [];
  let isFirst = true;
  text.split(/\r\n?|\n/).forEach((line, i) => {
    if (!line.trim()) return;
    const cells = cellsOf(line);
    const where = `Line ${i + 1}, “${line.trim().slice(0, 40)}”`;
    if (cells.length !== 3) throw new RangeError(`${where}: 3 cells are wanted, x1, x2 and the class, not ${cells.length}.`);
    const isHead = isFirst && cells.slice(0, 2).every(isName);
    isFirst = false;
    if (isHead) return;
    const [x1, x2] = cells.slice(0, 2).map(numberOf);
    if (!(Math.abs(x1) <= 1e6 && Math.abs(x2) <= 1e6)) throw new RangeError(`${where}: x1 and x2 must be numbers from -1000000 to 1000000.`);
    points.push([x1, x2]);
    names.push(cells[2]);
  });
  if (points.length > MOST_POINTS) throw new RangeError(`There are ${points.length} points: at most ${MOST_POINTS} are taken.`);
  const classes = [...new Set(names)].sort();
  if (classes.length !== 2) throw new RangeError(`Two classes are wanted, and the third cells have ${classes.length}${classes.length ? `: ${classes.slice(0, 5).map((x) => x.slice(0, 20)).join(", ")}` : ""}.`);
  return { points, labels: names.map((name) => classes.indexOf(name)), classes };
}

/** Whether a cell is the name of a column, and no number by any spelling. @param {string} cell */
const isName = (cell) => /^[\p{L}_]/u.test(cell) && !/^(nan|inf|infinity)$/i.test(cell);

/** @param {string} line */
function cellsOf(line) {
  const separator = ["\t", ";", ","].find((x) => line.includes(x));
  return (separator ? line.split(separator) : line.trim().split(/\s+/)).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
}

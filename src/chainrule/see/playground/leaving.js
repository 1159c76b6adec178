// @ts-check
// How things leave the page: as files that the browser keeps, and as a picture.

import { paintMap } from "./colours.js";

const PICTURE = 900; // pixels a side

/** Offers a file. @param {string} name @param {BlobPart} content @param {string} type */
export function offer(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * A picture of the field: the map, the border and the points.
 * @param {import("./field-view.js").FieldView} field @param {ArrayLike<number>} numbers @param {(x: number) => number} scaled @param {import("./run.js").Run} run
 * @returns {Promise<Blob>}
 */
export function pictureOf(field, numbers, scaled, run) {
  const [small, large] = [document.createElement("canvas"), document.createElement("canvas")];
  paintMap(small, numbers, scaled);
  [large.width, large.height] = [PICTURE, PICTURE];
  const context = /** @type {CanvasRenderingContext2D} */ (large.getContext("2d"));
  context.drawImage(small, 0, 0, PICTURE, PICTURE);
  const scale = PICTURE / 100;
  context.scale(scale, scale);
  const style = getComputedStyle(field.svg);
  context.strokeStyle = style.getPropertyValue("--ink");
  context.lineWidth = 0.5;
  context.stroke(new Path2D(field.border.getAttribute("d") ?? ""));
  for (const [rows, isHeld] of /** @type {const} */ ([[run.data.train, false], [run.data.heldOut, true]])) {
    rows.points.forEach((point, i) => {
      const [x, y] = field.toDrawing(point);
      const shape = new Path2D();
      if (rows.labels[i]) shape.rect(-1.3, -1.3, 2.6, 2.6);
      else shape.arc(0, 0, 1.6, 0, 2 * Math.PI);
      context.save();
      context.translate(x, y);
      if (rows.labels[i]) context.rotate(Math.PI / 4);
      context.fillStyle = isHeld ? style.getPropertyValue("--back") : style.getPropertyValue(`--class-${rows.labels[i]}`);
      context.strokeStyle = isHeld ? style.getPropertyValue(`--class-${rows.labels[i]}`) : style.getPropertyValue("--back");
      context.fill(shape);
      context.stroke(shape);
      context.restore();
    });
  }
  return new Promise((done, failed) => large.toBlob((blob) => (blob ? done(blob) : failed(new Error("this browser makes no PNG"))), "image/png"));
}

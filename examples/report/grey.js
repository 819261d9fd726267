// SPDX-License-Identifier: Apache-2.0
"use strict";
// Numbers as pixels.

{
  /** [r, g, b] of "#rrggbb". */
  const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const put = (canvas, width, height, paint) => {
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    paint(new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
  };
  const packed = (r, g, b) => (255 << 24) | (b << 16) | (g << 8) | r;

  /** White at 0 and black at `window`, like a DSA, or the other way round; what is not known is tinted. */
  report.paintGrey = (canvas, values, width, height, window, inverted = false) => {
    put(canvas, width, height, (pixels) => {
      for (let i = 0; i < pixels.length; ++i) {
        const value = values[i];
        const dark = Math.min(Math.max(value / window, 0), 1);
        const grey = Math.round(255 * (inverted ? dark : 1 - dark));
        pixels[i] = Number.isNaN(value) ? packed(120, 130, 150) : packed(grey, grey, grey);
      }
    });
  };

  /** Paper at 0 and what is not known, the first colour's full tone at −most, the second's at most. */
  const paintTones = (canvas, values, width, height, most, less, more) => {
    const paper = channels(report.color("paper"));
    const ends = [channels(report.color(less)), channels(report.color(more))];
    put(canvas, width, height, (pixels) => {
      for (let i = 0; i < pixels.length; ++i) {
        const value = values[i];
        const share = Number.isNaN(value) ? 0 : Math.min(Math.abs(value) / most, 1);
        const end = ends[value > 0 ? 1 : 0];
        pixels[i] = packed(...paper.map((p, c) => Math.round(p + (end[c] - p) * share)));
      }
    });
  };

  /** Red where there is too much, blue where there is too little, paper where it is right; full colour at `most`. */
  report.paintDifference = (canvas, values, width, height, most) =>
    paintTones(canvas, values, width, height, most, "less", "more");

  /** How far a picture may be off: a tone that no other picture has. */
  report.paintDeviation = (canvas, values, width, height, most) =>
    paintTones(canvas, values, width, height, most, "spread", "spread");

  /** Means of factor × factor pixels. */
  report.binned = (values, width, height, factor) => {
    if (factor === 1) return values;
    const w = width / factor;
    const means = new Float32Array(w * (height / factor));
    for (let y = 0; y < height; ++y)
      for (let x = 0; x < width; ++x)
        means[Math.floor(y / factor) * w + Math.floor(x / factor)] += values[y * width + x] / (factor * factor);
    return means;
  };
}

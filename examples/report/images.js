// SPDX-License-Identifier: Apache-2.0
"use strict";
// The views' images, unpacked when they are first asked for.

if (report.data.images) {
  const about = report.data.images;
  const cache = new Map();

  /** Codes as values; 255 is a pixel that does not count. */
  const unpacked = async (name, width, largest = about.largest) => {
    const codes = await report.bytes(name);
    if (!codes) return null;
    const values = new Float32Array(codes.length);
    const step = largest / about.codes;
    for (let i = 0, code = 0; i < codes.length; ++i) {
      code = i % width === 0 ? codes[i] : (code + codes[i]) & 255;
      values[i] = code > about.codes ? NaN : code * step;
    }
    return values;
  };
  const once = (name, make) => {
    if (!cache.has(name)) cache.set(name, make());
    return cache.get(name);
  };

  const fineWidth = about.width * about.fine;
  report.images = {
    ...about,
    fineWidth,
    fineHeight: about.height * about.fine,
    hasTruth: about.views.some((view) => view.reference),
    truthName: about.reference_scale > 1 ? "High-resolution truth" : "Truth without noise",
    /** Width, height and factor to the measurement's pixels. */
    sizes: Object.fromEntries(
      [["measured", 1], ["rendered", about.fine], ["reference", about.reference_fine]].map(([kind, fine]) => [
        kind,
        [about.width * fine, about.height * fine, fine],
      ]),
    ),
    hasRenders: about.views.some((view) => view.rendered),
    measured: (i) => once(`m${i}`, () => unpacked(about.views[i].measured, about.width)),
    rendered: (i) => once(`r${i}`, () => unpacked(about.views[i].rendered, fineWidth)),
    reference: (i) => once(`t${i}`, () => unpacked(about.views[i].reference, about.width * about.reference_fine)),
    /** Standard deviations of the renders, on the measurement's pixels; null: there are none. */
    deviation: (i) => once(`d${i}`, () => unpacked(about.views[i].deviation, about.width, about.error_bars?.largest)),
    /** Renders from the pose of one view at the times of all: one array after the other. */
    course: (i) => once(`g${i}`, () => unpacked(about.grid?.blobs[i], about.grid?.width)),
    name: (i) => {
      const view = about.views[i];
      return `view ${view.view}, ${view.held_out ? "held out" : "trained on"}`;
    },
    angle: (i) => {
      const view = about.views[i];
      const tilt = Math.abs(view.secondary_deg) < 0.05 ? "" : `, tilt ${report.number(view.secondary_deg, 1)}°`;
      return `${report.number(view.primary_deg, 1)}°${tilt}`;
    },
  };
}

// SPDX-License-Identifier: Apache-2.0
"use strict";
// What error bars mean, how large they are and how often they hold, in words.

if (report.images?.error_bars) {
  const { byId, data, element, images, number } = report;
  const bars = images.error_bars;
  const truth = bars.against === "reference";
  byId("bars").hidden = false;
  const few = data.geometry.train.length <= 8 ? " With as few training views as here they are too small." : "";
  byId("bars-text").textContent =
    "The error bar of a pixel is the standard deviation of its rendered line integral. Where a model shows something, half of " +
    "the errors lay within 0.67 of it, nine tenths within 1.64 and nineteen of twenty within 1.96, to about five points, on simulated " +
    "trees with 16 to 66 training views. It follows what the model left unexplained in the views it was trained on." +
    few +
    " Not in it are vessels that the model misses, since it has nothing there; errors that all views share, such as wrong poses or " +
    "ghosts in depth; and the noise of a measurement.";

  const percent = (value, digits) => (typeof value === "number" ? `${number(value, digits)} %` : "–");
  const least = `${report.figures(bars.shown_above_percent)} % of the brightest rendered`;
  const within = truth ? "Truth within 1.64 error bars" : "Measurement within 1.64 error bars";
  const show = (i) => {
    const view = images.views[i];
    const facts = [
      ["Error bar, all views shown", `${percent(bars.deviation_percent, 1)} of the brightest line integral (root mean square over pixels above ${least})`],
      [`Error bar, view ${view.view}`, percent(view.deviation_percent, 1)],
    ];
    const right = truth
      ? "; 90 % would be right"
      : "; less than 90 % is to be expected, because the noise of the measurement comes on top of the error of the render";
    if (bars.within_percent !== null)
      facts.push(
        [`${within}, all views`, `${percent(bars.within_percent, 0)} of the same pixels${right}`],
        [`${within}, view ${view.view}`, percent(view.within_percent, 0)],
      );
    byId("bars-facts").replaceChildren(
      ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  };
  report.on("view", show);
}

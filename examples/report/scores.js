// SPDX-License-Identifier: Apache-2.0
"use strict";
// Scores of each view in both protocols.

if (report.data.scores?.low || report.data.scores?.high) {
  const { byId, data, element, number } = report;
  const scores = data.scores;
  const [level, measure] = ["scores-level", "scores-measure"].map(byId);
  byId("scores").hidden = false;
  const levels = {
    ...(scores.high ? { high: `the ${scores.high.scale > 1 ? "high-resolution truth" : "truth without noise"} (${(scores.high.size_px ?? []).join(" × ")})` } : {}),
    ...(scores.low ? { low: `the measurement (${(scores.low.size_px ?? []).join(" × ")})` } : {}),
  };
  level.append(...Object.entries(levels).map(([value, text]) => element("option", { value, textContent: text })));
  byId("scores-text").textContent =
    (scores.set === "train"
      ? "No view was held out: these are views the model was trained on, and say little about others. "
      : "These views were kept from the training. ") +
    "Two protocols are in use and give different numbers for the same picture. Fixed: one range of grey values for the " +
    "whole sweep, the largest true value. 4drgs: picture and truth each stretched to their own range first, so a factor " +
    "between them does not count. Means leave out views in which contrast has not arrived.";

  // A row is [view, time, fixed PSNR, fixed SSIM, 4drgs PSNR, 4drgs SSIM].
  const columns = () => (measure.value === "psnr" ? [2, 4] : [3, 5]);
  const curves = report.makeCurves(byId("scores-curve"), () => {
    const rows = scores[level.value].views;
    if (rows.length < 2) return null;
    return {
      x: rows.map((row) => row[1]),
      xLabel: "time, s",
      yLabel: measure.value === "psnr" ? "PSNR, dB" : "SSIM",
      series: ["fixed", "4drgs"].map((name, i) => ({
        label: name,
        color: report.pointColors[i],
        dots: rows.length < 60,
        values: rows.map((row) => row[columns()[i]]),
      })),
    };
  });
  const cells = (row, tag = "td") =>
    [row[2], row[3], row[4], row[5]].map((value, i) => element(tag, {}, number(value, i % 2 === 0 ? 2 : 3)));
  const drawTable = () => {
    const { views, mean, blank } = scores[level.value];
    const shown = new Set((data.images?.views ?? []).map((view) => view.view));
    const head = element("thead", {},
      element("tr", {}, element("th", { rowSpan: 2, scope: "col" }, "View"), element("th", { rowSpan: 2, scope: "col" }, "Time, s"),
        element("th", { colSpan: 2, scope: "colgroup" }, "fixed"), element("th", { colSpan: 2, scope: "colgroup" }, "4drgs")),
      element("tr", {}, ...["PSNR, dB", "SSIM", "PSNR, dB", "SSIM"].map((text) => element("th", { scope: "col" }, text))));
    const rows = [element("tr", { className: "mean" }, element("th", { scope: "row" }, "Mean"), element("td", {}, ""), ...cells(mean))];
    if (level.value === "low")
      for (const { name, mean: other } of scores.baselines)
        rows.push(element("tr", { className: "other" }, element("th", { scope: "row" }, `Mean of ${name}`), element("td", {}, ""), ...cells(other)));
    for (const row of views) {
      const name = element("th", { scope: "row" });
      if (shown.has(row[0]) && report.showView) {
        const button = element("button", { type: "button", className: "link", textContent: String(row[0]), title: "Show this view" });
        button.addEventListener("click", () => report.showView(row[0]));
        name.append(button);
      } else {
        name.append(String(row[0] ?? "–"));
      }
      rows.push(element("tr", { className: blank.includes(row[0]) ? "blank" : "" }, name,
        element("td", {}, number(row[1]), blank.includes(row[0]) ? element("span", { className: "wide" }, " (no contrast)") : null), ...cells(row)));
    }
    byId("scores-table").replaceChildren(head, element("tbody", {}, ...rows));
  };
  level.addEventListener("input", () => {
    drawTable();
    curves.update();
  });
  measure.addEventListener("input", curves.update);
  drawTable();

  if (scores.volume) {
    byId("volume-scores").hidden = false;
    const v = scores.volume;
    const facts = [
      ["Moment", typeof v.time_s === "number" ? `${number(v.time_s)} s` : v.time_s],
      ["PSNR", `${number(v.psnr_db, 1)} dB`],
      ["SSIM", number(v.ssim, 3)],
      ["Dice of the vessels", number(v.dice, 3)],
      ["Distance between surfaces (Chamfer)", `${number(v.chamfer_mm)} mm`],
      ["95 % of surface points within (HD95)", `${number(v.hd95_mm)} mm`],
      ["A voxel is vessel above", `${report.figures(1000 * v.surface_threshold_per_mm)} 1/m`],
    ];
    byId("volume-facts").append(...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
  }
}

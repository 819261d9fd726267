// SPDX-License-Identifier: Apache-2.0
"use strict";
// How the training went.

if (report.data.log?.step?.length) {
  const { byId, data } = report;
  const log = data.log;
  byId("training").hidden = false;
  const names = {
    loss: "all",
    l_gt: "against the measurement",
    l_sr: "against the finer target",
    total_variation: "total variation",
    table_variation: "of the tables",
  };
  const isUsed = (column) => log[column]?.some((value) => value > 0);
  report.makeCurves(byId("loss-curve"), () => ({
    x: log.step,
    xLabel: "step",
    yLabel: "loss",
    log: true,
    series: Object.keys(names).filter(isUsed).map((column, i) => ({
      label: names[column],
      color: report.pointColors[i],
      values: log[column].map((value) => (value > 0 ? value : null)),
    })),
  }));
  report.makeCurves(byId("count-curve"), () => ({
    x: log.step,
    xLabel: "step",
    yLabel: "Gaussians",
    series: [{ label: "Gaussians", color: report.pointColors[2], values: log.gaussians }],
  }));
  byId("training-text").textContent =
    "Each point is one step on one view, so the loss jumps from view to view; what counts is its course. Click a name below a plot to hide its curve; drag in a plot to zoom, double-click to see all.";
}

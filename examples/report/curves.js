// SPDX-License-Identifier: Apache-2.0
"use strict";
// Curves, drawn by uPlot where the program was built with it.

/**
 * Curves in `holder`: `describe()` gives { x, xLabel, yLabel, log, series: [{ label, color, values, dots, dash }], at },
 * where `at` is an x to mark. The result's update() asks again.
 */
report.makeCurves = (holder, describe, height = 260) => {
  let plot = null;
  if (typeof uPlot === "undefined") {
    holder.replaceChildren(
      report.element("p", { className: "fine", textContent: "No curves: this program was built without uPlot." }),
    );
    const update = () => (holder.hidden = !describe());
    update();
    return { update };
  }
  const marked = (u, at) => {
    if (at === undefined) return;
    const x = Math.round(u.valToPos(at, "x", true));
    u.ctx.save();
    u.ctx.strokeStyle = report.color("accent");
    u.ctx.setLineDash([4, 4]);
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
    u.ctx.restore();
  };
  const update = report.onceAFrame(() => {
    const curves = describe();
    plot?.destroy();
    plot = null;
    holder.hidden = !curves;
    if (!curves) return;
    const axis = (label, more) => ({
      label,
      stroke: report.color("soft"),
      grid: { stroke: report.color("line"), width: 1 },
      ticks: { stroke: report.color("line"), width: 1 },
      font: "12px system-ui, sans-serif",
      labelFont: "12px system-ui, sans-serif",
      ...more,
    });
    const options = {
      width: Math.max(holder.clientWidth, 200),
      height,
      cursor: { points: { size: 7 } },
      scales: { x: { time: false }, y: curves.log ? { distr: 3 } : {} },
      axes: [axis(curves.xLabel, {}), axis(curves.yLabel, { size: 64, values: (u, ticks) => ticks.map((v) => (v === null ? "" : report.figures(v))) })],
      series: [
        { label: curves.xLabel, value: (u, v) => (v === null ? "–" : report.figures(v)) },
        ...curves.series.map((series) => ({
          label: series.label,
          stroke: series.color,
          width: 1.75,
          dash: series.dash,
          points: { show: Boolean(series.dots), size: 5, fill: series.color },
          value: (u, v) => (v === null || v === undefined ? "–" : report.figures(v)),
        })),
      ],
      hooks: { draw: [(u) => marked(u, curves.at)] },
    };
    plot = new uPlot(options, [curves.x, ...curves.series.map((series) => series.values)], holder);
  });
  let width = 0;
  new ResizeObserver(() => {
    if (holder.clientWidth === width) return;
    width = holder.clientWidth;
    plot?.setSize({ width: Math.max(width, 200), height });
  }).observe(holder);
  report.on("theme", update);
  update();
  return { update };
};

// SPDX-License-Identifier: Apache-2.0
"use strict";
// Sliders over time and angle: a render, the measurement beside it where there is one, and their difference.

if (report.images?.hasRenders) {
  const { byId, images, number } = report;
  const [angle, time, follow, windowRange] = ["angle", "time", "follow", "window"].map(byId);
  const views = images.views;
  const last = views.length - 1;
  byId("views").hidden = false;
  angle.max = time.max = last;
  byId("against-label").hidden = !images.hasTruth;
  byId("third-label").hidden = !images.error_bars;
  byId("against").options[1].textContent = images.truthName.toLowerCase();

  // Where a good share of the contrast has arrived there is most to see.
  const start = Math.round(last * 0.6);
  angle.value = time.value = start;
  windowRange.value = Math.min(100, Math.round((100 * images.window) / images.largest));
  const shown = { values: null, truth: null, difference: null, deviation: null, width: 1, height: 1 };
  const readout = byId("view-readout");

  const hover = (u, v) => {
    if (u === null || !shown.values) {
      readout.textContent = " ";
      return;
    }
    const at = (array, width, height) => array[Math.floor(v * height) * width + Math.floor(u * width)];
    const parts = [`rendered ${number(at(shown.values, shown.width, shown.height), 4)}`];
    if (shown.deviation) parts[0] += ` ± ${number(at(shown.deviation, images.width, images.height), 4)} (standard deviation)`;
    if (shown.truth) {
      const { truthWidth: w, truthHeight: h } = shown;
      const difference = at(shown.difference, w, h);
      parts.unshift(`${byId("against").value === "reference" ? "true" : "measured"} ${number(at(shown.truth, w, h), 4)}`);
      parts.push(`difference ${difference > 0 ? "+" : ""}${number(difference, 4)}`);
    }
    readout.textContent = `Line integral at the pointer: ${parts.join(", ")}`;
  };
  hover(null, null);
  const pick = (u, v) => points.add({ u, v });
  const pictures = {
    truth: report.makePicture("Measured", { pick, hover }),
    render: report.makePicture("Rendered", { pick, hover }),
    third: report.makePicture("Difference", { pick, hover }),
  };
  byId("view-panels").append(...Object.values(pictures).map((picture) => picture.figure));
  for (const { frame } of Object.values(pictures))
    frame.style.aspectRatio = `${images.width} / ${images.height}`;

  let course = null; // of the angle shown
  const points = report.makePoints(
    byId("view-points"),
    "Click a picture, or move the cross with the arrow keys and press Enter, to see a pixel over time.",
    (point) => `column ${Math.floor(point.u * images.width)}, row ${Math.floor(point.v * images.height)}`,
    (list) => {
      for (const picture of Object.values(pictures)) picture.mark(list.map(([point, index]) => [point.u, point.v, index]));
      curves.update();
    },
  );
  const grid = images.grid;
  const curves = report.makeCurves(byId("view-curve"), () => {
    const list = points.list();
    if (list.length === 0 || !course) return null;
    const size = grid.width * grid.height;
    const pixel = ({ u, v }) => Math.floor(v * grid.height) * grid.width + Math.floor(u * grid.width);
    return {
      x: views.map((view) => view.time_s),
      xLabel: "time, s",
      yLabel: "line integral",
      at: views[Number(time.value)].time_s,
      series: list.map(([point, index]) => ({
        label: `point ${index + 1} at ${images.angle(Number(angle.value))}`,
        color: report.pointColors[index],
        dots: true,
        values: views.map((view, t) => course[t * size + pixel(point)]),
      })),
    };
  });

  let latest = 0;
  const show = async () => {
    const mine = ++latest; // unpacking takes a moment: what is no longer asked for is not shown
    const [i, j] = [Number(angle.value), Number(time.value)];
    const own = i === j;
    const against = byId("against").value;
    const window = (images.largest * Number(windowRange.value)) / 100;
    angle.setAttribute("aria-valuetext", images.angle(i));
    time.setAttribute("aria-valuetext", `${number(views[j].time_s)} s`);
    byId("angle-text").textContent = `${images.angle(i)} · ${images.name(i)}`;
    byId("time-text").textContent = `${number(views[j].time_s)} s`;
    byId("window-text").textContent = report.figures(window);
    const [all, rendered, truth, deviation] = await Promise.all([
      images.course(i),
      own ? images.rendered(i) : null,
      own ? images[against](i) : null,
      own ? images.deviation(i) : null,
    ]);
    if (mine !== latest) return;
    course = all;
    const size = grid.width * grid.height;
    [shown.values, shown.width, shown.height] = own
      ? [rendered, images.fineWidth, images.fineHeight]
      : [course.subarray(j * size, (j + 1) * size), grid.width, grid.height];
    const inverted = byId("inverted").checked;
    report.paintGrey(pictures.render.canvas, shown.values, shown.width, shown.height, window, inverted);
    pictures.render.caption.textContent = `Rendered, ${shown.width} × ${shown.height} pixels`;
    shown.truth = truth;
    shown.deviation = deviation;
    pictures.truth.say(own ? "" : "Nothing was measured from this angle at this time.");
    const bars = byId("third").value === "deviation";
    byId("bar-window-label").hidden = !bars;
    pictures.third.say(own ? "" : bars ? "Error bars are shown at the times of the views." : "There is nothing to compare with.");
    if (own) {
      const fine = against === "reference";
      const [w, h, factor] = images.sizes[against];
      [shown.truthWidth, shown.truthHeight] = [w, h];
      const same = report.binned(rendered, images.fineWidth, images.fineHeight, images.fine / factor);
      shown.difference = same.map((value, p) => value - truth[p]);
      report.paintGrey(pictures.truth.canvas, truth, w, h, window, inverted);
      pictures.truth.caption.textContent = `${fine ? images.truthName : "Measured"}, ${w} × ${h} pixels`;
      if (bars) {
        const most = (images.error_bars.largest * Number(byId("bar-window").value)) / 100;
        byId("bar-window-text").textContent = report.figures(most);
        report.paintDeviation(pictures.third.canvas, deviation, images.width, images.height, most);
        pictures.third.caption.textContent =
          `Standard deviation of the render, a line integral (no unit): full colour at ${report.figures(most)}`;
      } else {
        report.paintDifference(pictures.third.canvas, shown.difference, w, h, window / 4);
        pictures.third.caption.textContent =
          `Rendered − ${fine ? "true" : "measured"}: red too much, blue too little, full colour at ${report.figures(window / 4)}`;
      }
    }
    report.emit("view", i);
    curves.update();
  };
  const draw = report.onceAFrame(show);

  const moved = (mover, other) => {
    if (follow.checked) other.value = mover.value;
    draw();
  };
  angle.addEventListener("input", () => moved(angle, time));
  time.addEventListener("input", () => moved(time, angle));
  follow.addEventListener("change", () => moved(time, angle));
  for (const id of ["window", "inverted", "against", "third", "bar-window"]) byId(id).addEventListener("input", draw);
  report.on("theme", draw);
  report.makePlayer(byId("views-play"), time, 250);
  report.showView = (view) => {
    const index = views.findIndex((item) => item.view === view);
    if (index < 0) return;
    follow.checked = true;
    angle.value = time.value = index;
    draw();
    byId("views").scrollIntoView();
    angle.focus({ preventScroll: true });
  };
  points.show();
  report.firstView = show();
}

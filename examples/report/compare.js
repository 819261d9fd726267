// SPDX-License-Identifier: Apache-2.0
"use strict";
// The measurement beside the model's finer render of the same view, under one magnifying glass.

if (report.images?.hasRenders) {
  const { byId, images, element } = report;
  const trained = images.trained_scale > 1;
  const finer = trained ? "Super-resolved" : "Rendered finer";
  byId("compare-title").textContent = `Measured | ${finer.toLowerCase()}`;
  const kinds = { measured: "Measured", rendered: finer, ...(images.hasTruth ? { reference: images.truthName } : {}) };
  const sides = ["left", "right"].map((id, index) => {
    const select = byId(id);
    select.append(...Object.entries(kinds).map(([value, text]) => element("option", { value, textContent: text })));
    select.value = ["measured", "rendered"][index];
    const canvas = element("canvas", { tabIndex: 0 });
    const caption = element("figcaption");
    const figure = element("figure", {}, element("div", { className: "frame" }, canvas), caption);
    figure.firstChild.style.aspectRatio = `${images.width} / ${images.height}`;
    return { select, canvas, caption, figure, source: element("canvas") };
  });
  const pair = byId("pair");
  pair.append(...sides.map((side) => side.figure));
  const view = byId("compare-view");
  const zoom = byId("zoom");
  byId("compare").hidden = false;
  view.max = images.views.length - 1;
  view.value = Math.round(view.max * 0.8);
  byId("compare-text").textContent =
    `On the left what the detector saw (${images.width} × ${images.height} pixels), on the right what the model shows of ` +
    `the same view ${images.fine} times finer.` +
    (trained ? "" : " This run was not trained for super-resolution: it learnt from measured pixels alone.") +
    (images.reference_scale > 1
      ? " The case also holds the truth at that resolution, to judge the detail by."
      : " No truth at that resolution is known for this case: detail that the measurement does not show is the model's own.");

  const centre = [0.5, 0.5];
  const magnification = () => 16 ** (Number(zoom.value) / 100);
  const keepInside = () => {
    const half = 0.5 / magnification();
    for (const axis of [0, 1]) centre[axis] = Math.min(Math.max(centre[axis], half), 1 - half);
  };

  const draw = report.onceAFrame(() => {
    keepInside();
    const part = 1 / magnification();
    for (const side of sides) {
      const { canvas, source } = side;
      const box = canvas.getBoundingClientRect();
      canvas.width = Math.max(1, Math.round(box.width * devicePixelRatio));
      canvas.height = Math.max(1, Math.round(box.height * devicePixelRatio));
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = byId("smooth").checked;
      context.imageSmoothingQuality = "high";
      const [w, h] = [source.width, source.height];
      context.drawImage(source, (centre[0] - part / 2) * w, (centre[1] - part / 2) * h, part * w, part * h, 0, 0, canvas.width, canvas.height);
    }
    byId("zoom-text").textContent = `${report.number(magnification(), 1)} ×`;
    byId("wipe-text").textContent = `${byId("wipe").value} %`;
    pair.style.setProperty("--wipe", `${byId("wipe").value}%`);
  });

  let latest = 0;
  const load = async () => {
    const mine = ++latest;
    const i = Number(view.value);
    byId("compare-view-text").textContent = `${images.angle(i)}, ${report.number(images.views[i].time_s)} s · ${images.name(i)}`;
    const arrays = await Promise.all(sides.map((side) => images[side.select.value](i)));
    if (mine !== latest) return;
    const window = (images.largest * Number(byId("window").value)) / 100;
    sides.forEach((side, s) => {
      const [w, h] = images.sizes[side.select.value];
      report.paintGrey(side.source, arrays[s], w, h, window, byId("inverted").checked);
      side.caption.textContent = `${kinds[side.select.value]}, ${w} × ${h} pixels`;
      side.canvas.setAttribute("aria-label", `${side.caption.textContent}: arrows move, plus and minus zoom, 0 shows all`);
    });
    draw();
  };
  const redraw = report.onceAFrame(load);

  const zoomBy = (steps, u = 0.5, v = 0.5) => {
    const before = 1 / magnification();
    zoom.value = Number(zoom.value) + steps;
    const after = 1 / magnification();
    centre[0] += (u - 0.5) * (before - after); // what is under the pointer stays there
    centre[1] += (v - 0.5) * (before - after);
    draw();
  };
  const showAll = () => {
    zoom.value = 0;
    draw();
  };
  for (const { canvas } of sides) {
    let held = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      held = place(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      const now = place(event);
      for (const axis of [0, 1]) centre[axis] -= (now[axis] - held[axis]) / magnification();
      held = now;
      draw();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (held = null));
    canvas.addEventListener("dblclick", (event) => zoomBy(25, ...place(event)));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      zoomBy(event.deltaY < 0 ? 8 : -8, ...place(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = 0.1 / magnification();
      const moves = { ArrowLeft: [0, -step], ArrowRight: [0, step], ArrowUp: [1, -step], ArrowDown: [1, step] };
      if (moves[event.key]) centre[moves[event.key][0]] += moves[event.key][1];
      else if (event.key === "+" || event.key === "=") zoomBy(10);
      else if (event.key === "-") zoomBy(-10);
      else if (event.key === "0") showAll();
      else return;
      event.preventDefault();
      draw();
    });
  }
  byId("wiping").addEventListener("change", (event) => {
    pair.classList.toggle("over", event.target.checked);
    byId("wipe-label").hidden = !event.target.checked;
    draw();
  });
  for (const id of ["zoom", "wipe", "smooth"]) byId(id).addEventListener("input", draw);
  for (const id of ["compare-view", "left", "right", "window", "inverted"]) byId(id).addEventListener("input", redraw);
  byId("zoom-reset").addEventListener("click", showAll);
  new ResizeObserver(draw).observe(pair);
  load();
}

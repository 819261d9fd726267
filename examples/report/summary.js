// SPDX-License-Identifier: Apache-2.0
"use strict";
// What was reconstructed, from what, and how well, before anything else.

{
  const { data, element, byId, number, counted } = report;
  const run = data.run ?? {};
  const geometry = data.geometry;
  const scores = data.scores;

  document.title = `${data.case || data.folder} – dsasrgs report`;
  byId("title").textContent = data.case || data.folder;
  byId("status").textContent = data.finished ? "finished" : "not finished";
  byId("status").classList.toggle("warn", !data.finished);
  byId("made").textContent = `report of ${data.made.replace("T", " ").replace("Z", " UTC")} · ${data.program}`;

  const angles = geometry ? geometry.poses.map((pose) => pose.primary_deg) : [];
  for (let i = 1; i < angles.length; ++i) angles[i] -= 360 * Math.round((angles[i] - angles[i - 1]) / 360);
  const spread = (values) => Math.max(...values) - Math.min(...values);
  const range = (values, digits) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return high - low < 0.5 * 10 ** -digits ? number(low, digits) : `${number(low, digits)} to ${number(high, digits)}`;
  };
  const of = (key) => geometry.poses.map((pose) => pose[key]);

  const lead = [];
  if (geometry) {
    const all = geometry.poses.length;
    lead.push(
      `A 4D model of contrast in vessels, learnt from ${counted(geometry.train.length, "X-ray view")} ` +
        `of ${geometry.detector_px.join(" × ")} pixels out of ${all}, ` +
        `taken over ${number(spread(angles), 0)}° in ${number(spread(of("time_s")), 1)} s.`,
    );
  } else {
    lead.push("A 4D model of contrast in vessels, learnt from one injection.");
  }
  const best = scores?.high ?? scores?.low;
  if (best?.mean)
    lead.push(
      scores.set === "train"
        ? `No view was held out; the training views themselves are met with ${number(best.mean[2], 1)} dB.`
        : `Views it never saw are predicted with ${number(best.mean[2], 1)} dB PSNR on average (protocol fixed)` +
            (scores.high?.scale > 1 ? ` at ${scores.high.scale} times the measured resolution.` : "."),
    );
  byId("lead").textContent = lead.join(" ");

  byId("notes").hidden = data.notes.length === 0;
  byId("notes").append(...data.notes.map((note) => element("li", { textContent: note })));

  const figure = (value, unit, name) =>
    element("div", { className: "figure" }, element("b", {}, value, element("small", {}, unit)), element("span", {}, name));
  const figures = [];
  if (best?.mean) {
    const where = scores.set === "train" ? "training views" : "held-out views";
    figures.push(figure(number(best.mean[2], 1), " dB", `PSNR, fixed, ${where}`));
    figures.push(figure(number(best.mean[4], 1), " dB", `PSNR, 4drgs, ${where}`));
    figures.push(figure(number(best.mean[3], 3), "", "SSIM, fixed"));
  }
  const bars = data.images?.error_bars;
  if (typeof bars?.deviation_percent === "number")
    figures.push(figure(number(bars.deviation_percent, 1), " %", "error bar of renders, of the brightest"));
  const log = data.log;
  const last = (column) => (log?.[column]?.length ? log[column][log[column].length - 1] : undefined);
  const steps = run.steps ?? last("step");
  if (steps !== undefined) figures.push(figure(steps.toLocaleString("en"), "", "training steps"));
  const gaussians = run.gaussians ?? last("gaussians");
  if (gaussians !== undefined) figures.push(figure(gaussians.toLocaleString("en"), "", "Gaussians"));
  const seconds = run.seconds?.training ?? last("seconds");
  if (seconds !== undefined) figures.push(figure(report.duration(seconds), "", "of training"));
  byId("figures").append(...figures);

  const facts = [["Case", data.case_file || "not known"]];
  if (geometry) {
    const test = data.images ? data.images.views.filter((view) => view.held_out).length : 0;
    const scored = best?.views?.length;
    facts.push(
      ["Views", `${geometry.poses.length}; ${geometry.train.length} trained on` + (scored && scores.set !== "train" ? `, ${scored} held out and scored` : "")],
      ["Detector", `${geometry.detector_px.join(" × ")} pixels of ${geometry.pitch_mm.map((p) => report.figures(p)).join(" × ")} mm`],
      ["Source to isocentre", `${range(of("sod_mm"), 0)} mm`],
      ["Source to detector", `${range(of("sdd_mm"), 0)} mm`],
      ["Angle about +z", `${range(angles, 1)}°`],
      ["Tilt out of the plane", `${range(of("secondary_deg"), 1)}°`],
      ["Time", `${range(of("time_s"), 2)} s`],
      ["Volume", `${geometry.volume.size.join(" × ")} voxels of ${geometry.volume.spacing_mm.map((s) => report.figures(s)).join(" × ")} mm`],
    );
    if (test > 0) facts.push(["Shown below", `${data.images.views.length} views, ${test} of them held out`]);
  }
  if (run.preset) facts.push(["Method", `${run.preset}, seed ${run.seed}`]);
  if (run.backend) facts.push(["Computed on", `${run.backend}, ${counted(run.threads, "thread")}`]);
  if (run.peak_host_bytes) facts.push(["Memory held at most", `${number(run.peak_host_bytes / 2 ** 20, 0)} MiB`]);
  facts.push(["Run folder", data.folder]);
  byId("facts").append(...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));

  /** The sources from above, on a circle of radius one. */
  const drawSweep = () => {
    const svg = (tag, attributes, text) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      if (text) node.textContent = text;
      return node;
    };
    const trained = new Set(geometry.train);
    const at = (degrees, radius) => [radius * Math.cos((degrees * Math.PI) / 180), -radius * Math.sin((degrees * Math.PI) / 180)];
    const picture = svg("svg", { viewBox: "-1.3 -1.3 2.6 2.6", role: "img", class: "sweep" });
    picture.append(svg("title", {}, `${geometry.train.length} views trained on and ${angles.length - geometry.train.length} others around the patient, seen along z`));
    picture.append(svg("circle", { r: 1, class: "ring" }));
    picture.append(svg("circle", { r: 0.12, class: "patient" }));
    angles.forEach((angle, view) => {
      const [x, y] = at(angle, 1);
      picture.append(svg("circle", { cx: x, cy: y, r: trained.has(view) ? 0.035 : 0.02, class: trained.has(view) ? "trained" : "other" }));
    });
    for (const [index, text] of [[0, "first"], [angles.length - 1, "last"]]) {
      const [x, y] = at(angles[index], 1.16);
      picture.append(svg("text", { x, y: y + 0.03, class: "label" }, text));
    }
    byId("sweep").replaceChildren(
      picture,
      element("p", { className: "fine" }, element("span", { className: "key trained" }), "trained on ", element("span", { className: "key other" }), "not trained on; seen along z, x to the right"),
    );
  };
  if (geometry) drawSweep();
  else byId("sweep-card").hidden = true;

  byId("config").textContent = data.config;
  byId("command").textContent = data.command;
  byId("command-text").textContent = data.command_recorded
    ? "On the same machine and with the same version it makes the same model, bit for bit."
    : "This run did not record its command; this one is put together from its configuration and views, and leaves out " +
      "what only the command knew, such as a label file.";
  byId("command-card").hidden = data.command === "";
  byId("copy-command").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(data.command);
      byId("copied").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(byId("command"));
      byId("copied").textContent = "It is selected: copy it with the keyboard.";
    }
  });
  byId("license-card").hidden = !byId("blob-licenses");
  byId("license-card").addEventListener("toggle", async () => {
    if (byId("licenses").textContent === "")
      byId("licenses").textContent = new TextDecoder().decode(await report.bytes("licenses"));
  });
}

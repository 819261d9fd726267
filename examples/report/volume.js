// SPDX-License-Identifier: Apache-2.0
"use strict";
// The volume over time: maximum projections along its axes, and attenuation over time at points.

if (report.data.volume) {
  const { byId, number } = report;
  const about = report.data.volume;
  const [nx, ny, nz] = about.size;
  const voxels = nx * ny * nz;
  const frames = about.times_s.length;
  const [frame, whole, windowRange] = ["frame", "whole-sweep", "volume-window"].map(byId);
  byId("volume").hidden = false;
  frame.max = frames - 1;
  frame.value = Math.round((frames - 1) * 0.75);

  const volume = (report.volume = {
    ...about,
    voxels,
    frames,
    step: about.largest_per_mm / about.codes,
    /** Codes [frame, z, y, x]. */
    ready: report.bytes(about.blob).then((bytes) => {
      const codes = new Uint16Array(voxels * frames);
      for (let i = 0; i < codes.length; ++i) codes[i] = bytes[i] | (bytes[codes.length + i] << 8);
      return codes;
    }),
    /** A range from 0 to 100 as a code; squared, since most of a volume is dim. */
    level: (range) => about.codes * (Number(range.value) / 100) ** 2,
    setLevel: (range, code) => (range.value = Math.round(100 * Math.sqrt(code / about.codes))),
    /** The code below which a part of the voxels lie at their brightest. */
    quantile: (part) => {
      const counts = new Uint32Array(about.codes + 1);
      for (const code of brightest) ++counts[code];
      let code = 0;
      for (let below = counts[0]; below < part * voxels && code < about.codes; below += counts[++code]);
      return Math.max(code, 1);
    },
    position: (x, y, z) => [x, y, z].map((at, axis) => about.origin_mm[axis] + (at + 0.5) * about.spacing_mm[axis]),
  });

  let codes = null;
  let brightest = null; // over the sweep
  const shown = () => (whole.checked ? brightest : codes.subarray(Number(frame.value) * voxels, (Number(frame.value) + 1) * voxels));

  // Columns and rows of each picture as axes of the volume, and the axis it is along; rows go down, +z up.
  const planes = [
    { name: "Along y", across: 0, down: 2, along: 1 },
    { name: "Along x", across: 1, down: 2, along: 0 },
    { name: "Along z", across: 0, down: 1, along: 2 },
  ];
  const stride = [1, nx, nx * ny];
  const size = about.size;
  const axes = ["x", "y", "z"];
  const voxelAt = (plane, column, row) => {
    const start = column * stride[plane.across] + (size[plane.down] - 1 - row) * stride[plane.down];
    const values = shown();
    let best = 0;
    for (let k = 1; k < size[plane.along]; ++k)
      if (values[start + k * stride[plane.along]] > values[start + best * stride[plane.along]]) best = k;
    return start + best * stride[plane.along];
  };
  const coordinates = (voxel) => [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / (nx * ny))];

  for (const plane of planes) {
    plane.picture = report.makePicture(`${plane.name}: ${axes[plane.across]} to the right, ${axes[plane.down]} up`, {
      pick: (u, v) => {
        if (codes) points.add({ voxel: voxelAt(plane, Math.floor(u * size[plane.across]), Math.floor(v * size[plane.down])) });
      },
    });
    const side = (axis) => size[axis] * about.spacing_mm[axis];
    plane.picture.frame.style.aspectRatio = `${side(plane.across)} / ${side(plane.down)}`;
  }
  byId("projections").append(...planes.map((plane) => plane.picture.figure));

  const points = (volume.points = report.makePoints(
    byId("volume-points"),
    "Click a vessel, or move the cross with the arrow keys and press Enter, to see its attenuation over time.",
    (point) => `(${volume.position(...coordinates(point.voxel)).map((mm) => number(mm, 0)).join(", ")}) mm`,
    (list) => {
      for (const plane of planes)
        plane.picture.mark(
          list.map(([point, index]) => {
            const at = coordinates(point.voxel);
            return [(at[plane.across] + 0.5) / size[plane.across], 1 - (at[plane.down] + 0.5) / size[plane.down], index];
          }),
        );
      curves.update();
    },
  ));
  const curves = report.makeCurves(byId("volume-curve"), () => {
    const list = points.list();
    if (list.length === 0 || !codes) return null;
    return {
      x: about.times_s,
      xLabel: "time, s",
      yLabel: "attenuation, 1/m",
      at: whole.checked ? undefined : about.times_s[Number(frame.value)],
      series: list.map(([point, index]) => ({
        label: `point ${index + 1}`,
        color: report.pointColors[index],
        dots: true,
        values: about.times_s.map((time, f) => 1000 * volume.step * codes[f * voxels + point.voxel]),
      })),
    };
  });

  const draw = report.onceAFrame(() => {
    const time = about.times_s[Number(frame.value)];
    byId("frame-text").textContent = whole.checked ? "all" : `${number(time)} s`;
    frame.setAttribute("aria-valuetext", `${number(time)} s`);
    const window = volume.level(windowRange);
    byId("volume-window-text").textContent = `${report.figures(1000 * window * volume.step)} 1/m`;
    if (!codes) return;
    const values = shown();
    for (const plane of planes) {
      const [w, h] = [size[plane.across], size[plane.down]];
      const most = new Float32Array(w * h);
      for (let row = 0; row < h; ++row)
        for (let column = 0; column < w; ++column) {
          const start = column * stride[plane.across] + (h - 1 - row) * stride[plane.down];
          let best = 0;
          for (let k = 0, at = start; k < size[plane.along]; ++k, at += stride[plane.along])
            if (values[at] > best) best = values[at];
          most[row * w + column] = best;
        }
      report.paintGrey(plane.picture.canvas, most, w, h, window, byId("inverted").checked);
    }
    curves.update();
  });

  volume.setFrame = (index) => {
    frame.value = index;
    draw();
    report.emit("frame", index);
  };
  frame.addEventListener("input", () => {
    whole.checked = false;
    volume.setFrame(Number(frame.value));
  });
  for (const id of ["whole-sweep", "volume-window", "inverted"]) byId(id).addEventListener("input", draw);
  report.makePlayer(byId("frame-play"), frame, 400);
  if (frames === 1) for (const id of ["frame", "frame-play", "space-frame", "space-play"]) byId(id).disabled = true;

  volume.ready.then((unpacked) => {
    codes = unpacked;
    brightest = new Uint16Array(voxels);
    for (let i = 0; i < codes.length; ++i) {
      const voxel = i % voxels;
      if (codes[i] > brightest[voxel]) brightest[voxel] = codes[i];
    }
    volume.setLevel(windowRange, volume.quantile(0.9993));
    draw();
  });
  points.show();
}

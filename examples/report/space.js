// SPDX-License-Identifier: Apache-2.0
"use strict";
// Volume and surface in three dimensions, drawn by NiiVue where the program was built with it.

if (report.volume && !report.byId("blob-niivue")) {
  report.byId("space").hidden = false;
  report.byId("space").querySelector(".controls").hidden = true;
  report.byId("stage").hidden = true;
  report.byId("stage-text").textContent = "No 3D view: this program was built without NiiVue.";
} else if (report.volume) {
  const { byId, volume, number } = report;
  const [stage, range, level, mode] = ["stage", "space-frame", "level", "space-mode"].map(byId);
  const say = (text) => {
    byId("stage-text").textContent = text;
    byId("stage-text").hidden = text === "";
  };
  byId("space").hidden = false;
  range.max = volume.frames - 1;
  range.value = byId("frame").value;

  /** A NIfTI-1 file of the codes: what NiiVue reads (nifti1.h; 16-bit unsigned, mm, slope to 1/mm). */
  const niftiOf = (codes) => {
    const header = 352;
    const file = new ArrayBuffer(header + codes.byteLength);
    const view = new DataView(file);
    const int16 = (at, value) => view.setInt16(at, value, true);
    const float = (at, value) => view.setFloat32(at, value, true);
    view.setInt32(0, 348, true);
    [4, ...volume.size, volume.frames, 1, 1, 1].forEach((value, i) => int16(40 + 2 * i, value));
    int16(70, 512); // unsigned 16 bit
    int16(72, 16);
    [1, ...volume.spacing_mm, 1, 1, 1, 1].forEach((value, i) => float(76 + 4 * i, value));
    float(108, header);
    float(112, volume.step);
    view.setUint8(123, 2 | 8); // mm and s
    int16(254, 1); // sform: scanner axes
    const first = volume.position(0, 0, 0);
    for (let row = 0; row < 3; ++row) {
      float(280 + 16 * row + 4 * row, volume.spacing_mm[row]);
      float(280 + 16 * row + 12, first[row]);
    }
    [0x6e, 0x2b, 0x31, 0].forEach((byte, i) => view.setUint8(344 + i, byte)); // "n+1"
    new Uint16Array(file, header).set(codes);
    return file;
  };

  const start = async () => {
    say("Preparing the 3D view …");
    const code = new TextDecoder().decode(await report.bytes("niivue"));
    document.head.append(report.element("script", { textContent: code }));
    const codes = await volume.ready;
    const viewer = new niivue.Niivue({
      dragAndDropEnabled: false,
      show3Dcrosshair: false,
      crosshairWidth: 0,
      isOrientationTextVisible: false, // its letters are a patient's; these axes are the case's
      isColorbar: false,
      loadingText: "",
      logLevel: "error",
      viewModeHotKey: "",
      clipPlaneHotKey: "",
    });
    report.viewer = viewer; // for the tests
    // Without Ctrl the wheel scrolls the page.
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) event.stopImmediatePropagation();
    }, true);
    await viewer.attachToCanvas(stage);
    if (!viewer.gl) throw new Error("this browser has no WebGL 2");
    await viewer.loadFromArrayBuffer(niftiOf(codes), "volume.nii");
    viewer.setSliceType(viewer.sliceTypeRender);
    viewer.addColormap("vessels", { R: [170, 205, 235, 255], G: [75, 105, 160, 240], B: [60, 75, 105, 215], A: [0, 60, 130, 210], I: [0, 40, 120, 255] });
    viewer.setColormap(viewer.volumes[0].id, "vessels");
    viewer.setScale(1.5);
    volume.setLevel(level, volume.quantile(0.996));

    const paper = () => {
      const color = report.color("stage");
      viewer.opts.backColor = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).concat(1);
    };
    let mesh = null;
    const setSurface = (frame) => {
      if (mesh) viewer.removeMesh(mesh);
      mesh = null;
      byId("space-readout").textContent = "";
      if (mode.value === "volume") return;
      const threshold = volume.level(level);
      const values = codes.subarray(frame * volume.voxels, (frame + 1) * volume.voxels);
      const { vertices, triangles } = report.surfaceOf(values, volume.size, threshold);
      byId("space-readout").textContent = `Surface of ${(triangles.length / 3).toLocaleString("en")} triangles at ${number(volume.times_s[frame])} s`;
      if (triangles.length === 0) return;
      const first = volume.position(0, 0, 0);
      const points = vertices.map((at, i) => first[i % 3] + at * volume.spacing_mm[i % 3]);
      mesh = new niivue.NVMesh(points, triangles, "surface", new Uint8Array([205, 65, 60, 255]), 1, true, viewer.gl);
      viewer.addMesh(mesh);
    };
    let asked = { frame: -1 };
    const draw = report.onceAFrame(() => {
      const frame = Number(byId("frame").value);
      const now = { frame, level: level.value, mode: mode.value };
      range.value = frame;
      range.setAttribute("aria-valuetext", `${number(volume.times_s[frame])} s`);
      byId("space-frame-text").textContent = `${number(volume.times_s[frame])} s`;
      byId("level-text").textContent = `${report.figures(1000 * volume.step * volume.level(level))} 1/m`;
      paper();
      if (now.frame !== asked.frame) viewer.setFrame4D(viewer.volumes[0].id, frame);
      // Around a surface the volume is a haze of what lies below the level.
      const image = viewer.volumes[0];
      image.cal_min = volume.step * volume.level(level) * 0.4;
      image.cal_max = volume.step * volume.level(level) * 5;
      if (now.mode !== asked.mode) viewer.setOpacity(0, { both: 0.5, volume: 1, surface: 0 }[now.mode]);
      if (Object.keys(now).some((key) => now[key] !== asked[key])) setSurface(frame);
      asked = now;
      viewer.updateGLVolume();
    });
    const look = () => viewer.setRenderAzimuthElevation(...byId("space-from").value.split(",").map(Number));
    range.addEventListener("input", () => {
      byId("whole-sweep").checked = false;
      volume.setFrame(Number(range.value));
    });
    report.on("frame", draw);
    report.on("theme", draw);
    for (const control of [level, mode]) control.addEventListener("input", draw);
    byId("space-from").addEventListener("input", look);
    stage.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
      const zooms = { "+": 1.15, "=": 1.15, "-": 1 / 1.15 };
      const { renderAzimuth, renderElevation, volScaleMultiplier } = viewer.scene;
      if (moves[event.key])
        viewer.setRenderAzimuthElevation(renderAzimuth + moves[event.key][0], renderElevation + moves[event.key][1]);
      else if (zooms[event.key]) viewer.setScale(Math.min(Math.max(volScaleMultiplier * zooms[event.key], 0.5), 4));
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);
    report.makePlayer(byId("space-play"), range, 700);
    look();
    draw();
    say("");
  };

  // NiiVue is large: it is unpacked when the reader comes near.
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    report.spaceReady = start().then(
      () => true,
      (error) => {
        say(`No 3D view: ${error.message}.`);
        return false;
      },
    );
  }, { rootMargin: "300px" }).observe(byId("space"));
}

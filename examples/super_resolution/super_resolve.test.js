// SPDX-License-Identifier: Apache-2.0
// node --test. Downloads nothing; DSASRGS_PROGRAM names the built program, whose reader then has to take the labels.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import h5wasm from "h5wasm/node";

import { Acquisition } from "./acquisition.js";
import { LabelFile, roundToHalf } from "./label_file.js";
import { MultiplyBeta, Network, PixelShuffle2x, PixelShuffle4x, receptiveRadius, startBackend } from "./network.js";

const kHeight = 12, kWidth = 16, kViews = 4;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "super_resolve"));
const at = (name) => path.join(folder, name);
const program = fileURLToPath(new URL("super_resolve.js", import.meta.url));

/** Smooth stripes of 0.1 to 0.9, another phase for every view. */
const stripes = (height, width, phase = 0) =>
  Float32Array.from({ length: height * width }, (_, p) =>
    0.5 + 0.4 * Math.sin(0.7 * Math.floor(p / width) + phase) * Math.cos(0.45 * (p % width)));

/** A small acquisition; `split` gives its lists of views, `change` may alter it before it is closed. */
function writeCase(name, { quantity = "line_integral", split = { train: [3, 0] }, change = () => {}, version = 1 } = {}) {
  const file = new h5wasm.File(at(name), "w");
  file.create_attribute("format", "dsasrgs.acquisition");
  file.create_attribute("version", version);
  const values = Float32Array.from({ length: kViews }, (_, v) => v).reduce(
    (all, v) => [...all, ...stripes(kHeight, kWidth, v)], []);
  const shape = [kViews, kHeight, kWidth];
  const stored = quantity === "intensity" ? values.map((l) => 1000 * Math.exp(-l)) : values;
  file.create_dataset({ name: "projections", data: Float32Array.from(stored), shape }).create_attribute("quantity", quantity);
  if (quantity === "intensity")
    file.create_dataset({ name: "mask_projections", data: new Float32Array(kHeight * kWidth).fill(1000), shape: [1, kHeight, kWidth] });
  file.create_dataset({ name: "time_s", data: Float64Array.from({ length: kViews }, (_, v) => v) });
  const carm = (field, value, size = []) =>
    file.create_dataset({ name: `geometry/carm/${field}`, data: Float64Array.from([value].flat()), shape: size });
  file.create_group("geometry").create_attribute("pixel_pitch_mm", [2, 2], [2], "<d");
  file.create_group("geometry/carm");
  carm("sod_mm", 750);
  carm("sdd_mm", 1200);
  carm("primary_rad", [0, 0.5, 1, 1.5], [kViews]);
  carm("secondary_rad", [0, 0, 0, 0], [kViews]);
  carm("detector_offset_mm", new Array(2 * kViews).fill(0), [kViews, 2]);
  const volume = file.create_group("volume");
  volume.create_attribute("size", [8, 8, 8], [3], "<i");
  volume.create_attribute("spacing_mm", [2, 2, 2], [3], "<d");
  volume.create_attribute("origin_mm", [-8, -8, -8], [3], "<d");
  file.create_group("split");
  for (const [list, views] of Object.entries(split))
    file.create_dataset({ name: `split/${list}`, data: Int32Array.from(views) });
  change(file);
  file.close();
  return at(name);
}

const superResolve = (...args) => spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });

function readLabels(name) {
  const file = new h5wasm.File(at(name), "r");
  const labels = file.get("super_resolution/pseudo_labels");
  const found = {
    shape: labels.shape, values: labels.value, views: Array.from(file.get("super_resolution/view").value),
    scale: Number(labels.attrs.scale.value), model: labels.attrs.model.value, range: Array.from(labels.attrs.intensity_range.value),
    format: file.attrs.format.value, version: Number(file.attrs.version.value),
  };
  file.close();
  return found;
}

const largestDifference = (a, b) => {
  assert.equal(a.length, b.length);
  return a.reduce((largest, value, p) => Math.max(largest, Math.abs(value - b[p])), 0);
};

let slim;
before(async () => {
  await h5wasm.ready;
  await startBackend();
  slim = { 2: await Network.load("slim", 2), 4: await Network.load("slim", 4) };
});
after(() => fs.rmSync(folder, { recursive: true }));

test("MultiplyBeta multiplies by its constant", () => {
  const out = new MultiplyBeta({ beta: 0.2 }).apply(tf.tensor1d([0, 1, -5])).dataSync();
  assert.ok(largestDifference(out, [0, 0.2, -1]) < 1e-7);
});

test("PixelShuffle puts the channels of a pixel side by side", () => {
  // 1 × 2 pixels, 2 × 2 of them each, 2 channels: the value says row, column and channel of where it must go.
  const value = (row, column, channel) => 100 * row + 10 * column + channel;
  const input = [];
  for (const x of [0, 1])
    for (const dy of [0, 1]) for (const dx of [0, 1]) for (const c of [0, 1]) input.push(value(dy, 2 * x + dx, c));
  const layer = new PixelShuffle2x({ scale: 2 });
  const out = layer.apply(tf.tensor4d(input, [1, 1, 2, 8]));
  assert.deepEqual(out.shape, [1, 2, 4, 2]);
  assert.deepEqual(layer.computeOutputShape([1, 1, 2, 8]), [1, 2, 4, 2]);
  const expected = [];
  for (const row of [0, 1]) for (const column of [0, 1, 2, 3]) for (const c of [0, 1]) expected.push(value(row, column, c));
  assert.deepEqual(Array.from(out.dataSync()), expected);
  assert.deepEqual(new PixelShuffle4x({ scale: 4 }).computeOutputShape([null, null, null, 48]), [null, null, null, 3]);
});

test("roundToHalf gives what float16 holds", () => {
  for (const [value, half] of [[0, 0], [1, 1], [-1.5, -1.5], [1 + 2 ** -11, 1], [1 + 3 * 2 ** -11, 1 + 2 ** -9],
                               [0.1, 0.0999755859375], [-0.1, -0.0999755859375], [1.9999, 2], [2 ** -24, 2 ** -24],
                               [2 ** -25, 0], [3 * 2 ** -26, 2 ** -24], [65504, 65504]])
    assert.equal(roundToHalf(value), half);
});

test("the receptive radius covers every pixel that an output pixel depends on", () => {
  for (const scale of [2, 4]) {
    const network = slim[scale], side = 31, middle = 15;
    assert.equal(receptiveRadius(network.model), 10);
    const image = stripes(side, side);
    const whole = network.superResolve(image, side, side);
    const other = image.slice();
    other[middle * side + middle] += 0.05;
    const changed = network.superResolve(other, side, side);
    let furthest = 0;
    changed.forEach((value, p) => {
      if (Math.abs(value - whole[p]) < 1e-6) return;
      const row = Math.floor(p / (scale * side)), column = p % (scale * side);
      furthest = Math.max(furthest, Math.abs(Math.floor(row / scale) - middle), Math.abs(Math.floor(column / scale) - middle));
    });
    assert.ok(furthest > 3 && furthest <= 10, `${furthest}`);
  }
});

test("tiles do not show", () => {
  const height = 41, width = 53, image = stripes(height, width);
  const whole = slim[4].superResolve(image, height, width);
  assert.ok(largestDifference(slim[4].superResolve(image, height, width, { tile: 16 }), whole) < 1e-5);
  // Without overlap they do: the comparison can fail.
  assert.ok(largestDifference(slim[4].superResolve(image, height, width, { tile: 16, overlap: 0 }), whole) > 1e-3);
});

test("a grey image stays one, of the same brightness", () => {
  const image = stripes(24, 32), fine = slim[2].superResolve(image, 24, 32);
  let sum = 0;
  for (let r = 4; r < 20; ++r)
    for (let c = 4; c < 28; ++c) {
      const mean = (fine[2 * r * 64 + 2 * c] + fine[2 * r * 64 + 2 * c + 1] + fine[(2 * r + 1) * 64 + 2 * c] +
                    fine[(2 * r + 1) * 64 + 2 * c + 1]) / 4;
      sum += Math.abs(mean - image[r * 32 + c]);
    }
  assert.ok(sum / (16 * 24) < 0.03, `${sum / (16 * 24)}`);
});

test("the program writes labels of the training views on the range asked for", () => {
  const input = writeCase("case.h5");
  const run = superResolve(input, "--output", at("labels.h5"), "--range", "0.2,1", "--scale", "2");
  assert.equal(run.status, 0, run.stderr);
  const found = readLabels("labels.h5");
  assert.equal(found.format, "dsasrgs.pseudo_labels");
  assert.deepEqual([found.version, found.scale, found.views, found.range, found.shape],
                   [1, 2, [0, 3], [0.2, 1], [2, 2 * kHeight, 2 * kWidth]]);
  assert.match(found.model, /esrgan-slim 1\.0\.0 x2/);
  const expected = [0, 3].flatMap((view) => {
    const grey = stripes(kHeight, kWidth, view).map((value) => Math.min(Math.max((value - 0.2) / 0.8, 0), 1));
    return Array.from(slim[2].superResolve(grey, kHeight, kWidth), (value) => 0.2 + 0.8 * value);
  });
  assert.ok(largestDifference(found.values, expected) < 1e-3);
  assert.equal(Math.fround(roundToHalf(found.values[5])), found.values[5]);
  assert.ok(fs.readdirSync(folder).every((name) => !name.endsWith(".tmp")));
});

test("intensities become line integrals", () => {
  const labels = ["line_integral", "intensity"].map((quantity) => {
    const run = superResolve(writeCase(`${quantity}.h5`, { quantity }), "--output", at(`of_${quantity}.h5`),
                             "--scale", "2", "--range", "0,1", "--quiet");
    assert.equal(run.status + run.stdout, "0", run.stderr);
    return readLabels(`of_${quantity}.h5`).values;
  });
  assert.ok(largestDifference(...labels) < 2e-3);
});

test("training views are those of /split/train, else those that are not in /split/test", async () => {
  for (const [split, expected] of [[{ train: [3, 0] }, [0, 3]], [{ train: [3], test: [0] }, [3]], [{ test: [2, 0] }, [1, 3]],
                                   [{}, [0, 1, 2, 3]]]) {
    const acquisition = await Acquisition.open(writeCase("split.h5", { split }));
    assert.deepEqual(acquisition.selectViews("train"), expected);
    acquisition.close();
  }
  const none = await Acquisition.open(writeCase("split.h5", { split: { test: [0, 1, 2, 3] } }));
  assert.throws(() => none.trainViews(), /split\.h5: \/split\/test: expected a view to be left for training, found all/);
  none.close();
});

test("pixels that are not valid count as 0", () => {
  const pixels = kHeight * kWidth, burnedIn = 5 * kWidth + 7;
  const withPixel = (name, value, valid) => writeCase(name, { change: (f) => {
    for (const view of [0, 3]) f.get("projections").write_slice([[view, view + 1], [5, 6], [7, 8]], Float32Array.of(value));
    if (valid) f.create_dataset({ name: "valid", data: Uint8Array.from({ length: pixels }, (_, p) => p !== burnedIn), shape: [kHeight, kWidth] });
  } });
  const [found, expected] = [withPixel("burned_in.h5", 255, true), withPixel("zero.h5", 0, false)].map((input, k) => {
    const run = superResolve(input, "--output", at(`of_pixel_${k}.h5`), "--scale", "2", "--quiet");
    assert.equal(run.status, 0, run.stderr);
    return readLabels(`of_pixel_${k}.h5`);
  });
  assert.deepEqual(found.range, expected.range);
  assert.deepEqual(found.values, expected.values);
});

test("the program's reader takes the labels", { skip: !process.env.DSASRGS_PROGRAM && "DSASRGS_PROGRAM is not set" }, () => {
  const input = writeCase("read.h5");
  assert.equal(superResolve(input, "--output", at("read_labels.h5"), "--scale", "2", "--quiet").status, 0);
  execFileSync(process.env.DSASRGS_PROGRAM, ["reconstruct", input, "--output", at("run"), "--preset", "dsa-srgs", "--labels",
               at("read_labels.h5"), "--set", "super_resolution.scale=2", "--steps", "2", "--quiet"], { encoding: "utf8" });
});

test("what cannot be used is refused with one line, and nothing is left behind", () => {
  const good = writeCase("good.h5");
  fs.writeFileSync(at("text.h5"), "no HDF5");
  fs.writeFileSync(at("cut.h5"), fs.readFileSync(good).subarray(0, 3000));
  const bad = (name, change) => writeCase(name, { change });
  const cases = [
    [[at("none.h5")], 2, /none\.h5: file: expected a file that can be read, found ENOENT/],
    [[at("text.h5")], 2, /text\.h5: file: expected an HDF5 file/],
    [[at("cut.h5")], 2, /cut\.h5: file: expected an HDF5 file/],
    [[writeCase("version.h5", { version: 2 })], 2, /version\.h5: \/@version: expected 1, found 2/],
    [[writeCase("quantity.h5", { quantity: "grey" })], 2, /\/projections@quantity: expected .*, found "grey"/],
    [[bad("split.h5", (f) => f.get("split/train").write_slice([[0, 1]], Int32Array.of(4)))], 2,
     /split\.h5: \/split\/train\[0\]: expected a view of 0 to 3, found 4/],
    // At the second view, when there is a temporary file.
    [[bad("nan.h5", (f) => f.get("projections").write_slice([[3, 4], [1, 2], [2, 3]], Float32Array.of(NaN))), "--range", "0,1",
      "--views", "0,3"], 2,
     /nan\.h5: \/projections: expected finite numbers, found NaN at view 3, row 1, column 2/],
    [[good, "--scale", "3"], 2, /--scale: expected 2 or 4, found 3/],
    [[good, "--network", "huge"], 2, /--network: expected slim, medium, thick, found huge/],
    [[good, "--range", "1,0"], 2, /--range: expected two line integrals/],
    [[good, "--views", "0,9"], 2, /--views: .*found 9/],
    [[good, "--tile", "0"], 2, /--tile: expected a whole number/],
    [[good, "--nonsense"], 2, /nonsense/],
  ];
  const before = fs.readdirSync(folder).sort();
  for (const [args, status, message] of cases) {
    const run = superResolve(...args, "--output", at("never.h5"));
    assert.match(run.stderr, message);
    assert.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
    assert.equal(run.status, status);
  }
  const run = superResolve(good, "--output", at("no_folder/labels.h5"));
  assert.match(run.stderr, /no_folder\/labels\.h5: cannot write: ENOENT/);
  assert.equal(run.status, 1);
  assert.deepEqual(fs.readdirSync(folder).sort(), before);
});

test("a write that fails is one line, and nothing is left behind", () => {
  const input = writeCase("large.h5"), before = fs.readdirSync(folder).sort();
  // No file may become larger than 8 KiB.
  const run = spawnSync("bash", ["-c", 'ulimit -f 8; exec "$@"', "bash", process.execPath, program, input, "--quiet",
                                 "--output", at("limited.h5")], { encoding: "utf8" });
  assert.match(run.stderr, /^super_resolve: .*limited\.h5: cannot write: File too large\n$/);
  assert.equal(run.status, 1);
  assert.deepEqual(fs.readdirSync(folder).sort(), before);
});

test("a file that is not whole is not there", () => {
  const about = { views: [0, 1], height: 2, width: 2, scale: 1, model: "m", note: "n", range: [0, 1] };
  const file = new LabelFile(at("partly.h5"), about);
  file.add(Float32Array.of(0, 0.25, 0.5, 1));
  assert.throws(() => file.commit(), /expected 2 labels, found 1/);
  file.discard();
  assert.ok(fs.readdirSync(folder).every((name) => !name.includes("partly")));
});

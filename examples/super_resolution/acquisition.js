// SPDX-License-Identifier: Apache-2.0
// Reads what super-resolution needs of an acquisition file (docs/data-format.md): line integrals, view by view.

import fs from "node:fs";
import h5wasm from "h5wasm/node";

import { BadInput, UsageError } from "./errors.js";

const kProjections = "/projections";
const kMask = "/mask_projections";

const describeShape = (shape) => `[${shape.join(", ")}]`;

/** One open acquisition file. `views`, `height` and `width` are those of /projections; close() it. */
export class Acquisition {
  static async open(path) {
    // HDF5 failures are exceptions (h5wasm ignores them otherwise).
    (await h5wasm.ready).activate_throwing_error_handler();
    try {
      fs.accessSync(path, fs.constants.R_OK);
    } catch (error) {
      throw new BadInput(path, "file", "a file that can be read", error.code);
    }
    let file;
    try {
      file = new h5wasm.File(path, "r");
    } catch {
      throw new BadInput(path, "file", "an HDF5 file", "something else, or a file that is cut off");
    }
    const acquisition = new Acquisition(path, file);
    try {
      acquisition.#check();
    } catch (error) {
      acquisition.close();
      throw error;
    }
    return acquisition;
  }

  constructor(path, file) {
    this.path = path;
    this.file = file;
  }

  close() {
    this.file.close();
  }

  /** Training views in increasing order: /split/train, or all views that are not in /split/test. */
  trainViews() {
    const train = this.#views("/split/train");
    if (train.length > 0) return train;
    const test = new Set(this.#views("/split/test"));
    const rest = Array.from({ length: this.views }, (_, view) => view).filter((view) => !test.has(view));
    if (rest.length === 0) this.#refuse("/split/test", "a view to be left for training", "all of them");
    return rest;
  }

  /** A list of views of the file in increasing order; empty where the file does not have it. */
  #views(field) {
    if (this.#find(field) === null) return [];
    const split = this.#dataset(field, ["integers", (m) => m.type === 0]);
    if (split.shape.length !== 1 || split.shape[0] < 1)
      this.#refuse(field, "a list of at least one view", `shape ${describeShape(split.shape)}`);
    const views = Array.from(split.value, Number);
    views.forEach((view, k) => {
      if (view < 0 || view >= this.views) this.#refuse(`${field}[${k}]`, `a view of 0 to ${this.views - 1}`, view);
      if (views.indexOf(view) < k) this.#refuse(`${field}[${k}]`, "each view once", `${view} again`);
    });
    return views.sort((a, b) => a - b);
  }

  /** Views named by `train`, `all` or a list such as 0,5,10-20. */
  selectViews(text) {
    if (text === "train") return this.trainViews();
    if (text === "all") return Array.from({ length: this.views }, (_, view) => view);
    const views = new Set();
    for (const item of text.split(",")) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(item);
      const first = match ? Number(match[1]) : -1;
      const last = match?.[2] === undefined ? first : Number(match[2]);
      if (!match || last < first || last >= this.views)
        throw new UsageError(`--views: expected train, all or views of 0 to ${this.views - 1} such as 0,5,10-20, ` +
                             `found ${item || "an empty item"}`);
      for (let view = first; view <= last; ++view) views.add(view);
    }
    return [...views].sort((a, b) => a - b);
  }

  /** Line integrals [H,W] of one view, Float32Array; 0 where /valid excludes the pixel. */
  lineIntegrals(view) {
    const values = this.#image(kProjections, view);
    const valid = this.#validity(view);
    if (this.quantity === "line_integral") {
      this.#requireEach(kProjections, view, values, Number.isFinite, "finite numbers");
      return values.map((value, p) => (valid?.[p] === 0 ? 0 : value));
    }
    const mask = this.#image(kMask, this.#find(kMask).shape[0] === 1 ? 0 : view);
    const positive = (value, p) => valid?.[p] === 0 || (Number.isFinite(value) && value > 0);
    this.#requireEach(kProjections, view, values, positive, "positive intensities");
    this.#requireEach(kMask, view, mask, positive, "positive intensities");
    return Float32Array.from(values, (value, p) => (valid?.[p] === 0 ? 0 : Math.log(mask[p] / value)));
  }

  #check() {
    const attribute = (object, name) => {
      if (!Object.hasOwn(object.attrs, name)) this.#refuse(`${object.path}@${name}`, "an attribute", "nothing");
      return object.attrs[name].value;
    };
    const format = attribute(this.file, "format");
    if (format !== "dsasrgs.acquisition") this.#refuse("/@format", '"dsasrgs.acquisition"', JSON.stringify(format));
    const version = Number(attribute(this.file, "version"));
    if (version !== 1) this.#refuse("/@version", "1", version);
    const images = this.#images(kProjections);
    [this.views, this.height, this.width] = images.shape;
    if (this.views < 1 || this.height < 1 || this.width < 1)
      this.#refuse(kProjections, "extents of at least 1", describeShape(images.shape));
    this.quantity = attribute(images, "quantity");
    if (this.quantity === "line_integral" && images.metadata.type !== 1)
      this.#refuse(kProjections, "float32 line integrals", "uint16");
    if (this.quantity !== "line_integral" && this.quantity !== "intensity")
      this.#refuse(`${kProjections}@quantity`, '"line_integral" or "intensity"', JSON.stringify(this.quantity));
    if (this.quantity === "intensity") {
      const mask = this.#images(kMask).shape;
      if ((mask[0] !== 1 && mask[0] !== this.views) || mask[1] !== this.height || mask[2] !== this.width)
        this.#refuse(kMask, `shape ${describeShape([this.views, this.height, this.width])} or one image`,
                     describeShape(mask));
    }
    if (this.#find("/valid") !== null) {
      const valid = this.#dataset("/valid", ["uint8", (m) => m.type === 0 && m.size === 1]).shape;
      const expected = valid.length === 3 ? [this.views, this.height, this.width] : [this.height, this.width];
      if (valid.join() !== expected.join())
        this.#refuse("/valid", `shape ${describeShape(expected)}`, describeShape(valid));
    }
  }

  #find(field) {
    return this.file.get(field);
  }

  #dataset(field, [expected, accepts]) {
    const found = this.#find(field);
    if (!(found instanceof h5wasm.Dataset)) this.#refuse(field, "a dataset", found === null ? "nothing" : "another object");
    if (!accepts(found.metadata)) this.#refuse(field, expected, "another type");
    return found;
  }

  #images(field) {
    const images = this.#dataset(
      field, ["float32 or uint16", (m) => (m.type === 1 && m.size === 4) || (m.type === 0 && m.size === 2 && !m.signed)]);
    if (images.shape.length !== 3) this.#refuse(field, "shape [V,H,W]", describeShape(images.shape));
    return images;
  }

  #image(field, index) {
    return this.#find(field).slice([[index, index + 1], [], []]);
  }

  #validity(view) {
    const valid = this.#find("/valid");
    if (valid === null) return null;
    return valid.shape.length === 2 ? valid.value : valid.slice([[view, view + 1], [], []]);
  }

  #requireEach(field, view, values, accepts, expected) {
    const p = values.findIndex((value, index) => !accepts(value, index));
    if (p >= 0)
      this.#refuse(field, expected,
                   `${values[p]} at view ${view}, row ${Math.floor(p / this.width)}, column ${p % this.width}`);
  }

  #refuse(field, expected, found) {
    throw new BadInput(this.path, field, expected, found);
  }
}

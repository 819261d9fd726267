// SPDX-License-Identifier: Apache-2.0
// Writes a pseudo-label file (docs/data-format.md), view by view; it is there whole or not at all.

import fs from "node:fs";
import path from "node:path";
import h5wasm from "h5wasm/node";

const kLabels = "super_resolution/pseudo_labels";

/**
 * The nearest value that float16 holds (ties to even), for |value| < 65520. h5wasm cannot make a float16 dataset: the
 * labels are stored as float32 with float16's digits, which compress as well.
 */
export function roundToHalf(value) {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  const step = 2 ** (exponent - 10);
  const steps = value / step, floor = Math.floor(steps), rest = steps - floor;
  return step * (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor);
}

/** One line: the system's words, which HDF5 puts into its report of every function on the way, or its code. */
const reasonOf = (error) =>
  /error message = '([^']*)'/.exec(error.message)?.[1] ?? error.code ?? error.message.split("\n", 1)[0];

export class LabelFile {
  /** @param about {views, height, width (of the labels), scale, model, note, range: [low, high] line integrals} */
  constructor(target, about) {
    this.target = target;
    this.about = about;
    this.temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.tmp`);
    this.written = 0;
    if (fs.statSync(target, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`${target}: cannot write: it is a folder`);
    this.#writing(() => {
      fs.accessSync(path.dirname(target), fs.constants.W_OK | fs.constants.X_OK);
      this.file = new h5wasm.File(this.temporary, "w");
      this.file.create_attribute("format", "dsasrgs.pseudo_labels");
      this.file.create_attribute("version", 1, null, "<q");
      this.file.create_group("super_resolution");
      this.file.create_dataset({ name: "super_resolution/view", data: Int32Array.from(about.views) });
    });
  }

  /** Label of the next view, [height,width] line integrals. */
  add(label) {
    const { views, height, width, scale, model, note, range } = this.about;
    const values = label.map(roundToHalf);
    const chunk = [1, height, width];
    this.#writing(() => {
      if (this.written === 0) {
        // Made for one view and then grown: h5wasm wants the values of all that it makes.
        const data = this.file.create_dataset(
          { name: kLabels, data: values, shape: chunk, maxshape: [views.length, height, width], chunks: chunk, compression: "gzip" });
        data.create_attribute("scale", scale, null, "<q");
        data.create_attribute("model", model);
        data.create_attribute("note", note);
        data.create_attribute("intensity_range", range, [2], "<d");
        data.resize([views.length, height, width]);
      } else {
        this.file.get(kLabels).write_slice([[this.written, this.written + 1], [0, height], [0, width]], values);
      }
    });
    ++this.written;
  }

  /** Call after the last view: the file is there from here on. */
  commit() {
    if (this.written !== this.about.views.length)
      throw new Error(`${this.target}: expected ${this.about.views.length} labels, found ${this.written}`);
    this.#writing(() => {
      this.file.flush();
      this.file.close();
      this.file = null;
      const handle = fs.openSync(this.temporary, "r+");
      fs.fsyncSync(handle);
      fs.closeSync(handle);
      fs.renameSync(this.temporary, this.target);
    });
  }

  /** Gives up what was not committed. Does not throw: it may follow an error that is the one to be told. */
  discard() {
    try {
      this.file?.close();
    } catch {
      // What is in the file is given up anyway.
    }
    this.file = null;
    try {
      fs.rmSync(this.temporary, { force: true });
    } catch {
      // The folder may be gone.
    }
  }

  /** Whatever goes wrong inside becomes one line that names the label file; its temporary file is then removed. */
  #writing(action) {
    try {
      action();
    } catch (error) {
      this.discard();
      throw new Error(`${this.target}: cannot write: ${reasonOf(error)}`);
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
// The ESRGAN networks of the @upscalerjs packages: loading, and running over a grey image in tiles.

import fs from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import * as wasm from "@tensorflow/tfjs-backend-wasm";

const require = createRequire(import.meta.url);

/** Sizes, and the value that stands for white: the `inputRange` and `outputRange` that the packages declare. */
export const kNetworks = { slim: 255, medium: 255, thick: 1 };
export const kScales = [2, 4];

/** Multiplies by a constant (0.2): the residual scaling of RRDN. */
export class MultiplyBeta extends tf.layers.Layer {
  static className = "MultiplyBeta";

  constructor(config) {
    super(config);
    this.beta = config.beta;
  }
  call(inputs) {
    return tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, this.beta);
  }
  getConfig() {
    return { ...super.getConfig(), beta: this.beta };
  }
}

/** Depth to space: channel (dy·s + dx)·C + c of pixel (y, x) becomes channel c of pixel (s·y + dy, s·x + dx). */
class PixelShuffle extends tf.layers.Layer {
  constructor(config) {
    super(config);
    this.scale = config.scale;
  }
  computeOutputShape([batch, height, width, channels]) {
    const times = (extent) => (extent === null ? null : extent * this.scale);
    return [batch, times(height), times(width), channels / this.scale ** 2];
  }
  call(inputs) {
    return tf.depthToSpace(Array.isArray(inputs) ? inputs[0] : inputs, this.scale, "NHWC");
  }
  getConfig() {
    return { ...super.getConfig(), scale: this.scale };
  }
}
// One class per scale: a saved network names them.
export class PixelShuffle2x extends PixelShuffle {
  static className = "PixelShuffle2x";
}
export class PixelShuffle4x extends PixelShuffle {
  static className = "PixelShuffle4x";
}
for (const layer of [MultiplyBeta, PixelShuffle2x, PixelShuffle4x]) tf.serialization.registerClass(layer);

/** Starts TensorFlow.js' WebAssembly backend from the installed package. */
export async function startBackend() {
  wasm.setWasmPaths(`${path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}${path.sep}`);
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js: the WebAssembly backend does not start");
  await tf.ready();
}

/** Pixels of the input on each side that an output pixel depends on; one more than exact at most. */
export function receptiveRadius(model) {
  const reach = new Map();  // layer → radius in input pixels
  const stretch = new Map();  // layer → times finer than the input
  for (const layer of model.layers) {
    const inputs = layer.inboundNodes.flatMap((node) => node.inboundLayers);
    const before = Math.max(0, ...inputs.map((input) => reach.get(input)));
    const scale = Math.max(1, ...inputs.map((input) => stretch.get(input)));
    const kernel = layer.getClassName() === "Conv2D" ? Math.max(...layer.kernelSize) : 1;
    reach.set(layer, before + (kernel - 1) / 2 / scale);
    const grows = layer.getClassName() === "UpSampling2D" ? layer.size[0] : (layer.scale ?? 1);
    stretch.set(layer, scale * grows);
  }
  return Math.ceil(reach.get(model.layers.at(-1)));
}

/** A trained network. `label` names it with its version; white is the value its input and output have for 1. */
export class Network {
  constructor(model, scale, white, label) {
    Object.assign(this, { model, scale, white, label, radius: receptiveRadius(model) });
  }

  /** @param size slim, medium or thick @param scale 2 or 4 @param white what it was trained with, or another value */
  static async load(size, scale, white = kNetworks[size]) {
    const name = `@upscalerjs/esrgan-${size}`;
    // The packages export neither package.json nor the weights.
    const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), "node_modules", name);
    const { version } = JSON.parse(await fs.readFile(path.join(folder, "package.json")));
    const files = path.join(folder, "models", `x${scale}`);
    const model = await tf.loadLayersModel({
      async load() {
        const { modelTopology, weightsManifest } = JSON.parse(await fs.readFile(path.join(files, "model.json")));
        const shards = weightsManifest.flatMap((group) => group.paths);
        const bytes = Buffer.concat(await Promise.all(shards.map((shard) => fs.readFile(path.join(files, shard)))));
        const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
        return { modelTopology, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData };
      },
    });
    return new Network(model, scale, white, `${name} ${version} x${scale} (MIT), trained on photographs`);
  }

  /**
   * Super-resolves a grey image of values 0 (black) to 1 (white): grey is given to all three channels, and their mean
   * is taken of the result, clamped to [0,1].
   *
   * An image with a side longer than `tile` is computed in tiles of that size with `overlap` further pixels of the
   * image on each side. An overlap of at least `radius` changes nothing but the rounding.
   * @returns Float32Array [scale·height, scale·width]
   */
  superResolve(image, height, width, { tile = 256, overlap = this.radius } = {}) {
    const fine = new Float32Array(this.scale ** 2 * height * width);
    const fineWidth = this.scale * width;
    for (let top = 0; top < height; top += tile)
      for (let left = 0; left < width; left += tile) {
        const inner = { top, left, bottom: Math.min(top + tile, height), right: Math.min(left + tile, width) };
        const outer = {
          top: Math.max(inner.top - overlap, 0),
          left: Math.max(inner.left - overlap, 0),
          bottom: Math.min(inner.bottom + overlap, height),
          right: Math.min(inner.right + overlap, width),
        };
        const values = this.#run(image, width, outer);
        const stride = this.scale * (outer.right - outer.left);
        for (let row = this.scale * inner.top; row < this.scale * inner.bottom; ++row) {
          const first = (row - this.scale * outer.top) * stride + this.scale * (inner.left - outer.left);
          fine.set(values.subarray(first, first + this.scale * (inner.right - inner.left)),
                   row * fineWidth + this.scale * inner.left);
        }
      }
    return fine;
  }

  #run(image, width, { top, left, bottom, right }) {
    const part = new Float32Array((bottom - top) * (right - left));
    for (let row = top; row < bottom; ++row)
      part.set(image.subarray(row * width + left, row * width + right), (row - top) * (right - left));
    return tf.tidy(() => {
      const grey = tf.tensor4d(part, [1, bottom - top, right - left, 1]).mul(this.white);
      const colour = this.model.predict(grey.tile([1, 1, 1, 3]));
      return colour.mean(3).div(this.white).clipByValue(0, 1).dataSync();
    });
  }
}

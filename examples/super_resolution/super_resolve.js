#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Pseudo-labels of an acquisition's views from a trained ESRGAN. See README.md.

import { parseArgs } from "node:util";

import { Acquisition } from "./acquisition.js";
import { BadInput, UsageError } from "./errors.js";
import { LabelFile } from "./label_file.js";
import { kNetworks, kScales, Network, startBackend } from "./network.js";

const kUsage = `usage: node super_resolve.js CASE.h5 --output LABELS.h5 [options]
  --network slim|medium|thick   size of the network (slim)
  --scale 2|4                   times finer than the case's detector (4)
  --views train|all|0,5,10-20   which views (train)
  --range LOW,HIGH              line integrals that are the network's black and white (0 and the views' largest)
  --white X                     what the network is given for white (its package's: 255 for slim and medium, 1 for thick)
  --tile N                      pixels per side computed at a time (256)
  --overlap N                   further pixels around a tile (the network's receptive radius: the tiles do not show)
  --quiet                       print nothing but errors`;

function parse(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args, allowPositionals: true,
      options: {
        output: { type: "string" }, network: { type: "string", default: "slim" },
        scale: { type: "string", default: "4" }, views: { type: "string", default: "train" },
        range: { type: "string" }, white: { type: "string" }, tile: { type: "string", default: "256" }, overlap: { type: "string" },
        quiet: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values: o, positionals } = parsed;
  if (o.help) return { help: true };
  const refuse = (option, expected, found) => {
    throw new UsageError(`--${option}: expected ${expected}, found ${found}`);
  };
  if (positionals.length !== 1) throw new UsageError(`expected one acquisition file, found ${positionals.length}`);
  if (!o.output) refuse("output", "the label file to write", "nothing");
  if (!Object.hasOwn(kNetworks, o.network)) refuse("network", Object.keys(kNetworks).join(", "), o.network);
  if (!kScales.map(String).includes(o.scale)) refuse("scale", kScales.join(" or "), o.scale);
  const whole = (option, least) => {
    if (!/^\d{1,6}$/.test(o[option]) || Number(o[option]) < least)
      refuse(option, `a whole number of at least ${least}`, o[option]);
    return Number(o[option]);
  };
  const range = o.range?.split(",").map((text) => (text.trim() === "" ? NaN : Number(text)));
  if (range && !(range.length === 2 && range.every(Number.isFinite) && range[0] < range[1]))
    refuse("range", "two line integrals, the smaller first, such as 0,1.6", o.range);
  const white = o.white === undefined ? undefined : Number(o.white);
  if (white !== undefined && !(white > 0 && white < Infinity)) refuse("white", "a number above 0", o.white);
  return {
    white, input: positionals[0], output: o.output, network: o.network, scale: Number(o.scale), views: o.views, range,
    tile: whole("tile", 8), overlap: o.overlap === undefined ? undefined : whole("overlap", 0), quiet: o.quiet,
  };
}

/** Black is no attenuation, as in pixels that are not valid; white the largest line integral of the views. */
function rangeOf(acquisition, views) {
  let high = 0;
  for (const view of views) for (const value of acquisition.lineIntegrals(view)) high = Math.max(high, value);
  if (high <= 0)
    throw new BadInput(acquisition.path, "/projections", "a view with a line integral above 0 (else give --range)", "none");
  return [0, high];
}

async function run(options) {
  const say = (text) => options.quiet || console.log(text);
  const acquisition = await Acquisition.open(options.input);
  let labels = null;
  try {
    const views = acquisition.selectViews(options.views);
    const range = options.range ?? rangeOf(acquisition, views);
    const [low, high] = range;
    await startBackend();
    const network = await Network.load(options.network, options.scale, options.white);
    const { height, width } = acquisition;
    labels = new LabelFile(options.output, {
      views, range, scale: options.scale, model: network.label,
      note: `input clip((LR - low)/(high - low), 0, 1) times ${network.white}, replicated to RGB; output channel mean ` +
            `over ${network.white}, clipped to [0,1], on the same range`,
      height: options.scale * height, width: options.scale * width,
    });
    process.once("exit", () => labels.discard());  // also when a signal ends the program
    say(`${network.label}: ${views.length} views of ${width} x ${height}, range ${low} to ${high}`);
    const begin = performance.now();
    for (const [k, view] of views.entries()) {
      const grey = acquisition.lineIntegrals(view).map((value) => Math.min(Math.max((value - low) / (high - low), 0), 1));
      const fine = network.superResolve(grey, height, width, { tile: options.tile, overlap: options.overlap });
      labels.add(fine.map((value) => low + value * (high - low)));
      say(`view ${view} (${k + 1} of ${views.length}), ${((performance.now() - begin) / 1000).toFixed(1)} s`);
      await new Promise(setImmediate);  // lets a signal in
    }
    labels.commit();
    say(`wrote ${options.output}`);
  } finally {
    labels?.discard();
    acquisition.close();
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
try {
  const options = parse(process.argv.slice(2));
  if (options.help) console.log(kUsage);
  else await run(options);
} catch (error) {
  const badUsage = error instanceof UsageError || error instanceof BadInput;
  console.error(`super_resolve: ${error.message}${error instanceof UsageError ? " (see --help)" : ""}`);
  process.exitCode = badUsage ? 2 : 1;
}

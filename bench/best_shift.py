#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What would wrong poses explain? Shifts each held-out render of a model, on the truth's own detector, by the fraction of a pixel
that makes it most like the truth, and says what that is worth. Needs python3-h5py and python3-scipy.

usage: bench/best_shift.py CASE.h5 MODEL.h5... [--program build/examples/dsasrgs/dsasrgs] [--most-px 6] [--views 21-42]
Prints one row for each model: dB as it is, what shifting gains, mean over the views, the most that one view gains, and the root mean
square shift, in pixels of the truth; with --views another row of those views alone."""
import argparse
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np
from scipy import ndimage, optimize


def psnr(image, truth, valid, brightest):
    return 10 * np.log10(brightest**2 / np.mean((image - truth)[valid] ** 2))


def best_shift(image, truth, valid, brightest, most_px):
    """dB as it is, dB at best, and that shift (rows, columns)."""
    inside = valid.copy()
    border = int(np.ceil(most_px))
    inside[:border], inside[-border:], inside[:, :border], inside[:, -border:] = False, False, False, False
    moved = lambda s: ndimage.shift(image, s, order=1, mode="nearest")
    value = lambda s: -psnr(moved(s), truth, inside, brightest) if max(abs(s[0]), abs(s[1])) <= most_px else 0
    grid = [(v, u) for v in np.arange(-most_px, most_px + 1, 2) for u in np.arange(-most_px, most_px + 1, 2)]
    start = min(grid + [(0.0, 0.0)], key=value)
    best = optimize.minimize(value, start, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 1e-4, "initial_simplex": [
        start, (start[0] + 0.7, start[1]), (start[0], start[1] + 0.7)]})
    return -value((0.0, 0.0)), -min(best.fun, value((0.0, 0.0))), best.x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    parser.add_argument("--program", default="build/examples/dsasrgs/dsasrgs")
    parser.add_argument("--most-px", type=float, default=6)
    parser.add_argument("--views", help="FIRST-LAST, beside all")
    options = parser.parse_args()
    with h5py.File(options.case) as f:
        train, truth = f["split/train"][:], f["reference/projections"]
        views = np.setdiff1d(np.arange(len(truth)), train)
        truth, scale = truth[:][views], truth.shape[1] // f["projections"].shape[1]
        shape = f["projections"].shape
        valid = np.broadcast_to(f["valid"][:] if "valid" in f else np.uint8(1), shape)[views] != 0
    valid = valid.repeat(scale, 1).repeat(scale, 2)
    truth = np.clip(truth, 0, None)
    print("| model, views | dB | gained by shifts | the most of a view | shift, pixels |")
    print("|---|---|---|---|---|")
    for model in options.models:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "renders.h5"
            subprocess.run([options.program, "render", model, "--case", options.case, "--views", ",".join(map(str, views)), "--scale",
                            str(scale), "--output", file, "--quiet"], check=True)
            with h5py.File(file) as f:
                renders = f["projections"][:]
        found = [best_shift(*four, truth.max(), options.most_px) for four in zip(renders, truth, valid)]
        sets = {"all": np.ones(len(views), bool)}
        if options.views:
            first, last = map(int, options.views.split("-"))
            sets[options.views] = (views >= first) & (views <= last)
        for name, chosen in sets.items():
            before, after = (np.array([f[k] for f in found])[chosen] for k in (0, 1))
            shift = np.array([f[2] for f in found])[chosen]
            print(f"| {model.parent.name or model}, {name} | {before.mean():.2f} | {(after - before).mean():+.2f} | "
                  f"{(after - before).max():+.2f} | {np.sqrt((shift**2).sum(1).mean()):.2f} |", flush=True)


if __name__ == "__main__":
    main()

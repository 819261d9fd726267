#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does a head that moved between mask and contrast run cost, and what does `dsasrgs align` win back? Simulates trees
whose head moves by so many mm, and reconstructs each from its images as they are, with a gain and an offset for each view
(nuisance.view_gain, view_offset), and with masks aligned; beside them the same tree whose head did not move. Held-out views
are compared with the truth, in which there is no head. Needs python3-h5py.

usage: bench/residue.py FOLDER [--program build/examples/dsasrgs/dsasrgs] [--seeds 41,42] [--motions 0.3,1,2] [--steps 1500]
                        [--pictures FILE.png]
Prints one row for each tree and motion: dB of held-out views; false vessel, the mean of renders where truth shows none, and true
vessel, their mean where it shows some, in % of its mean there. --pictures: measured, aligned, truth and the
renders without and with alignment of one view, of the first tree and the last motion. Finished runs in FOLDER are used again."""
import argparse
import pathlib

import h5py
import numpy as np

from small_trees import SmallTrees
from uncertainty import SHOWS

DIRECTION = np.array([0.8, 0.4, -0.45])
NUISANCE = ["--set", "nuisance.view_gain=true", "--set", "nuisance.view_offset=true"]


def measures(render, truth):
    """dB, false and true vessel in %."""
    brightest, vessel = truth.max(), truth > SHOWS * truth.max()
    shown = truth[vessel].mean()
    return (10 * np.log10(brightest**2 / np.mean((render - truth) ** 2)),
            100 * np.clip(render[~vessel], 0, None).mean() / shown, 100 * render[vessel].mean() / shown)


def simulate(trees, seed, motion_mm, *more):
    name = f"tree-{seed}-{motion_mm}-mm{'-raw' if more else ''}"
    return trees.simulate(name, seed, 200000, "--motion-mm", *(motion_mm * DIRECTION), *more)


def aligned_case(trees, seed, motion_mm):
    case = trees.folder / f"tree-{seed}-{motion_mm}-mm-aligned.h5"
    trees.dsasrgs("align", simulate(trees, seed, motion_mm, "--save-intensity"), "--output", case, "--force")
    return case


def renders_of(trees, case, name, *more):
    """Of the held-out views, by a model of the case."""
    model, file = trees.reconstruct(case, f"{case.stem}-{name}", *more), trees.folder / f"{case.stem}-{name}-renders.h5"
    trees.dsasrgs("render", model, "--case", case, "--views", "test", "--output", file, "--force")
    with h5py.File(file) as f:
        return f["projections"][:]


def images(case):
    with h5py.File(case) as f:
        return f["projections"][:][f["split/test"][:]], f["reference/projections"][:][f["split/test"][:]]


def write_picture(path, rows, white):
    from PIL import Image

    grey = np.vstack([np.hstack([np.clip(255 - 255 * (i / white + 0.3) / 1.3, 0, 255) for i in row]) for row in rows])
    Image.fromarray(grey.astype("u1")).resize((grey.shape[1] * 4, grey.shape[0] * 4), Image.NEAREST).save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", default="build/examples/dsasrgs/dsasrgs")
    parser.add_argument("--seeds", default="41,42")
    parser.add_argument("--motions", default="0.3,1,2")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--pictures", type=pathlib.Path)
    options = parser.parse_args()
    trees = SmallTrees(options.program, options.folder, options.steps)
    seeds, motions = options.seeds.split(","), [float(m) for m in options.motions.split(",")]
    print("| tree, head moved | dB as it is | gain and offset | aligned | not moved | false vessel, % | true vessel, % |")
    print("|---|---|---|---|---|---|---|")
    for seed in seeds:
        still = simulate(trees, seed, 0.0)
        truth = images(still)[1]
        best = measures(renders_of(trees, still, "plain"), truth)
        for motion in motions:
            case, aligned = simulate(trees, seed, motion), aligned_case(trees, seed, motion)
            renders = [renders_of(trees, case, "plain"), renders_of(trees, case, "nuisance", *NUISANCE), renders_of(trees, aligned, "plain")]
            columns = [measures(r, truth) for r in renders] + [best]
            several = lambda k: " / ".join(f"{c[k]:.1f}" for c in columns)
            print(f"| {seed}, {motion} mm | " + " | ".join(f"{c[0]:.2f}" for c in columns) + f" | {several(1)} | {several(2)} |",
                  flush=True)
            if options.pictures and seed == seeds[0] and motion == motions[-1]:
                views = [len(truth) // 8, len(truth) // 2, 7 * len(truth) // 8]
                kinds = [images(case)[0], images(aligned)[0], truth, renders[0], renders[2]]
                write_picture(options.pictures, [[kind[v] for kind in kinds] for v in views], truth.max())


if __name__ == "__main__":
    main()

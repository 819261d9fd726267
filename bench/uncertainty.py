#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the error bars right? Simulates trees, reconstructs them, and holds |render - truth| of the test views and |volume - truth|
against what `render --uncertainty` and `voxelize --uncertainty` say: where the model shows more than 2 % of its brightest, since an
empty background is right without a method, and apart from that where the truth alone does. Needs python3-h5py.

usage: bench/uncertainty.py FOLDER [--program build/examples/dsasrgs/dsasrgs] [--seeds 21,22,23,24] [--photons 200000,0]
                            [--views 30] [--steps 1500] [--ensemble 5]
With --ensemble, the reference: standard deviations of so many models that differ in their seed, held against the same errors.
Prints one row for each tree: RMS error and RMS standard deviation (in % of the brightest), Spearman's rank correlation of |error| with the
prediction, area under the sparsification curve (0: as if errors were known, 1: as at random), percent of errors within the interval
of 50, 90 and 95 % of a normal distribution, by how much standard deviations would have to be multiplied for each of these, and of
what truth alone shows: how much of what truth shows it is, and percent within the interval of 90 %."""
import argparse
import gzip
import pathlib

import h5py
import numpy as np

from small_trees import SmallTrees

NORMAL = {50: 0.6745, 90: 1.6449, 95: 1.9600}
SHOWS = 0.02


def ranks(values):
    """Of each value, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def remaining(error, key):
    """Mean over all shares left out of the RMS of the errors that are left when those of the largest key go first."""
    squares = error[np.argsort(-key, kind="stable")] ** 2
    left = np.cumsum(squares[::-1])[::-1] / np.arange(squares.size, 0, -1)
    return np.sqrt(left).mean()


def measures(error, deviation, brightest):
    size = np.abs(error)
    at_random, oracle = np.sqrt((error**2).mean()), remaining(error, size)
    ratio = size / np.maximum(deviation, 1e-12 * brightest)
    return {
        "rms": 100 * at_random / brightest,
        "predicted": 100 * np.sqrt((deviation**2).mean()) / brightest,
        "rank": np.corrcoef(ranks(size), ranks(deviation))[0, 1],
        "sparsification": (remaining(error, deviation) - oracle) / (at_random - oracle),
        "coverage": [100 * (ratio <= z).mean() for z in NORMAL.values()],
        "needed": [np.quantile(ratio, p / 100) / z for p, z in NORMAL.items()],
    }


def compared(made, truth, deviation):
    """All [...], of one case."""
    brightest, error = float(truth.max()), (made - truth).astype("f8")
    shown, there = made > SHOWS * made.max(), truth > SHOWS * brightest
    missed = there & ~shown
    within = np.abs(error[missed]) <= NORMAL[90] * deviation[missed]
    return measures(error[shown], deviation[shown].astype("f8"), brightest) | {
        "missed": 100 * missed.sum() / there.sum(), "missed within": 100 * within.mean()}


def row(name, m):
    return "| {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {} | {} | {:.0f}, {:.0f} |".format(
        name, m["rms"], m["predicted"], m["rank"], m["sparsification"], " / ".join(f"{c:.0f}" for c in m["coverage"]),
        " / ".join(f"{f:.2f}" for f in m["needed"]), m["missed"], m["missed within"])


def nifti(path, shape):
    """Voxels [z,y,x] of a NIfTI file that voxelize wrote."""
    data = gzip.open(path).read()
    return np.frombuffer(data, "<f4", int(np.prod(shape)), 352).reshape(shape)


def study(trees, seed, photons, options):
    folder, name = trees.folder, f"tree-{seed}-{photons}-photons-{options.views}-views"
    dsasrgs = trees.dsasrgs
    case = trees.simulate(name, seed, photons, "--train-views", options.views)
    model = trees.reconstruct(case, name)
    renders, volume = folder / f"{name}-renders.h5", folder / f"{name}-volume.nii.gz"
    dsasrgs("render", model, "--case", case, "--views", "test", "--output", renders, "--uncertainty", "--force")
    dsasrgs("voxelize", model, "--case", case, "--output", volume, "--uncertainty", "--force")
    with h5py.File(case) as f:
        truth, solid = f["reference/projections"][:][f["split/test"][:]], f["reference/volume"][:]
    with h5py.File(renders) as f:
        image, deviation = f["projections"][:], f["uncertainty"][:]
    shown, bars = nifti(volume, solid.shape), nifti(folder / f"{name}-volume_uncertainty.nii.gz", solid.shape)
    images, volumes = [image], [shown]
    for member in range(1, options.ensemble):
        other = trees.reconstruct(case, f"{name}-member-{member}", "--set", f"training.seed={member}")
        dsasrgs("render", other, "--case", case, "--views", "test", "--output", renders, "--force")
        dsasrgs("voxelize", other, "--output", volume, "--force")
        with h5py.File(renders) as f:
            images.append(f["projections"][:])
        volumes.append(nifti(volume, solid.shape))
    if options.ensemble:
        deviation, bars = (np.std(members, axis=0, ddof=1) for members in (images, volumes))
    return compared(image, truth, deviation), compared(shown, solid, bars)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", default="build/examples/dsasrgs/dsasrgs")
    parser.add_argument("--seeds", default="21,22,23,24")
    parser.add_argument("--photons", default="200000,0")
    parser.add_argument("--views", type=int, default=30)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--ensemble", type=int, default=0)
    options = parser.parse_args()
    trees = SmallTrees(options.program, options.folder, options.steps)
    tables = ([], [])
    for seed in options.seeds.split(","):
        for photons in options.photons.split(","):
            for table, result in zip(tables, study(trees, seed, photons, options)):
                table.append((f"tree {seed}, {photons} photons", result))
    for title, table in zip(("Pixels of the test views", "Voxels of the mean over the sweep"), tables):
        print(f"\n{title}\n\n| | error, % | predicted, % | rank | sparsification | within 50 / 90 / 95 % | factors that were right | missed, within |")
        print("|---|---|---|---|---|---|---|---|")
        for name, result in table:
            print(row(name, result))
        print(row("mean", {key: np.mean([r[key] for _, r in table], axis=0) for key in table[0][1]}))


if __name__ == "__main__":
    main()

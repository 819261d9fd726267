#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What happens with fewer views, and with a shorter arc, and do error bars grow as errors do? Simulates trees, reconstructs each from
133 down to 8 views over 200 degrees and from 30 views over 200 down to 60 degrees, and compares with the truth of 40 other views,
which lie on 200 degrees in every case, so that they also see what a short arc does not. Needs python3-h5py; for the figure
python3-matplotlib.

usage: bench/sparseness.py FOLDER [--program build/examples/dsasrgs/dsasrgs] [--seeds 51,52] [--steps 1500] [--figure FILE.png]
Prints one row for each number of views and each arc, the mean over the trees: dB of the 40 views, and where the model shows more
than 2 % of its brightest RMS error and RMS standard deviation (in % of the brightest) and percent of errors within the interval of
90 %, in these views and in the volume. Finished runs in FOLDER are used again."""
import argparse
import pathlib

import h5py
import numpy as np

from small_trees import SmallTrees
from uncertainty import compared, nifti

FULL_DEG, JUDGES = 200, 40
VIEWS, ARCS = [133, 60, 30, 16, 8], [200, 150, 100, 60]
OF_VIEWS = ("geometry/source_mm", "geometry/detector_center_mm", "geometry/detector_u", "geometry/detector_v", "time_s",
            "projections", "reference/projections")


class Study(SmallTrees):
    def sweep(self, seed, views, arc_deg):
        """An arc in the middle of the full one, measured in as long a time."""
        return self.simulate(f"tree-{seed}-{views}-views-{arc_deg}-degrees", seed, 200000, "--views", views, "--arc-rad",
                             np.radians(arc_deg), "--first-rad", np.radians((FULL_DEG - arc_deg) / 2), "--train-views", min(views, 8))

    def case(self, seed, views, arc_deg):
        """The views of a sweep to train on, and those of another to judge by, in the order of their times."""
        file = self.folder / f"case-{seed}-{views}-of-{arc_deg}.h5"
        with h5py.File(self.sweep(seed, views, arc_deg)) as trained, h5py.File(self.sweep(seed, JUDGES, FULL_DEG)) as judge, \
                h5py.File(file, "w") as out:
            judge.copy("/volume", out)
            out.create_group("reference")
            judge.copy("/reference/volume", out["reference"])
            for name, value in judge.attrs.items():
                out.attrs[name] = value
            order = np.argsort(np.concatenate([f["time_s"][:] for f in (trained, judge)]), kind="stable")
            for name in OF_VIEWS:
                out[name] = np.concatenate([f[name][:] for f in (trained, judge)])[order]
                for key, value in judge[name].attrs.items():
                    out[name].attrs[key] = value
            for key, value in judge["geometry"].attrs.items():
                out["geometry"].attrs[key] = value
            out["split/train"] = np.flatnonzero(order < views).astype("i4")
            out["split/test"] = np.flatnonzero(order >= views).astype("i4")
        return file

    def measure(self, seed, views, arc_deg):
        case = self.case(seed, views, arc_deg)
        renders, volume = (self.folder / f"{case.stem}{end}" for end in ("-renders.h5", "-volume.nii.gz"))
        model = self.reconstruct(case, f"{case.stem}-run")
        self.dsasrgs("render", model, "--case", case, "--views", "test", "--output", renders, "--uncertainty", "--force")
        self.dsasrgs("voxelize", model, "--case", case, "--output", volume, "--uncertainty", "--force")
        with h5py.File(case) as f:
            truth, solid = f["reference/projections"][:][f["split/test"][:]], f["reference/volume"][:]
        with h5py.File(renders) as f:
            image, deviation = f["projections"][:], f["uncertainty"][:]
        shown, bars = nifti(volume, solid.shape), nifti(self.folder / f"{case.stem}-volume_uncertainty.nii.gz", solid.shape)
        found = []
        for m in (compared(image, truth, deviation), compared(shown, solid, bars)):
            found += [m["rms"], m["predicted"], m["coverage"][1]]
        return [10 * np.log10(truth.max() ** 2 / np.mean((image - truth) ** 2)), *found]


def draw(path, tables):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    for axis, (label, table) in zip(axes, tables):
        x = [key for key, _ in table]
        for first, name, colour in ((1, "pixels", "tab:blue"), (4, "voxels", "tab:red")):
            axis.plot(x, [m[first] for _, m in table], "o-", color=colour, label=f"error, {name}")
            axis.plot(x, [m[first + 1] for _, m in table], "o--", color=colour, mfc="none", label=f"error bar, {name}")
        axis.set_xlabel(label)
        axis.set_ylabel("RMS, % of the brightest")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].set_xscale("log")
    axes[0].set_xticks(VIEWS, [str(v) for v in VIEWS])
    axes[0].minorticks_off()
    axes[1].set_xticks(ARCS)
    axes[0].legend()
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", default="build/examples/dsasrgs/dsasrgs")
    parser.add_argument("--seeds", default="51,52")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--figure", type=pathlib.Path)
    options = parser.parse_args()
    study, measured = Study(options.program, options.folder, options.steps), {}

    def mean_of(views, arc_deg):
        if (views, arc_deg) not in measured:
            measured[views, arc_deg] = np.mean([study.measure(s, views, arc_deg) for s in options.seeds.split(",")], axis=0)
        m = measured[views, arc_deg]
        print("| {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.0f} | {:.2f} | {:.2f} | {:.0f} |".format(views, arc_deg, *m), flush=True)
        return m

    print("| views | arc, degrees | dB | pixels: error, % | error bar, % | within 90 %, % | voxels: error, % | error bar, % | within 90 %, % |")
    print("|---|---|---|---|---|---|---|---|---|")
    tables = [("training views over 200 degrees", [(v, mean_of(v, FULL_DEG)) for v in VIEWS]),
              ("degrees, 30 training views", [(a, mean_of(30, a)) for a in ARCS])]
    if options.figure:
        draw(options.figure, tables)


if __name__ == "__main__":
    main()

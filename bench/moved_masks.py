#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much does a case show where there is no vessel, as it is and with its masks moved (`align`, `import dicom --align-masks`)?
Needs python3-h5py.

usage: bench/moved_masks.py PLAIN.h5 ALIGNED.h5... [--views FIRST-LAST] [--pictures FILE.png]
The same pixels of all files are compared: those that count in each, further than 4 pixels from where any third view of the first has more than
0.25 above its surroundings. Prints for each file the median of |projection|, that of what is left without the means of 17 x 17 pixels (edges and noise;
what changes slowly goes), mean over the views, and how many pixels no longer count. --pictures: of each file in a row, the views' first, middle and last, black at -0.5
and white at 0.5; needs python3-pil."""
import argparse

import h5py
import numpy as np

REACH, MARGIN, SHOWS = 8, 4, 0.25


def box(image, reach):
    """Sums over (2 reach + 1)^2 pixels, those that there are."""
    for axis in (0, 1):
        sums = np.concatenate([np.zeros_like(image.take([0], axis)), image.cumsum(axis)], axis)
        at = np.arange(image.shape[axis])
        image = sums.take(np.minimum(at + reach + 1, len(at)), axis) - sums.take(np.maximum(at - reach, 0), axis)
    return image


def without_slow(image, valid):
    weight = valid.astype(float)
    return image - box(image * weight, REACH) / np.maximum(box(weight, REACH), 1e-6)


class Case:
    def __init__(self, path):
        with h5py.File(path) as file:
            self.name, self.projections = path, file["projections"][:].astype(float)
            valid = file["valid"][:] if "valid" in file else np.ones(self.projections.shape[1:])
            self.valid = np.broadcast_to(valid != 0, self.projections.shape)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--views")
    parser.add_argument("--pictures")
    options = parser.parse_args()
    cases = [Case(path) for path in options.files]
    plain = cases[0]
    first, last = map(int, options.views.split("-")) if options.views else (0, len(plain.projections) - 1)
    views = range(first, last + 1)
    vessel = np.zeros(plain.projections.shape[1:])
    for view in range(0, len(plain.projections), 3):
        vessel += without_slow(plain.projections[view], plain.valid[view]) > SHOWS
    counts = plain.valid.all(0) & (box(vessel, MARGIN) == 0)
    for case in cases:
        whole, fast, left_out = [], [], []
        for view in views:
            here = counts & np.all([other.valid[view] for other in cases], 0)
            whole.append(np.median(np.abs(case.projections[view])[here]))
            fast.append(np.median(np.abs(without_slow(case.projections[view], case.valid[view]))[here]))
            left_out.append(1 - (case.valid[view] & plain.valid[view]).sum() / plain.valid[view].sum())
        print(f"{case.name}: {np.mean(whole):.4f}, without what is slow {np.mean(fast):.4f}, left out {100 * np.mean(left_out):.1f} %")
    if options.pictures:
        from PIL import Image
        shown = [first, (first + last) // 2, last]
        rows = [np.hstack([np.where(c.valid[v], np.clip(c.projections[v] + 0.5, 0, 1), 0.3) for v in shown]) for c in cases]
        Image.fromarray((255 * np.vstack(rows)).astype(np.uint8)).save(options.pictures)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""spoil.py FOLDER: a small NIfTI file of nibabel's, damaged blindly a thousand times (damaged/), and in chosen ways (chosen/)."""
import gzip
import os
import random
import struct
import sys

import nibabel
import numpy as np

folder = sys.argv[1]
for name in ("damaged", "chosen"):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
path = os.path.join(folder, "good.nii")
voxels = np.random.default_rng(1).normal(size=(5, 4, 3)).astype("f4")
nibabel.Nifti1Image(voxels, np.diag([0.5, 0.75, 1.25, 1])).to_filename(path)
good = open(path, "rb").read()

rng = random.Random(7)
for i in range(1000):  # the changes of tests/lib/mutated_inputs_test.cpp
    b = bytearray(good)
    for _ in range(1 + rng.randrange(8)):
        at = rng.randrange(len(b))
        count = 1 + rng.randrange(min(64, len(b) - at))
        kind = rng.randrange(6)
        if kind == 0:
            b[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            b[at] = rng.randrange(256)
        elif kind == 2:
            b[at] = rng.choice(b"\0\xff\x7f\x80-+.e9")
        elif kind == 3 and len(b) > count:
            del b[at:at + count]
        elif kind == 4:
            b[rng.randrange(len(b)):0] = b[at:at + count]
        elif kind == 5 and rng.randrange(4) == 0 and at > 0:
            del b[at:]
    open(os.path.join(folder, "damaged", f"{i:04}.nii"), "wb").write(b)


def chosen(name, offset, form, *values):
    b = bytearray(good)
    struct.pack_into("<" + form, b, offset, *values)
    data = gzip.compress(bytes(b)) if name.endswith(".gz") else bytes(b)
    open(os.path.join(folder, "chosen", name), "wb").write(data)


chosen("voxel_nan.nii", 352, "f", float("nan"))
chosen("dim_0.nii", 40, "8h", 3, 5, 0, 3, 1, 1, 1, 1)
chosen("slope_inf.nii", 112, "f", float("inf"))
chosen("affine_nan.nii", 280, "f", float("nan"))
chosen("magic.nii", 344, "4s", b"what")
chosen("voxels_12_GB.nii", 40, "8h", 3, 20000, 20000, 8, 1, 1, 1, 1)
chosen("voxels_12_GB.nii.gz", 40, "8h", 3, 20000, 20000, 8, 1, 1, 1, 1)
chosen("voxels_overflow.nii", 40, "8h", 7, 32767, 32767, 32767, 32767, 32767, 3, 3)

# SPDX-License-Identifier: Apache-2.0
"""nifti_files.py FOLDER: NIfTI files of every type, version, byte order and orientation, written by nibabel. The value of a
voxel is x + 5 y + 25 z of its place in LPS mm, less (10, -20, 30); `oblique` ones are turned."""
import itertools
import os
import sys

import nibabel
import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
ORIGIN = np.array([10, -20, 30])


def save(name, affine_lps, shape, dtype, kind, big_endian, slope=None):
    i, j, k = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    place = nibabel.affines.apply_affine(affine_lps, np.stack([i, j, k], axis=-1)) - ORIGIN
    values = place @ [1, 5, 25]
    header = kind.header_class(endianness=">" if big_endian else "<")
    header.set_data_dtype(dtype)
    affine = np.diag([-1, -1, 1, 1]) @ affine_lps
    if slope is None:
        image = kind(values.astype(dtype), affine, header)
    else:
        image = kind(((values - slope[1]) / slope[0]).astype(dtype), affine, header)
        image.header.set_slope_inter(*slope)
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(os.path.join(folder, name))
    assert np.allclose(nibabel.load(os.path.join(folder, name)).get_fdata(), values, atol=1e-3)


orientations = [(p, s) for p in itertools.permutations(range(3)) for s in itertools.product((1, -1), repeat=3)]
types = [np.dtype(t) for t in ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")]
count = 0
for dtype in types:
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        for big_endian in (False, True):
            axes, signs = orientations[7 * count % 48]
            shape = (3, 4, 2)
            affine = np.eye(4)
            affine[:3, :3] = 0
            for c in range(3):
                affine[axes[c], c] = signs[c]
            corner = np.minimum(affine[:3, :3] @ (np.array(shape) - 1), 0)
            low = np.array([min(0, sum(affine[r, c] * (shape[c] - 1) for c in range(3))) for r in range(3)])
            affine[:3, 3] = ORIGIN - low
            version = 2 if kind is nibabel.Nifti2Image else 1
            save(f"{dtype.str[1:]}_{version}_{'big' if big_endian else 'little'}.nii{'.gz' if count % 3 == 0 else ''}", affine, shape, dtype.newbyteorder(">" if big_endian else "<"), kind, big_endian)
            count += 1
save("scaled.nii", np.array([[0, 1, 0, 10], [1, 0, 0, -20], [0, 0, 1, 30], [0, 0, 0, 1]]), (3, 4, 2), np.dtype("i2"), nibabel.Nifti1Image, False, (0.5, 3.0))
for angle in (0.05, 0.7, 2.0):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s * c, s * s], [s, c * c, -s * c], [0, s, c]]) @ np.diag([0.5, 0.75, 1.25])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, ORIGIN
    save(f"oblique_{angle}.nii.gz", affine, (20, 16, 12), np.dtype("f4"), nibabel.Nifti1Image, False)

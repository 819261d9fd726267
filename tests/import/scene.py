# SPDX-License-Identifier: Apache-2.0
"""A still object of known shape, its line integrals for any cone-beam geometry, and what the tests ask of an import.

Nothing here knows the library's formulas: rays are traced from source to pixel centres in world coordinates, where source and
pixels come from each format's own documentation.
"""
import subprocess
import sys

import h5py
import numpy as np

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else "dsasrgs"
# No symmetry: a flipped axis, another handedness or a mirrored detector moves a ball.
BALLS = [((12.0, -7.0, 9.0), 8.0, 0.02), ((-15.0, 4.0, -3.0), 5.0, 0.035), ((3.0, 17.0, -14.0), 4.0, 0.03)]
failures = []


def line_integrals(source, pixels):
    """[...]: through the balls, from a source [3] to points [...,3]. Unit: mm and 1/mm."""
    ray = pixels - source
    ray = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    total = np.zeros(pixels.shape[:-1])
    for center, radius, attenuation in BALLS:
        to = np.asarray(center) - source
        along = ray @ to
        chord = radius**2 - (to @ to - along**2)
        total += attenuation * 2 * np.sqrt(np.maximum(chord, 0))
    return total


def images(sources, pixel_points):
    """[V,H,W] of sources [V,3] and pixel centres [V,H,W,3]."""
    return np.stack([line_integrals(s, p) for s, p in zip(sources, pixel_points)])


def volume(size, spacing, center):
    """[x,y,z] samples of the object at voxel centres, 1/mm."""
    axes = [center[a] + (np.arange(size[a]) + 0.5 - size[a] / 2) * spacing[a] for a in range(3)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    total = np.zeros(x.shape)
    for c, radius, attenuation in BALLS:
        total[(x - c[0]) ** 2 + (y - c[1]) ** 2 + (z - c[2]) ** 2 < radius**2] += attenuation
    return total


def run(*arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if done.returncode != code:
        report(" ".join(map(str, arguments)), f"exit code {done.returncode}, expected {code}: {done.stderr[-300:]}")
    return done


def report(name, what):
    failures.append(name)
    print(f"FAILED: {name}: {what}", file=sys.stderr)


def near(name, what, found, expected, tolerance):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if found.shape != expected.shape:
        return report(name, f"{what}: shape {found.shape}, expected {expected.shape}")
    worst = float(np.max(np.abs(found - expected), initial=0))
    if not worst <= tolerance:
        report(name, f"{what}: off by {worst:.3g}, at most {tolerance:g}")
    return worst


class Case:
    """An acquisition file as docs/data-format.md has it."""

    def __init__(self, path):
        with h5py.File(path) as f:
            self.projections = f["projections"][:]
            self.pitch = f["geometry"].attrs["pixel_pitch_mm"]
            self.source, self.center = f["geometry/source_mm"][:], f["geometry/detector_center_mm"][:]
            self.u, self.v = f["geometry/detector_u"][:], f["geometry/detector_v"][:]
            self.time = f["time_s"][:]
            v = f["volume"].attrs
            self.size, self.spacing, self.origin = v["size"], v["spacing_mm"], v["origin_mm"]
            self.valid = f["valid"][:] if "valid" in f else None
            self.test = list(f["split/test"][:]) if "split/test" in f else []
            self.reference = f["reference/volume"][:] if "reference/volume" in f else None

    def pixel_points(self):
        """Centres of all pixels in world coordinates [V,H,W,3]: pixel (0,0) covers [0,1)²."""
        _, h, w = self.projections.shape
        x = (np.arange(w) + 0.5 - w / 2) * self.pitch[0]
        y = (np.arange(h) + 0.5 - h / 2) * self.pitch[1]
        return (self.center[:, None, None] + x[None, None, :, None] * self.u[:, None, None]
                + y[None, :, None, None] * self.v[:, None, None])

    def project(self, view, point):
        """Detector position in px of a world point: intersection of its ray with the detector's plane."""
        s, c = self.source[view], self.center[view]
        normal = np.cross(self.u[view], self.v[view])
        d = np.asarray(point) - s
        hit = s + d * ((c - s) @ normal) / (d @ normal) - c
        _, h, w = self.projections.shape
        return np.array([hit @ self.u[view] / self.pitch[0] + w / 2, hit @ self.v[view] / self.pitch[1] + h / 2])


ERRORS = {}


def check(name, path, sources, pixel_points, pictures, order=None, world=lambda p: p):
    """Poses, pixels, images and, last, that the file's own images are the object's seen from its own poses."""
    case = Case(path)
    order = range(len(sources)) if order is None else order
    src = world(np.asarray([sources[i] for i in order]))
    pix = world(np.asarray([pixel_points[i] for i in order]))
    errors = ERRORS.setdefault(name, {})
    errors["source_mm"] = near(name, "sources in mm", case.source, src, 1e-4)
    errors["pixel_mm"] = near(name, "pixel centres in mm", case.pixel_points(), pix, 1e-4)
    errors["image"] = near(name, "line integrals", case.projections, np.asarray([pictures[i] for i in order]), 2e-6)
    if all(v is not None for v in errors.values()):
        def angle(p):
            return np.degrees(np.arctan2(p[:, 1], p[:, 0])), np.degrees(np.arcsin(p[:, 2] / np.linalg.norm(p, axis=1)))
        errors["degrees"] = max(near(name, "angles", a, b, 1e-5) for a, b in zip(angle(case.source), angle(src)))
    return case

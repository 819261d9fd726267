#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fdk_against_plastimatch.py PROGRAM BENCH [ROUNDS]: filtered back-projection on one thread, here and by plastimatch (Debian:
plastimatch, python3-h5py), of 30 views of 512 x 512 pixels into 256^3 voxels; in turn, ROUNDS (3) times. Prints the processor's
seconds (which other work on the machine changes less than those of the clock) of filtering and back-projection, and their ratio."""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

SIZE, SIDE, FIELD_MM, VOLUME_MM, VIEWS = 512, 256, 282.0, 176.0, 30


def write_views(case, folder):
    """As plastimatch reads them: NNNN.pfm with the line integrals, NNNN.txt with the projection matrix."""
    with h5py.File(case) as file:
        projections = file["projections"][:]
        source, centre = file["geometry/source_mm"][:], file["geometry/detector_center_mm"][:]
        u, v = file["geometry/detector_u"][:], file["geometry/detector_v"][:]
    pitch = FIELD_MM / SIZE
    for i, image in enumerate(projections):
        with open(folder / f"{i:04}.pfm", "wb") as out:
            out.write(b"Pf\n%d %d\n-1\n" % (SIZE, SIZE) + image.astype("<f4").tobytes())
        distance = np.linalg.norm(centre[i] - source[i])
        normal = (centre[i] - source[i]) / distance
        rows = np.array([u[i] / pitch, v[i] / pitch, normal / distance])
        matrix = np.hstack([rows, -rows @ source[i][:, None]])
        middle = (SIZE - 1) / 2
        lines = [f"{middle} {middle}"] + [" ".join(f"{x:.9e}" for x in row) for row in matrix]
        lines += [f"{np.linalg.norm(source[i])}", f"{distance}", " ".join(f"{x:.9e}" for x in normal)]
        (folder / f"{i:04}.txt").write_text("\n".join(lines) + "\n")


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def plastimatch_seconds(first, views, output):
    """Of all views but the first, which leaves writing the volume out; scaled to all."""
    def seconds(folder):
        return processor_seconds(["plastimatch", "fdk", "-I", f"{folder}/", "-O", output, "-r", f"{SIDE} {SIDE} {SIDE}", "-z",
                                  f"{VOLUME_MM} " * 3])

    one, every = seconds(first), seconds(views)
    return (every - one) * VIEWS / (VIEWS - 1)


def own_seconds(bench):
    said = subprocess.run(
        [bench, f"--benchmark_filter=fdk_bench/width:{SIZE}/height:{SIZE}/side:{SIDE}/threads:1", "--benchmark_min_time=0.01",
         "--benchmark_format=json"], check=True, capture_output=True, text=True).stdout
    return json.loads(said)["benchmarks"][0]["cpu_time"] / 1e3


def main():
    program, bench = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "simulate", "--output", folder / "case.h5", "--quiet", "--views", str(VIEWS), "--size", str(SIZE),
                        str(SIZE), "--pitch-mm", str(FIELD_MM / SIZE), "--no-reference-volume", "--samples-per-pixel", "1"], check=True)
        (folder / "views").mkdir()
        write_views(folder / "case.h5", folder / "views")
        (folder / "first").mkdir()
        for name in ("0000.pfm", "0000.txt"):
            shutil.copy(folder / "views" / name, folder / "first")
        ratios = []
        for _ in range(rounds):
            theirs, ours = plastimatch_seconds(folder / "first", folder / "views", folder / "volume.mha"), own_seconds(bench)
            ratios.append(theirs / ours)
            print(f"plastimatch {theirs:.2f} s, here {ours:.2f} s: {ratios[-1]:.1f} times as fast")
        print(f"median: {sorted(ratios)[rounds // 2]:.1f} times as fast")


if __name__ == "__main__":
    main()

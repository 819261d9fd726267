#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scale.py PROGRAM FOLDER [PLOT.png]: time (by the clock: for a machine with nothing else to do) and memory of a training step on the
CPU against the number of Gaussians, pixels and views (Debian: python3-matplotlib for the plot). Each row is a run of `4drgs` with as
many Gaussians from the first step to the last; a step's time is the sum of its stages in metrics.json.
The exponent is the slope of a straight line through the logarithms of the last three rows. Rows already in FOLDER are used again."""

import json
import math
import pathlib
import subprocess
import sys

STEPS = 20
AXES = {
    "Gaussians": [(n, 256, 60) for n in (10_000, 30_000, 100_000, 300_000, 1_000_000)],
    "pixels a side": [(30_000, px, 30) for px in (128, 256, 512, 1024, 2048)],
    "views": [(30_000, 128, views) for views in (30, 60, 150, 300, 600)],
}
WHICH = {"Gaussians": 0, "pixels a side": 1, "views": 2}


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


def measure(program, folder, gaussians, px, views):
    kept = folder / f"{gaussians}-{px}-{views}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    case = folder / f"case-{px}-{views}.h5"
    if not case.exists():
        run(program, "simulate", "--output", case, "--size", px, px, "--pitch-mm", 307.2 / px, "--views", views, "--train-views",
            views - 1, "--samples-per-pixel", 1, "--no-head", "--grid-size", 192, "--grid-spacing-mm", 0.85, "--quiet")
    run(program, "reconstruct", case, "--output", folder / "run", "--force", "--quiet", "--steps", STEPS, "--set",
        "gaussians.init_percentile=50", "--set", f"gaussians.initial={gaussians}", "--set",
        f"density_control.max_gaussians={gaussians}")
    metrics = json.loads((folder / "run" / "metrics.json").read_text())["run"]
    assert metrics["gaussians"] == gaussians, metrics["gaussians"]
    row = {"ms": metrics["milliseconds_per_step"]["sum of stages"],
           "mib": metrics["memory"]["peak_host_bytes"] / 2**20,
           "expected_mib": metrics["memory"]["expected"]["most"]["host_bytes"] / 2**20}
    kept.write_text(json.dumps(row))
    return row


def exponent(x, y):
    x, y = [math.log(v) for v in x[-3:]], [math.log(v) for v in y[-3:]]
    mx, my = sum(x) / 3, sum(y) / 3
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    curves = {}
    print("| Gaussians | pixels | views | step, ms | memory, MiB | expected, MiB |\n|---|---|---|---|---|---|")
    for axis, cases in AXES.items():
        rows = []
        for gaussians, px, views in cases:
            rows.append(measure(program, folder, gaussians, px, views))
            r = rows[-1]
            print(f"| {gaussians} | {px}² | {views} | {r['ms']:.0f} | {r['mib']:.0f} | {r['expected_mib']:.0f} |", flush=True)
        curves[axis] = ([case[WHICH[axis]] for case in cases], [r["ms"] for r in rows], [r["mib"] for r in rows])
    for axis, (x, ms, mib) in curves.items():
        print(f"{axis}: time grows with exponent {exponent(x, ms):.2f}, memory with {exponent(x, mib):.2f}")
    if len(sys.argv) > 3:
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        figure, panels = plt.subplots(1, 3, figsize=(10, 3.2))
        for panel, (axis, (x, ms, mib)) in zip(panels, curves.items()):
            panel.loglog(x, ms, "o-", label="step, ms")
            panel.loglog(x, mib, "s--", label="memory, MiB")
            panel.set_xlabel(axis)
            panel.grid(True, which="both", alpha=0.3)
        panels[0].legend()
        figure.tight_layout()
        figure.savefig(sys.argv[3], dpi=110)


if __name__ == "__main__":
    main()

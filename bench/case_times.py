#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""case_times.py PROGRAM FOLDER [STEPS]: what each job on a case takes beside its training, for the three sizes of the speed tables
(20k Gaussians and 512² pixels, 50k and 512², 100k and 1024²; 133 views, 30 of them for training, 192³ voxels). Processor seconds of all
threads, of a run of `4drgs` with as many Gaussians from the first step to the last; a training of STEPS (30 000) is reckoned from
its steps. Rows already in FOLDER are used again."""

import json
import pathlib
import resource
import subprocess
import sys

SIZES = [(20_000, 512), (50_000, 512), (100_000, 1024)]
FEW, MANY = 4, 104
JOBS = ["simulation", "FDK, first Gaussians", "training", "133 renders", "a volume of 192³", "evaluation of 103 views",
        "labels of 30 views, x4 from a quarter of the pixels", "report"]


def seconds_of(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def simulate(program, case, px):
    return seconds_of(program, "simulate", "--output", case, "--force", "--size", px, px, "--pitch-mm", 307.2 / px, "--views", 133,
                      "--train-views", 30, "--grid-size", 192, "--grid-spacing-mm", 0.85, "--quiet")


def measure(program, folder, gaussians, px, steps):
    kept = folder / f"{gaussians}-{px}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    case, quarter, run = folder / "case.h5", folder / "quarter.h5", folder / "run"
    times = {"simulation": simulate(program, case, px)}
    few = many = 0.0
    for count in (FEW, MANY):
        seconds = seconds_of(program, "reconstruct", case, "--output", run, "--force", "--quiet", "--steps", count, "--set",
                             "gaussians.init_percentile=80", "--set", f"gaussians.initial={gaussians}", "--set",
                             f"density_control.max_gaussians={gaussians}")
        few, many = many, seconds
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["run"]["gaussians"] == gaussians, metrics["run"]["gaussians"]
    step = (many - few) / (MANY - FEW)
    model = run / "model.h5"
    times["evaluation of 103 views"] = seconds_of(program, "evaluate", model, "--case", case, "--json", folder / "s.json", "--quiet")
    times["a volume of 192³"] = seconds_of(program, "voxelize", model, "--output", folder / "v.nii", "--time", 2, "--force", "--quiet")
    times["133 renders"] = seconds_of(program, "render", model, "--case", case, "--views", "all", "--output", folder / "r.h5", "--force",
                                      "--quiet")
    times["report"] = seconds_of(program, "report", run, "--quiet")
    # What the run takes beside its steps: reading, FDK and Gaussians, and what it makes in the end.
    times["FDK, first Gaussians"] = max(few - FEW * step - times["evaluation of 103 views"], 0.0)
    times["training"] = steps * step
    simulate(program, quarter, px // 4)
    (folder / "l.h5").unlink(missing_ok=True)
    times[JOBS[6]] = seconds_of(program, "labels", quarter, "--output", folder / "l.h5", "--scale", 4, "--quiet")
    kept.write_text(json.dumps(times))
    return times


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 30_000
    folder.mkdir(parents=True, exist_ok=True)
    columns = [measure(program, folder, gaussians, px, steps) for gaussians, px in SIZES]
    print("| processor s | " + " | ".join(f"{g // 1000}k, {px}²" for g, px in SIZES) + " |\n" + "|---" * (len(SIZES) + 1) + "|")
    for job in JOBS:
        cells = [f"{c[job]:.1f} ({100 * c[job] / c['training']:.2g} %)" if job != "training" else f"{c[job]:.0f}" for c in columns]
        print(f"| {job} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()

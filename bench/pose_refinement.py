#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pose_refinement.py PROGRAM FOLDER [--cases NAMES] [--seeds N ...] [--size PX] [--steps N] [--set SECTION.NAME=VALUE ...]:
what geometry.refine wins back of what wrong poses cost, on simulated sweeps (Debian: python3-h5py).

Each case writes a sweep's true poses wrongly into an acquisition, trains on it with and without refinement, and scores the
held-out views against their noise-free truth, seen from their true poses. Projections cannot tell a rigid motion or a scaling of
the volume from a change of all poses: before a model is scored, the true poses are moved by the one similarity that fits them
best to the poses it was trained with. Prints a table: dB with true, wrong and refined poses, the share won back, and how far
the poses are from the true ones after that similarity, in pixels. Finished runs in FOLDER are used again."""

import argparse
import json
import pathlib
import shutil
import subprocess

import h5py
import numpy as np

TRAIN = 30
NAMES = ("source_mm", "detector_center_mm", "detector_u", "detector_v")


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


def read_poses(path):
    with h5py.File(path) as file:
        return {name: file["geometry"][name][:] for name in NAMES}


def write_case(source, target, poses):
    shutil.copy(source, target)
    with h5py.File(target, "r+") as file:
        geometry = file["geometry"]
        if "carm" in geometry:
            del geometry["carm"]
        for name in NAMES:
            if name in geometry:
                del geometry[name]
            geometry[name] = poses[name]
        views = len(poses["source_mm"])
        if "split" in file:
            del file["split"]
        file["split/train"] = (np.arange(TRAIN) * views // TRAIN).astype("i4")


def turn(axis, angle):
    """Rotation matrices [V,3,3] about unit vectors [V,3]."""
    c, s = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    k = np.zeros((len(axis), 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    k[:, 1, 0], k[:, 2, 0], k[:, 2, 1] = axis[:, 2], -axis[:, 1], axis[:, 0]
    return np.eye(3) + s * k + (1 - c) * (k @ k)


def normal(poses):
    n = poses["detector_center_mm"] - poses["source_mm"]
    return n / np.linalg.norm(n, axis=1, keepdims=True)


def wrong_poses(true, pitch, case, seed):
    """The poses an acquisition claims, where the true ones made its images."""
    random = np.random.default_rng(seed)
    poses = {name: array.copy() for name, array in true.items()}
    views = len(poses["source_mm"])
    jitter = {"jitter1": 1, "jitter2": 2, "mixture": 1}.get(case, 0)
    shift = jitter * pitch * random.standard_normal((views, 2))
    poses["detector_center_mm"] += shift[:, :1] * true["detector_u"] + shift[:, 1:] * true["detector_v"]
    if case in ("roll", "mixture"):
        r = turn(normal(true), np.full(views, np.radians(1)))
        for name in ("detector_u", "detector_v"):
            poses[name] = np.einsum("vij,vj->vi", r, poses[name])
    if case in ("sod", "mixture"):  # the source 3 % farther from the isocentre, the detector where it is
        poses["source_mm"] = poses["source_mm"] * 1.03
    if case == "wobble":  # a smooth curve: 2 px along the rows, 1 px along the columns, and half a degree of roll
        angle = np.linspace(0, 2 * np.pi, views)
        poses["detector_center_mm"] += pitch * (2 * np.sin(angle)[:, None] * true["detector_u"] +
                                                np.cos(1.5 * angle)[:, None] * true["detector_v"])
        r = turn(normal(true), np.radians(0.5) * np.sin(2 * angle))
        for name in ("detector_u", "detector_v"):
            poses[name] = np.einsum("vij,vj->vi", r, poses[name])
    return poses


def project(poses, pitch, points):
    """[V,P,2] in pixels from the detector's centre."""
    n = np.cross(poses["detector_u"], poses["detector_v"])
    ray = points[None] - poses["source_mm"][:, None]
    to_plane = np.einsum("vi,vi->v", poses["detector_center_mm"] - poses["source_mm"], n)
    hit = ray * (to_plane[:, None] / np.einsum("vpi,vi->vp", ray, n))[..., None]
    offset = hit + (poses["source_mm"] - poses["detector_center_mm"])[:, None]
    return np.stack([np.einsum("vpi,vi->vp", offset, poses[a]) for a in ("detector_u", "detector_v")], -1) / pitch


def moved(poses, q):
    """Poses that see p where the given ones see the volume moved: turned by q[:3] rad, shifted by q[3:6] mm, and scaled by
    1 + q[6]."""
    length = np.linalg.norm(q[:3])
    r = turn(q[None, :3] / max(length, 1e-30), np.array([length]))[0]
    back = lambda v: v @ r  # the inverse rotation
    scale = 1 + q[6]
    source = back(poses["source_mm"] - q[3:6]) / scale
    return {"source_mm": source, "detector_center_mm": source + back(poses["detector_center_mm"] - poses["source_mm"]),
            "detector_u": back(poses["detector_u"]), "detector_v": back(poses["detector_v"])}


def best_similarity(true, used, pitch, half_mm):
    """q of moved(true, q) nearest to the poses used, and the root mean square distance left, in pixels."""
    grid = np.array(np.meshgrid(*[[-0.6, 0, 0.6]] * 3)).reshape(3, -1).T * half_mm
    target = project(used, pitch, grid)
    q = np.zeros(7)
    residual = lambda p: (project(moved(true, p), pitch, grid) - target).ravel()
    for _ in range(20):
        r = residual(q)
        steps = np.array([1e-5] * 3 + [1e-3] * 3 + [1e-6])
        jacobian = np.stack([(residual(q + np.eye(7)[k] * steps[k]) - r) / steps[k] for k in range(7)], 1)
        q = q - np.linalg.lstsq(jacobian, r, rcond=None)[0]
    return q, np.sqrt(np.mean(residual(q) ** 2) * 2)


def reconstruct(program, case, folder, options):
    if not (folder / "metrics.json").exists():
        run(program, "reconstruct", case, "--output", folder, "--quiet", "--force", *options)
    return folder / "model.h5"


def with_contrast(path):
    """Training views that show at least a tenth of what the brightest one does: nobody knows the poses of the others."""
    with h5py.File(path) as file:
        images = file["projections"]
        trained = np.arange(TRAIN) * len(images) // TRAIN
        means = np.array([images[int(view)].mean() for view in trained])
    return trained[means >= 0.1 * means.max()]


def score(program, truth, case, model, work, pitch, half_mm):
    """dB and SSIM of the held-out views from their true poses, and the distance of the poses trained with from the true."""
    run(program, "render", model, "--case", case, "--views", "all", "--output", work / "used.h5", "--force", "--quiet")
    true, used = read_poses(truth), read_poses(work / "used.h5")
    seen = with_contrast(truth)
    pick = lambda poses: {name: array[seen] for name, array in poses.items()}
    q, left = best_similarity(pick(true), pick(used), pitch, half_mm)
    write_case(truth, work / "judge.h5", moved(true, q))
    run(program, "evaluate", model, "--case", work / "judge.h5", "--json", work / "scores.json", "--quiet")
    scores = json.loads((work / "scores.json").read_text())
    return scores, left


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cases", default="jitter1,jitter2,roll,sod,mixture,wobble")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--still", action="store_true", help="vessels that are filled all the time, preset static: a tenth of the time")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    a = parser.parse_args()
    pitch, half_mm = 307.2 / a.size, 80.0
    common = ["--steps", a.steps, "--set", "gaussians.initial=10000", "--set", "density_control.max_gaussians=20000"]
    filled = []
    if a.still:
        common += ["--preset", "static"]
        filled = ["--arrival-s", -30, "--injection-s", 60]
    refine = [x for s in ["geometry.refine=true", *a.settings] for x in ("--set", s)]
    print("| sweep | true poses, dB | refined from them | wrong poses | refined | won back | poses off before, px | after |")
    print("|---|---|---|---|---|---|---|---|")
    for seed in a.seeds:
        work = a.folder / f"seed{seed}"
        work.mkdir(parents=True, exist_ok=True)
        truth = work / "true.h5"
        if not truth.exists():
            run(a.program, "simulate", "--output", work / "simulated.h5", "--seed", seed, "--size", a.size, a.size,
                "--pitch-mm", pitch, "--photons", 2e6, "--quiet", "--force", *filled)
            write_case(work / "simulated.h5", truth, read_poses(work / "simulated.h5"))
        db = lambda s: s[0]["high_resolution"]["mean"]["fixed"]["psnr_db"]
        judge = lambda case, model: score(a.program, truth, case, model, work, pitch, half_mm)
        best = judge(truth, reconstruct(a.program, truth, work / "true", common))
        kept = judge(truth, reconstruct(a.program, truth, work / "true-refined", common + refine))
        for case in a.cases.split(","):
            file = work / f"{case}.h5"
            if not file.exists():
                write_case(truth, file, wrong_poses(read_poses(truth), pitch, case, seed))
            wrong = judge(file, reconstruct(a.program, file, work / case, common))
            better = judge(file, reconstruct(a.program, file, work / f"{case}-refined", common + refine))
            share = (db(better) - db(wrong)) / (db(best) - db(wrong))
            print(f"| {seed}, {case} | {db(best):.2f} | {db(kept):.2f} | {db(wrong):.2f} | {db(better):.2f} | "
                  f"{100 * share:.0f} % | {wrong[1]:.2f} | {better[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()

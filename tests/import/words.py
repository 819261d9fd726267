# SPDX-License-Identifier: Apache-2.0
"""What an import says is in the words of its file and of what was typed; comments in tables, boxes that contradict. See run.sh."""
import json
import os

import nibabel
import numpy as np
from PIL import Image

from scene import Case, failures, near, report, run


def warned(name, arguments, *parts, options=(), but=()):
    said = run("import", *arguments, "out.h5", *options, "--force").stderr
    for part in parts:
        if part not in said:
            report(name, f"no '{part}' in: {said}")
    for part in but:
        if part in said:
            report(name, f"'{part}' in: {said}")


# ── tables ────────────────────────────────────────────────────────────────────────────────────────────────────────
os.makedirs("words/pictures")
os.chdir("words")
for name in ("a.png", "b #2.png", "c#3.png"):
    Image.fromarray(np.full((4, 5), 90, np.uint8)).save(f"pictures/{name}")
open("poses.csv", "w").write("""  # of 2026
file,primary_deg,sod_mm,sdd_mm # degrees, mm
a.png,1,750,1200\t# the first
"b #2.png",2,750,1200

c#3.png,3,750,1200 #,4
""")
warned("comments", ["images", "pictures", "poses.csv"], "/geometry@pixel_pitch_mm (--pitch-mm): expected", options=["--pitch-mm", 8])
near("comments", "views", len(Case("out.h5").projections), 3, 0)
open("mm.csv", "w").write("file,primary_deg,sod_mm\na.png,1,7500\na.png,20,7500\n")
warned("lengths", ["images", "pictures", "mm.csv"], "/geometry (--sdd-mm): expected", options=["--pitch-mm", 400, "--sdd-mm", 12000])

# ── R²-Gaussian ───────────────────────────────────────────────────────────────────────────────────────────────────
os.makedirs("r2/p")
views = []
for i in range(4):
    np.save(f"r2/p/{i}.npy", np.full((8, 8), 0.1 * i, np.float32))
    views.append({"file_path": f"p/{i}.npy", "angle": 0.7 * i})
scanner = {"mode": "cone", "DSD": 1.5, "DSO": 1.0, "nDetector": [8, 8], "sDetector": [0.6, 0.6], "nVoxel": [8, 8, 6], "sVoxel": [0.4, 0.4, 0.3],
           "offOrigin": [0.01, 0, -0.02]}
for box, right in (([[-0.19, -0.2, -0.17], [0.21, 0.2, 0.13]], True),  # the file's units
                   ([[-0.95, -1, -0.85], [1.05, 1, 0.65]], True),  # those of training
                   ([[-1, -1, -1], [1, 1, 1]], True),  # the cube about them
                   ([[-2, -1, -1], [1, 1, 1]], False), ([[1, 1, 1], [-1, -1, -1]], False), ([[-0.2, -0.2, -0.15], [0.2, 0.2, 0.15]], False)):
    json.dump({"scanner": scanner, "proj_train": views, "bbox": box}, open("r2/meta_data.json", "w"))
    message = "r2/meta_data.json: bbox: expected offOrigin and half of sVoxel to both sides, (-0.19, -0.2, -0.17) to (0.21, 0.2, 0.13), found ("
    warned(f"bbox {box}", ["r2-gaussian", "r2"], *([] if right else [message]), but=["bbox"] if right else [])
json.dump({"scanner": scanner, "proj_train": views, "bbox": [[1, 2]]}, open("r2/meta_data.json", "w"))
if "r2/meta_data.json: bbox: " not in run("import", "r2-gaussian", "r2", "no.h5", code=2).stderr:
    report("bbox", "half a box is not refused")

# ── 4DRGS ─────────────────────────────────────────────────────────────────────────────────────────────────────────
os.makedirs("4drgs")
for name in ("mask_run", "fill_run"):
    nibabel.save(nibabel.Nifti1Image(np.random.default_rng(1).uniform(900, 1000, (8, 8, 4)).astype(np.float32), np.eye(4)), f"4drgs/{name}.nii.gz")
transforms = {"proj_resolution": [8, 8], "proj_spacing": [40, 40], "volume_resolution": [8] * 3, "volume_spacing": [12] * 3, "volume_phy": [96] * 3, "sad": 750,
              "sid": 1200, "frames": [{"PrimaryAngle": 0.4 * i, "SecondaryAngle": 0.1} for i in range(4)]}
json.dump(transforms, open("4drgs/transforms.json", "w"))
warned("4drgs", ["4drgs", "4drgs"], "(--secondary-angles takes it)", "(--duration-s gives another)", but=["secondary_angles", "duration_s"])
raise SystemExit(1 if failures else 0)

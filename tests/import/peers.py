# SPDX-License-Identifier: Apache-2.0
"""Round trips of each kind of `dsasrgs import`, from files written as the other programs write them. See run.sh."""
import json
import os
import pickle
import re
import zlib

import nibabel
import numpy as np
from PIL import Image

from scene import BALLS, Case, ERRORS, check, failures, images, line_integrals, near, report, run, volume

rng = np.random.default_rng(1)
DSO, DSD, H, W = 750.0, 1200.0, 20, 26
PV, PU = 8.0, 7.0
CENTER = np.asarray(BALLS[1][0])


def angle2pose(angle, dso):
    """NAF's and R²-Gaussian's camera-to-world matrix: −90° about x, +90° about z, the angle about z, all fixed axes."""
    def about(axis, a):
        c, s = np.cos(a), np.sin(a)
        return np.array({"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis])
    return about("z", angle) @ about("z", np.pi / 2) @ about("x", -np.pi / 2), np.array([dso * np.cos(angle), dso * np.sin(angle), 0])


def camera_rays(angles, dso, dsd, h, w, pv, pu):
    """Pixel centres as NAF's get_rays has them: direction (uu/DSD, vv/DSD, 1), half-pixel centres."""
    sources, points = [], []
    for angle in angles:
        rotation, source = angle2pose(angle, dso)
        uu, vv = np.meshgrid((np.arange(w) + 0.5 - w / 2) * pu, (np.arange(h) + 0.5 - h / 2) * pv)
        points.append(source + np.stack([uu, vv, np.full_like(uu, dsd)], -1) @ rotation.T)
        sources.append(source)
    return np.asarray(sources), np.asarray(points)


def lands(name, case, view, expected_px):
    near(name, "projection of a known point in px", case.project(view, CENTER), expected_px, 1e-3)


# ── images ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_images():
    angles = np.radians([-70, -10, 35, 80])
    sources, points = camera_rays(angles, DSO, DSD, H, W, PV, PU)
    pictures = images(sources, points)
    os.makedirs("images/sub")
    slope, intercept = 2e-5, -0.1
    rows = ["file;time_s;primary_deg;sod_mm;sdd_mm"]
    quantised = np.round((pictures - intercept) / slope).astype(np.uint16)
    for v, a in enumerate(angles):
        Image.fromarray(quantised[v]).save(f"images/sub/{v}.png")
        rows.append(f"sub/{v}.png;{0.5 * v};{np.degrees(a):.12g};{DSO};{DSD}")
    rows[1:] = rows[:0:-1]  # in any order: times count
    open("poses.csv", "w", encoding="utf-8-sig", newline="\r\n").write("\n".join(rows))
    done = run("import", "images", "images", "poses.csv", "images.h5", "--pitch-mm", PU, PV, "--slope", slope, "--intercept", intercept)
    for pattern in ("primary angle: -70 to 80 degrees", "source to isocentre: 750 mm", "source to detector: 1200 mm", "views: 4",
                    "detector: 26 x 20 pixels of 7 x 8 mm", "line integrals: 0 to 0\\.", "time: 0 to 1.5 s", "wrote images.h5"):
        if not re.search(pattern, done.stdout):
            report("images", f"no '{pattern}' in {done.stdout}")
    case = check("images", "images.h5", sources, points, quantised * slope + intercept)
    near("images", "times", case.time, [0, 0.5, 1, 1.5], 0)
    run("import", "images", "images", "poses.csv", "images.h5", "--pitch-mm", PU, code=2)  # there already
    # Names between quotes, which may hold the separator and quotes; one picture under two poses.
    os.rename("images/sub/0.png", 'images/sub/a, "b".png')
    rows = ['"file","primary_deg",sod_mm,sdd_mm', f'"sub/a, ""b"".png" ,"-70",{DSO},{DSD}'] + [f"sub/{v}.png,{np.degrees(angles[v]):.12g},{DSO},{DSD}" for v in (1, 2, 3)]
    open("quoted.csv", "w").write("\n".join(rows))
    done = run("import", "images", "images", "quoted.csv", "quoted.h5", "--pitch-mm", PU, PV, "--slope", slope, "--intercept", intercept)
    check("images (quotes)", "quoted.h5", sources, points, quantised * slope + intercept)
    if "file: expected another" in done.stderr:
        report("images", f"pictures named twice: {done.stderr}")
    rows[3] = rows[3].replace("sub/2", "./sub/../sub/1")
    open("twice.csv", "w").write("\n".join(rows))
    done = run("import", "images", "images", "twice.csv", "twice.h5", "--pitch-mm", PU, PV, "--slope", slope, "--intercept", intercept)
    if "twice.csv: file: expected another picture in each line, found ./sub/../sub/1.png in lines 3 and 4" not in done.stderr:
        report("images", f"no warning of a picture named twice: {done.stderr}")
    # One view, an angle beyond a turn, few pixels that count.
    Image.fromarray(np.where(np.arange(H * W).reshape(H, W) % 20 == 0, 500, 0).astype(np.uint16)).save("images/few.png")
    open("few.csv", "w").write(f"file,primary_deg,sod_mm,sdd_mm\nfew.png,400,{DSO},{DSD}\n")
    done = run("import", "images", "images", "few.csv", "few.h5", "--pitch-mm", PU, "--intensity", "--white", 1000)
    for warning in ("few.csv: angles: expected within a full turn, found up to 400 degrees", "/valid: expected most pixels to count, found 95 % that do not",
                    "/geometry (columns of the poses): expected views from several directions, found 1 view"):
        if warning not in done.stderr:
            report("images", f"no warning '{warning}' in {done.stderr}")
    # Free poses, float TIFF, counts with a mask.
    rows = ["file,mask," + ",".join(f"{n}_{a}{u}" for n, u in (("source", "_mm"), ("center", "_mm"), ("u", ""), ("v", "")) for a in "xyz")]
    mask = rng.uniform(900, 1100, (H, W)).astype(np.float32)
    Image.fromarray(mask).save("images/mask.tif")
    for v in range(4):
        Image.fromarray((mask * np.exp(-pictures[v])).astype(np.float32)).save(f"images/{v}.tif")
        p = points[v]
        numbers = np.concatenate([sources[v], p.mean((0, 1)), (p[0, 1] - p[0, 0]) / PU, (p[1, 0] - p[0, 0]) / PV])
        rows.append(f"{v}.tif,mask.tif," + ",".join(map(repr, map(float, numbers))))
    open("free.csv", "w").write("\n".join(rows))
    run("import", "images", "images", "free.csv", "free.h5", "--pitch-mm", f"{PU},{PV}", "--intensity")
    check("images (TIFF, free poses)", "free.h5", sources, points, pictures)


# ── 4DRGS ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_4drgs():
    angles = np.linspace(-1.7, 1.6, 7)
    # utils/graphics_utils.py, get_extrinsic: world to camera.
    sources, points = [], []
    for a in angles:
        extrinsic = np.array([[-np.sin(a), np.cos(a), 0, 0], [0, 0, -1, 0], [-np.cos(a), -np.sin(a), 0, DSO], [0, 0, 0, 1]])
        inverse = np.linalg.inv(extrinsic)
        uu, vv = np.meshgrid((np.arange(W) + 0.5 - W / 2) * PU, (np.arange(H) + 0.5 - H / 2) * PV)
        sources.append(inverse[:3, 3])
        points.append(np.stack([uu, vv, np.full_like(uu, DSD), np.ones_like(uu)], -1) @ inverse[:3].T)
    sources, points = np.asarray(sources), np.asarray(points)
    pictures = images(sources, points)
    os.makedirs("4drgs")
    mask = rng.uniform(2000, 3000, pictures.shape).astype(np.float32)
    fill = (mask * np.exp(-pictures)).astype(np.float32)
    # As SimpleITK writes an array: axes the other way round, and in NIfTI its x and y mirrored.
    for name, run_ in (("mask", mask), ("fill", fill)):
        nibabel.save(nibabel.Nifti1Image(run_.transpose(2, 1, 0), np.diag([-1.0, -1, 1, 1])), f"4drgs/{name}_run.nii.gz")
    size, spacing = [30, 24, 20], [2.0, 2.5, 3.0]
    json.dump({"volume_resolution": size, "volume_spacing": spacing, "volume_phy": [s * n for s, n in zip(spacing, size)],
               "sad": DSO, "sid": DSD, "proj_resolution": [W, H], "proj_spacing": [PU, PV], "proj_phy": [W * PU, H * PV],
               "N_views": 7, "frames": [{"file": f"{i}", "PrimaryAngle": a, "SecondaryAngle": 0.1} for i, a in enumerate(angles)]},
              open("4drgs/transforms.json", "w"))
    done = run("import", "4drgs", "4drgs", "4drgs.h5", "--train-views", 3)
    case = check("4drgs", "4drgs.h5", sources, points, np.log(mask.astype(float)) - np.log(fill.astype(float)))
    near("4drgs", "volume's corner", case.origin, [-s * n / 2 for s, n in zip(spacing, size)], 1e-9)
    near("4drgs", "volume's size", case.size, size, 0)
    near("4drgs", "times", case.time, np.linspace(0, 5, 7), 1e-9)
    if case.test != [1, 3, 5, 6]:
        report("4drgs", f"test views {case.test}")
    for warning in ("frames.SecondaryAngle: expected 0, found up to 5.73 degrees", "evenly spaced over 5 s"):
        if warning not in done.stderr:
            report("4drgs", f"no warning '{warning}' in {done.stderr}")
    # The full projection of their renderer: camera coordinates, focal length sid.
    c = np.array([[-np.sin(angles[2]), np.cos(angles[2]), 0], [0, 0, -1], [-np.cos(angles[2]), -np.sin(angles[2]), 0]]) @ CENTER + [0, 0, DSO]
    lands("4drgs", case, 2, [c[0] / c[2] * DSD / PU + W / 2, c[1] / c[2] * DSD / PV + H / 2])
    # Theirs: y_camera = (sin b cos a, sin b sin a, −cos b)·x with b = −SecondaryAngle.
    run("import", "4drgs", "4drgs", "4drgs_b.h5", "--secondary-angles", "--duration-s", 6, "--quiet")
    tilted = Case("4drgs_b.h5")
    near("4drgs --secondary-angles", "sources", tilted.source,
         [[DSO * np.cos(-0.1) * np.cos(a), DSO * np.cos(-0.1) * np.sin(a), DSO * np.sin(-0.1)] for a in angles], 1e-4)
    near("4drgs --duration-s", "times", tilted.time, np.linspace(0, 6, 7), 1e-9)
    told = json.load(open("4drgs/transforms.json"))
    for name, value in (("proj_phy", [W * PU, H * PV * 1.1]), ("volume_phy", [60, 60, 61])):
        json.dump({**told, name: value}, open("4drgs/transforms.json", "w"))
        if f"transforms.json: {name}: expected " not in run("import", "4drgs", "4drgs", "none.h5", code=2).stderr:
            report("4drgs", f"{name} that contradicts the file")
    json.dump({**told, "frames": [{**f, "PrimaryAngle": f["PrimaryAngle"] + 7} for f in told["frames"]]}, open("4drgs/transforms.json", "w"))
    if "angles: expected within a full turn, found up to 493 degrees" not in run("import", "4drgs", "4drgs", "4drgs_turn.h5").stderr:
        report("4drgs", "no warning of an angle of 493 degrees")  # 1.6 + 7 rad
    json.dump(told, open("4drgs/transforms.json", "w"))
    os.rename("4drgs/mask_run.nii.gz", "4drgs/mask.nii.gz")
    run("import", "4drgs", "4drgs", "none.h5", code=2)  # one of the two alone
    os.remove("4drgs/fill_run.nii.gz")
    nibabel.save(nibabel.Nifti1Image(pictures.astype(np.float32).transpose(2, 1, 0), np.eye(4)), "4drgs/DSA.nii.gz")
    if "DSA.nii.gz: expected noise of both signs" not in run("import", "4drgs", "4drgs", "dsa.h5").stderr:
        report("4drgs", "no warning of a clipped DSA.nii.gz")
    check("4drgs (DSA.nii.gz)", "dsa.h5", sources, points, pictures.astype(np.float32))


# ── R²-Gaussian and NAF ───────────────────────────────────────────────────────────────────────────────────────────
def tigre_scan(angles, dso, dsd, off_vu, h, w, pv, pu):
    """Pixel centres of TIGRE's computeDeltas_Siddon: at rest the source is at (DSO,0,0), column i at
    y = dU·(i − nU/2 + ½) + offU, row j at z = dV·(j − nV/2 + ½) + offV (pixelV = nV − j − 1 counts from the top)."""
    sources, points = [], []
    for a in angles:
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        y, z = np.meshgrid(pu * (np.arange(w) - w / 2 + 0.5) + off_vu[1], pv * (np.arange(h) - h / 2 + 0.5) + off_vu[0])
        sources.append(turn @ [dso, 0, 0])
        points.append(np.stack([np.full_like(y, dso - dsd), y, z], -1) @ turn.T)
    return np.asarray(sources), np.asarray(points)


def test_r2_gaussian():
    unit = 500.0  # mm
    train, test = np.array([0.1, 1.2, 2.9, 4.4]), np.array([0.7, 5.5])
    angles = np.concatenate([train, test])
    n_voxel, s_voxel, off = [24, 20, 16], np.array([96.0, 80.0, 64.0]), np.array([4.0, -2.0, 3.0])
    off_uv = [14.0, 5.0]
    # The generator: TIGRE projects, rows are turned round (projs[:, ::-1, :]), offDetector is given to TIGRE as (v, u).
    sources, points = tigre_scan(angles, DSO, DSD, off_uv[::-1], H, W, PV, PU)
    points = points[:, ::-1]
    pictures = images(sources, points)
    os.makedirs("r2/proj_train")
    os.makedirs("r2/proj_test")
    entries = {"train": [], "test": []}
    for i, a in enumerate(angles):
        split = "train" if i < 4 else "test"
        name = f"proj_{split}/{i:04d}.npy"
        np.save(f"r2/{name}", np.asfortranarray(pictures[i].astype([np.float32, np.float64][i % 2])))
        entries[split].append({"file_path": name, "angle": a})
    spacing = s_voxel / n_voxel
    truth = volume(n_voxel, spacing, off)
    np.save("r2/vol_gt.npy", (truth * unit).astype(np.float32))
    scanner = {"mode": "cone", "DSD": DSD / unit, "DSO": DSO / unit, "nDetector": [H, W], "sDetector": [H * PV / unit, W * PU / unit],
               "nVoxel": n_voxel, "sVoxel": list(s_voxel / unit), "offOrigin": list(off / unit), "offDetector": [o / unit for o in off_uv],
               "accuracy": 0.5, "totalAngle": 360, "startAngle": 0, "noise": True, "filter": None}
    json.dump({"scanner": scanner, "vol": "vol_gt.npy", "bbox": [[-1] * 3, [1] * 3], "proj_train": entries["train"],
               "proj_test": entries["test"]}, open("r2/meta_data.json", "w"), indent=4)
    done = run("import", "r2-gaussian", "r2", "r2.h5", "--unit-mm", unit)
    order = np.argsort(angles)
    case = check("r2-gaussian", "r2.h5", sources, points, pictures, order)
    near("r2-gaussian", "reference volume in 1/mm", case.reference, truth.transpose(2, 1, 0), 1e-8)
    near("r2-gaussian", "volume's corner", case.origin, off - s_voxel / 2, 1e-4)
    if case.test != [i for i, v in enumerate(order) if v >= 4]:
        report("r2-gaussian", f"test views {case.test}")
    if "length unit of the files: 500 mm" not in done.stdout:
        report("r2-gaussian", done.stdout)
    meta = json.load(open("r2/meta_data.json"))
    for name, value, right in (("dDetector", [PV / unit, PU / unit], True), ("dDetector", [PV / unit, PU / unit * 1.01], False),
                               ("dVoxel", list(spacing / unit), True), ("dVoxel", [1, 1, 1], False)):
        json.dump({**meta, "scanner": {**scanner, name: value}}, open("r2/meta_data.json", "w"))
        done = run("import", "r2-gaussian", "r2", "r2_both.h5", "--unit-mm", unit, "--force", code=0 if right else 2)
        if not right and f"scanner.s{name[1:]}: expected n{name[1:]} times {name}, " not in done.stderr:
            report("r2-gaussian", f"{name} that contradicts the file: {done.stderr}")
    # The camera of their loader, without offsets.
    scanner["offDetector"] = [0, 0]
    meta["scanner"] = scanner
    json.dump(meta, open("r2/meta_data.json", "w"))
    run("import", "r2-gaussian", "r2", "r2c.h5", "--unit-mm", unit, "--quiet")
    camera_sources, camera_points = camera_rays(angles[order], DSO, DSD, H, W, PV, PU)
    case = Case("r2c.h5")
    near("r2-gaussian", "pixels of their cameras", case.pixel_points(), camera_points, 1e-4)
    rotation, source = angle2pose(angles[order][1], DSO)
    c = rotation.T @ (CENTER - source)
    lands("r2-gaussian", case, 1, [c[0] / c[2] * DSD / PU + W / 2, c[1] / c[2] * DSD / PV + H / 2])


def test_naf():
    train, val = np.linspace(0, np.pi, 5)[:-1] + 0.05, np.array([0.4, 2.2])
    off, n_voxel, d_voxel = [3.0, 1.0, -2.0], [20, 18, 14], [4.0, 4.5, 5.0]
    angles = np.concatenate([train, val])
    sources, points = tigre_scan(angles, DSO, DSD, [0.0, 9.0], H, W, PV, PU)
    points = points[:, ::-1]
    pictures = images(sources, points)  # lengths in metres, attenuation in 1/m: the same line integrals
    truth = volume(n_voxel, d_voxel, off)
    stacked = np.stack(pictures.astype(np.float32)[:, ::-1])[:, ::-1]  # a view with a negative stride, as the generator leaves it
    data = {"DSD": DSD, "DSO": DSO, "nDetector": [H, W], "dDetector": [PV, PU], "nVoxel": n_voxel, "dVoxel": d_voxel, "offOrigin": off,
            "offDetector": [9.0, 0.0], "accuracy": 0.5, "mode": "cone", "filter": None, "totalAngle": 180.0, "startAngle": 0.0,
            "numTrain": 4, "numVal": 2, "noise": 0, "normalize": True, "convert": False,
            "train": {"angles": train, "projections": stacked[:4]}, "val": {"angles": val, "projections": stacked[4:]},
            "image": np.asfortranarray((truth * 1000).astype(np.float32))}
    order = np.argsort(angles)
    for protocol in range(6):
        name = f"naf{protocol}"
        with open(f"{name}.pickle", "wb") as f:
            pickle.dump(data, f, protocol)
        run("import", "naf", f"{name}.pickle", f"{name}.h5")
        case = check(f"naf, protocol {protocol}", f"{name}.h5", sources, points, pictures, order)
        near(name, "reference volume in 1/mm", case.reference, truth.transpose(2, 1, 0), 1e-8)
        near(name, "volume's corner", case.origin, np.array(off) - np.array(n_voxel) * d_voxel / 2, 1e-9)
    with open("naf_both.pickle", "wb") as f:
        pickle.dump({**data, "sVoxel": [80.0, 81.0, 71.0]}, f)
    if "sVoxel: expected nVoxel times dVoxel, 70 along axis 2, found 71" not in run("import", "naf", "naf_both.pickle", "no.h5", code=2).stderr:
        report("naf", "sVoxel that contradicts the file")
    # NAF's own rays, of a detector that is given as (columns, rows) and without offsets.
    data.update(nDetector=[W, H], dDetector=np.array([PU, PV]), offDetector=np.zeros(2, ">f8"), DSD=np.float64(DSD), DSO=np.float32(DSO))
    with open("naf_uv.pickle", "wb") as f:
        pickle.dump(data, f)
    run("import", "naf", "naf_uv.pickle", "naf_uv.h5")
    camera_sources, camera_points = camera_rays(angles[order], DSO, DSD, H, W, PV, PU)
    near("naf", "pixels of its rays", Case("naf_uv.h5").pixel_points(), camera_points, 1e-4)


# ── RTK ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_rtk():
    def rotation(gantry, out, into):
        def e(axis, a):
            c, s = np.cos(a), np.sin(a)
            return np.array({"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
                             "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis])
        return e("z", -into) @ e("x", -out) @ e("y", -gantry)

    views = [(-100.5, 3, 1), (-20, -4, 0.5), (45, 0, 0), (88, 7, -2), (130, 2, 3)]
    sid, sdd, spacing, origin = 800.0, 1250.0, np.array([7.0, 8.0, 1.0]), np.array([-80.0, -85.0, 0.0])
    xml = ["<?xml version=\"1.0\"?>", "<!DOCTYPE RTKGEOMETRY>", "<RTKThreeDCircularGeometry version=\"3\">",
           f"  <SourceToIsocenterDistance>{sid}</SourceToIsocenterDistance>", f"  <SourceToDetectorDistance>{sdd}</SourceToDetectorDistance>"]
    sources, points, matrices = [], [], []
    for i, (gantry, out, into) in enumerate(views):
        m = rotation(*np.radians([gantry, out, into]))
        sx, sy, px, py = 2.0 * i, -1.5 * i, -3.0 + i, 4.0 - 2 * i
        xx, yy = np.meshgrid(origin[0] + spacing[0] * np.arange(W), origin[1] + spacing[1] * np.arange(H))
        sources.append(m.T @ [sx, sy, sid])
        points.append(np.stack([xx + px, yy + py, np.full_like(xx, sid - sdd)], -1) @ m)
        matrix = (np.array([[1, 0, sx - px], [0, 1, sy - py], [0, 0, 1]]) @ np.array([[-sdd, 0, 0, 0], [0, -sdd, 0, 0], [0, 0, 1, -sid]])
                  @ np.array([[1, 0, 0, -sx], [0, 1, 0, -sy], [0, 0, 1, 0], [0, 0, 0, 1]]) @ np.vstack([np.hstack([m, [[0]] * 3]), [0, 0, 0, 1]]))
        matrices.append(matrix)
        xml += ["  <Projection>"] + [f"    <{k}>{v:.15g}</{k}>" for k, v in (
            ("GantryAngle", gantry % 360), ("OutOfPlaneAngle", out), ("InPlaneAngle", into), ("SourceOffsetX", sx), ("SourceOffsetY", sy),
            ("ProjectionOffsetX", px), ("ProjectionOffsetY", py))]
        xml += ["    <Matrix>"] + ["      " + " ".join(f"{x:.15g}" for x in row) for row in matrix] + ["    </Matrix>", "  </Projection>"]
    xml.append("</RTKThreeDCircularGeometry>")
    open("rtk.xml", "w").write("\n".join(xml))
    # IEC 61217 to ours. The object lives in our world: rays go there.
    world = lambda p: np.stack([p[..., 0], -p[..., 2], p[..., 1]], -1)
    sources, points = np.asarray(sources), np.asarray(points)
    pictures = images(world(sources), world(points))
    header = ("ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = {msb}\nCompressedData = {zip}\n"
              "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = {o}\nCenterOfRotation = 0 0 0\nElementSpacing = {s}\nDimSize = {d}\n"
              "AnatomicalOrientation = RAI\nElementType = {t}\nElementDataFile = {f}\n")
    numbers = dict(o=" ".join(map(str, origin)), s=" ".join(map(str, spacing)), d=f"{W} {H} {len(views)}")
    for name, kind, code, zipped in (("plain", "MET_FLOAT", "<f4", False), ("zip", "MET_FLOAT", "<f4", True), ("big", "MET_DOUBLE", ">f8", False)):
        raw = pictures.astype(code).tobytes()
        raw = zlib.compress(raw) if zipped else raw
        open(f"{name}.mha", "wb").write(header.format(msb=code[0] == ">", zip=zipped, t=kind, f="LOCAL", **numbers).encode() + raw)
        run("import", "rtk", "rtk.xml", f"{name}.mha", f"{name}.h5")
        case = check(f"rtk ({name})", f"{name}.h5", sources, points, pictures, world=world)
    # Their matrix takes a point of IEC's axes to coordinates of the projection; pixel (0,0) is centred at the origin.
    iec = np.array([CENTER[0], CENTER[2], -CENTER[1]])
    p = matrices[3] @ [*iec, 1]
    lands("rtk", case, 3, (p[:2] / p[2] - origin[:2]) / spacing[:2] + 0.5)
    # A detached, mirrored stack: the direction's first column turned round; counts.
    counts = 5000 * np.exp(-pictures[:, :, ::-1])
    open("counts.raw", "wb").write(b"junk" + counts.astype("<f8").tobytes())
    mirrored = dict(numbers, o=" ".join(map(str, [origin[0] + spacing[0] * (W - 1), origin[1], 0])))
    text = header.format(msb=False, zip=False, t="MET_DOUBLE", f="counts.raw", **mirrored).replace("= 1 0 0 0 1 0 0 0 1", "= -1 0 0 0 1 0 0 0 1")
    open("counts.mhd", "w").write("HeaderSize = 4\n" + text)
    run("import", "rtk", "rtk.xml", "counts.mhd", "counts.h5", "--white", 5000)
    check("rtk (mirrored, counts)", "counts.h5", sources, points[:, :, ::-1], pictures[:, :, ::-1], world=world)
    # One wrong number of a matrix.
    open("wrong.xml", "w").write("\n".join(xml).replace(f"{matrices[2][0, 0]:.15g}", f"{matrices[2][0, 0] + 1:.15g}"))
    if "Projection 2: Matrix" not in run("import", "rtk", "wrong.xml", "plain.mha", "none.h5", code=2).stderr:
        report("rtk", "a matrix that disagrees is not named")


# ── TIGRE and ASTRA ───────────────────────────────────────────────────────────────────────────────────────────────
def test_tigre():
    angles = np.array([0.2, 1.4, 2.0, 4.0])
    off = np.array([[6.0, -9.0]] * 4) + np.arange(4)[:, None]
    sources, points = [], []
    for a, (v, u) in zip(angles, off):
        s, p = tigre_scan([a], DSO, DSD, [v, u], H, W, PV, PU)
        sources.append(s[0])
        points.append(p[0])
    sources, points = np.asarray(sources), np.asarray(points)
    pictures = images(sources, points)
    geometry = {"mode": "cone", "DSD": DSD, "DSO": DSO, "nDetector": [H, W], "dDetector": [PV, PU], "sDetector": [H * PV, W * PU],
                "nVoxel": [16, 20, 24], "sVoxel": [64, 80, 96], "offOrigin": [3, -2, 4], "offDetector": off.tolist(), "angles": angles.tolist()}
    json.dump(geometry, open("tigre.json", "w"))
    np.save("tigre.npy", pictures.astype(np.float32))
    run("import", "tigre", "tigre.json", "tigre.npy", "tigre.h5")
    case = check("tigre", "tigre.h5", sources, points, pictures)
    near("tigre", "volume's corner", case.origin, [4 - 48, -2 - 40, 3 - 32], 1e-9)
    # Three angles, a turned detector and a shifted axis: their text's matrices, written out.
    a, t, p, roll, pitch, yaw, cor = 0.5, 0.2, -0.3, 0.05, -0.03, 0.08, 1.5
    geometry.update(angles=[[a, t, p]], rotDetector=[roll, pitch, yaw], COR=cor, offDetector=[6.0, -9.0])
    json.dump(geometry, open("turned.json", "w"))
    c, s = np.cos, np.sin
    zyz = np.array([[c(a) * c(t) * c(p) - s(a) * s(p), -c(a) * c(t) * s(p) - s(a) * c(p), c(a) * s(t)],
                    [s(a) * c(t) * c(p) + c(a) * s(p), -s(a) * c(t) * s(p) + c(a) * c(p), s(a) * s(t)], [-s(t) * c(p), s(t) * s(p), c(t)]])
    rpy = np.array([[c(roll) * c(pitch), c(roll) * s(pitch) * s(yaw) - s(roll) * c(yaw), c(roll) * s(pitch) * c(yaw) + s(roll) * s(yaw)],
                    [s(roll) * c(pitch), s(roll) * s(pitch) * s(yaw) + c(roll) * c(yaw), s(roll) * s(pitch) * c(yaw) - c(roll) * s(yaw)],
                    [-s(pitch), c(pitch) * s(yaw), c(pitch) * c(yaw)]])
    y, z = np.meshgrid(PU * (np.arange(W) - W / 2 + 0.5), PV * (np.arange(H) - H / 2 + 0.5))
    plane = np.stack([np.zeros_like(y), y, z], -1) @ rpy.T + [DSO - DSD, -9.0, 6.0]
    shift = np.array([-s(a), c(a), 0]) * cor
    source, point = zyz @ [DSO, 0, 0] + shift, plane @ zyz.T + shift
    picture = line_integrals(source, point)
    np.save("turned.npy", picture[None])
    run("import", "tigre", "turned.json", "turned.npy", "turned.h5")
    check("tigre (turned)", "turned.h5", [source], [point], [picture])


def test_astra():
    # Their documentation: (source, detector centre, u: from pixel (0,0) to (0,1), v: to (1,0)); rows x views x columns.
    rows, sources, points = [], [], []
    for a in (0.3, 1.1, 2.6):
        source = np.array([DSO * np.sin(a), -DSO * np.cos(a), 5.0])
        center = np.array([-(DSD - DSO) * np.sin(a), (DSD - DSO) * np.cos(a), -2.0]) + 4 * np.array([np.cos(a), np.sin(a), 0])
        u, v = PU * np.array([np.cos(a), np.sin(a), 0]), PV * np.array([0, 0, 1.0])
        rows.append(np.concatenate([source, center, u, v]))
        i, j = np.meshgrid(np.arange(W) - (W - 1) / 2, np.arange(H) - (H - 1) / 2)
        sources.append(source)
        points.append(center + i[..., None] * u + j[..., None] * v)
    rows, sources, points = np.asarray(rows), np.asarray(sources), np.asarray(points)
    pictures = images(sources, points)
    np.save("astra.npy", pictures.transpose(1, 0, 2).astype(np.float32))
    np.savetxt("astra.txt", rows, fmt="%.17g", delimiter=",", header="cone_vec")
    run("import", "astra", "astra.txt", "astra.npy", "astra.h5")
    check("astra", "astra.h5", sources, points, pictures)
    np.save("vectors.npy", rows / 10)  # cm
    np.save("views.npy", pictures)
    run("import", "astra", "vectors.npy", "views.npy", "astra_cm.h5", "--unit-mm", 10, "--views-first")
    check("astra (cm, views first)", "astra_cm.h5", sources, points, pictures)


for test in (test_images, test_4drgs, test_r2_gaussian, test_naf, test_rtk, test_tigre, test_astra):
    test()
# A reconstruction takes what was imported.
run("reconstruct", "r2.h5", "--output", "r2_run", "--preset", "static", "--steps", 20, "--quiet", "--set", "gaussians.initial=200")
run("inspect", "4drgs.h5")
print("largest errors:      source mm   pixel mm    line integral   degrees")
for name, e in ERRORS.items():
    if all(v is not None for v in e.values()):
        print(f"  {name:28s} {e['source_mm']:.1e}   {e['pixel_mm']:.1e}   {e['image']:.1e}   {e.get('degrees', 0):.1e}")
raise SystemExit(1 if failures else 0)

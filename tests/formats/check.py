# SPDX-License-Identifier: Apache-2.0
"""check.py KIND...: files of make.sh, in this folder, as independent readers see them, against truth.py."""
import csv
import subprocess
import sys
import xml.etree.ElementTree as xml

import numpy as np
from truth import SECOND, THRESHOLD, Model, worst

VALUES = 2e-9  # 1/mm: a ten-thousandth of what is seen; single precision and its exp
PLACES = 1e-4  # mm: coordinates of 100 mm in single precision


def check_volume(what, values, centers, seconds, step=0):
    """values [t,z,y,x] in 1/mm, of steps of `step`, of voxels at centers [z,y,x,3] in LPS mm."""
    model = Model()
    worst(f"{what}: place", centers, model.centers(), PLACES, " mm")
    worst(f"{what}: attenuation", values, np.stack([model.volume(s) for s in seconds]), VALUES + step / 2, " 1/mm")


def nibabel():
    import nibabel
    for name in ("one.nii", "one.nii.gz", "four.nii.gz"):
        image = nibabel.load(name)
        values = image.get_fdata().reshape(image.shape + (1,) * (4 - len(image.shape)))
        i, j, k = np.meshgrid(*(np.arange(n) for n in image.shape[:3]), indexing="ij")
        ras = nibabel.affines.apply_affine(image.affine, np.stack([i, j, k], axis=-1))
        centers = (ras * [-1, -1, 1]).transpose(2, 1, 0, 3)
        assert image.header.get_xyzt_units() == ("mm", "sec")
        assert np.abs(image.get_qform() - image.get_sform()).max() < 1e-5
        step = float(image.header["pixdim"][4])
        times = float(image.header["toffset"]) + step * np.arange(values.shape[3])
        worst(f"nibabel {name}: time", times, [SECOND] if name.startswith("one") else Model().times(4), 1e-6, " s")
        check_volume(f"nibabel {name}", values.transpose(3, 2, 1, 0), centers, times)


def dicom():
    """pydicom, DCMTK's dcmdump, and the NIfTI file of the same volume as nibabel sees it."""
    import nibabel
    import pydicom
    uids = set()
    for name, frames in (("one.dcm", 1), ("four.dcm", 4)):
        warnings = subprocess.run(["dcmdump", "-E", name], check=True, capture_output=True, text=True).stderr
        assert not warnings, warnings
        d = pydicom.dcmread(name)
        shared, own = d.SharedFunctionalGroupsSequence[0], d.PerFrameFunctionalGroupsSequence
        assert d.SOPClassUID.name == "Enhanced CT Image Storage" and d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID
        assert d.NumberOfFrames == len(own) == frames * (d.NumberOfFrames // frames)
        assert "not for diagnosis" in d.SeriesDescription and d.ContentQualification == "RESEARCH" and d.ImageType[0] == "DERIVED"
        assert d.PatientName == "NO PATIENT GIVEN" and d.PatientID == "NO PATIENT GIVEN"
        assert not d.PatientBirthDate and not d.PatientSex and not d.StudyDate and not d.AccessionNumber
        uids |= {d.SOPInstanceUID, d.SeriesInstanceUID, d.StudyInstanceUID, d.FrameOfReferenceUID}
        shape = (frames, len(own) // frames, d.Rows, d.Columns)
        value = shared.PixelValueTransformationSequence[0]
        slope, intercept = float(value.RescaleSlope), float(value.RescaleIntercept)
        real = shared.RealWorldValueMappingSequence[0]
        assert real.RealWorldValueSlope == slope and real.RealWorldValueIntercept == intercept
        assert real.MeasurementUnitsCodeSequence[0].CodeValue == "/mm"
        stored = d.pixel_array.reshape(shape).astype(float)
        assert stored.min() == 0 and stored.max() >= 65534
        measures, orientation = shared.PixelMeasuresSequence[0], shared.PlaneOrientationSequence[0].ImageOrientationPatient
        right, down = np.array(orientation[:3], float), np.array(orientation[3:], float)
        rows, columns = (float(v) for v in measures.PixelSpacing)
        places = np.array([f.PlanePositionSequence[0].ImagePositionPatient for f in own], float).reshape(*shape[:2], 3)
        assert (places == places[0]).all()
        assert np.allclose(np.diff(places[0, :, 2]), float(measures.SpacingBetweenSlices)) and measures.SliceThickness > 0
        y, x = np.meshgrid(np.arange(d.Rows) * rows, np.arange(d.Columns) * columns, indexing="ij")
        centers = places[0][:, None, None] + x[..., None] * right + y[..., None] * down
        seconds = [f.TemporalPositionSequence[0].TemporalPositionTimeOffset for f in own][:: shape[1]]
        index = [list(f.FrameContentSequence[0].DimensionIndexValues) for f in own]
        assert index == [[t + 1, k + 1] for t in range(frames) for k in range(shape[1])]
        worst(f"pydicom {name}: time", seconds, [SECOND] if frames == 1 else Model().times(4), 1e-9, " s")
        check_volume(f"pydicom {name}", slope * stored + intercept, centers, seconds, slope)
        image = nibabel.load(name.replace(".dcm", ".nii.gz"))
        i, j, k = np.meshgrid(*(np.arange(n) for n in image.shape[:3]), indexing="ij")
        ras = nibabel.affines.apply_affine(image.affine, np.stack([i, j, k], axis=-1))
        worst(f"{name} beside NIfTI: place", centers, (ras * [-1, -1, 1]).transpose(2, 1, 0, 3), PLACES, " mm")
        values = image.get_fdata().reshape(image.shape[:3] + (frames,)).transpose(3, 2, 1, 0)
        worst(f"{name} beside NIfTI: attenuation", slope * stored + intercept, values, slope * 0.501, " 1/mm")
    assert len(uids) == 8 and all(str(u).startswith("2.25.") and len(u) <= 64 for u in uids)


def teem():
    def head(name):
        text = subprocess.run(["teem-unu", "head", name], check=True, capture_output=True, text=True).stdout
        return dict(line.replace(":=", ": ").split(": ", 1) for line in text.splitlines() if ": " in line or ":=" in line)

    def array(name):
        subprocess.run(["teem-unu", "save", "-f", "nrrd", "-e", "raw", "-i", name, "-o", "copy.nhdr"], check=True)
        sizes = [int(s) for s in head(name)["sizes"].split()]
        return np.fromfile("copy.raw", "<f4").reshape(sizes[::-1])

    def centers(header, shape):
        rows = [np.fromstring(v.strip("()"), sep=",") for v in header["space directions"].split() if v != "none"]
        z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
        origin = np.fromstring(header["space origin"].strip("()"), sep=",")
        return x[..., None] * rows[0] + y[..., None] * rows[1] + z[..., None] * rows[2] + origin

    one = head("one.nrrd")
    assert one["space"] == "left-posterior-superior" and float(one["time_s"]) == SECOND
    values = array("one.nrrd")
    check_volume("teem one.nrrd", values[None], centers(one, values.shape), [SECOND])
    four = head("four.seq.nrrd")
    assert four["kinds"].split() == ["list", "domain", "domain", "domain"] and four["axis 0 index type"] == "numeric"
    values = array("four.seq.nrrd").transpose(3, 0, 1, 2)
    times = np.array(four["axis 0 index values"].split(), float)
    worst("teem four.seq.nrrd: time", times, Model().times(4), 1e-9, " s")
    check_volume("teem four.seq.nrrd", values, centers(four, values.shape[1:]), times)


def itk():
    """itk_read prints geometry and leaves values; ITK's space is LPS for every format."""
    for name, frames in (("one.nii", 1), ("one.nrrd", 1), ("one.mha", 1), ("one.dcm", 1), ("four.nii.gz", 4), ("four.mha", 4), ("four.seq.nrrd", 4)):
        out = subprocess.run(["./itk_read", name, "values.raw"], check=True, capture_output=True, text=True).stdout.split("\n")
        size, spacing, origin, direction = (np.array(line.split(), float) for line in out[:4])
        rank, components = len(size), int(out[4])
        direction = direction.reshape(rank, rank)
        values = np.fromfile("values.raw", "<f4").reshape([*size[::-1].astype(int), components])
        values = values.transpose(3, 0, 1, 2) if components > 1 else values.reshape([frames, *size[2::-1].astype(int)])
        z, y, x = np.meshgrid(*(np.arange(n) for n in values.shape[1:]), indexing="ij")
        step = (direction * spacing)[:3, :3]
        centers = np.stack([x, y, z], axis=-1) @ step.T + origin[:3]
        step = (values.max() - values.min()) / 65535 if name.endswith(".dcm") else 0
        check_volume(f"ITK {name}", values, centers, Model().times(4) if frames > 1 else [SECOND], step)
        if rank == 4:
            worst(f"ITK {name}: time", origin[3] * (name.endswith(".mha")) + spacing[3] * np.arange(4), Model().times(4), 1e-6, " s")
    out = subprocess.run(["./itk_read", "projections.mha", "values.raw"], check=True, capture_output=True, text=True).stdout.split("\n")
    size, spacing, origin = (np.array(line.split(), float) for line in out[:3])
    stack = np.fromfile("values.raw", "<f4").reshape(size[::-1].astype(int))
    check_projections(stack, spacing, origin)


def check_projections(stack, spacing, origin):
    """A pixel of the stack, at its place on RTK's detector, must be the pixel of the case that sees along the same ray."""
    import h5py
    with h5py.File("case.h5") as f:
        images, pitch = f["projections"][:], f["geometry"].attrs["pixel_pitch_mm"]
    assert stack.shape == images.shape
    v, r, c = 5, 7, 11
    place = origin[:2] + spacing[:2] * [c, r]
    ours = place / pitch * [1, -1] + np.array([images.shape[2], images.shape[1]]) / 2  # rows are flipped: geometry()
    assert np.allclose(ours % 1, 0.5)
    column, row = np.floor(ours).astype(int)
    assert stack[v, r, c] == images[v, row, column]
    worst("ITK projections.mha: line integral", stack, images[:, ::-1], 0)


def numpy():
    geometry()
    gaussians()


def gaussians():
    """gaussians.ply read as any PLY file is: all numbers must be those of model.h5, bit by bit."""
    import h5py
    types = {"float": "<f4", "int": "<i4"}
    with open("gaussians.ply", "rb") as f:
        elements = []
        while (words := f.readline().split()) != [b"end_header"]:
            if words[0] == b"element":
                elements.append([words[1].decode(), int(words[2]), []])
            elif words[0] == b"property":
                elements[-1][2].append((words[2].decode(), types[words[1].decode()]))
        rows = {name: np.fromfile(f, np.dtype(columns), count) for name, count, columns in elements}
        assert f.read() == b""
    with h5py.File("model.h5") as f:
        g = f["gaussians"]
        for array, names in (("position_mm", "x y z"), ("raw_scale", "raw_scale_0 raw_scale_1 raw_scale_2"), ("rotation", "rotation_w rotation_x rotation_y rotation_z"),
                             ("attenuation", " ".join(f"attenuation_{k}" for k in range(6)))):
            worst(f"numpy gaussians.ply: {array}", np.stack([rows["vertex"][n] for n in names.split()], axis=1), g[array][:], 0)
        worst("numpy gaussians.ply: views", rows["nuisance"]["view"], f["nuisance/view"][:], 0)


def geometry():
    """RTK's matrix, made from the parameters by its documented formula, projects as the case's poses do."""
    import h5py
    with h5py.File("case.h5") as f:
        g = f["geometry"]
        source, center, u, v = (g[n][:] for n in ("source_mm", "detector_center_mm", "detector_u", "detector_v"))
    views = xml.parse("geometry.xml").getroot().findall("Projection")
    assert len(views) == len(source)
    points = np.random.default_rng(1).uniform(-60, 60, (50, 3))
    to_rtk = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    found, expected, matrices, given = [], [], [], []
    for i, view in enumerate(views):
        p = {e.tag: float(e.text) for e in view if e.tag != "Matrix"}
        turn = {k: np.deg2rad(-p[k]) for k in ("GantryAngle", "OutOfPlaneAngle", "InPlaneAngle")}
        cz, sz = np.cos(turn["InPlaneAngle"]), np.sin(turn["InPlaneAngle"])
        cx, sx = np.cos(turn["OutOfPlaneAngle"]), np.sin(turn["OutOfPlaneAngle"])
        cy, sy = np.cos(turn["GantryAngle"]), np.sin(turn["GantryAngle"])
        rotation = (np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @
                    np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]))
        sid, sdd = p["SourceToIsocenterDistance"], p["SourceToDetectorDistance"]
        so = np.array([p["SourceOffsetX"], p["SourceOffsetY"]])
        shift = so - [p["ProjectionOffsetX"], p["ProjectionOffsetY"]]
        m = (np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]]) @
             np.array([[-sdd, 0, 0, 0], [0, -sdd, 0, 0], [0, 0, 1, -sid]]) @
             np.block([[np.eye(3), np.array([[-so[0]], [-so[1]], [0]])], [0, 0, 0, 1]]) @
             np.block([[rotation, np.zeros((3, 1))], [0, 0, 0, 1]]))
        matrices.append(m)
        given.append(np.array(view.find("Matrix").text.split(), float).reshape(3, 4))
        h = np.c_[points @ to_rtk.T, np.ones(len(points))] @ m.T
        found.append(h[:, :2] / h[:, 2:])
        normal = np.cross(u[i], v[i])
        ray = points - source[i]
        hit = source[i] + ray * ((center[i] - source[i]) @ normal / (ray @ normal))[:, None] - center[i]
        expected.append(np.c_[hit @ u[i], -(hit @ v[i])])  # RTK's rows run the other way here
    worst("RTK geometry.xml: matrix", given, matrices, 1e-6)
    worst("RTK geometry.xml: place on the detector", found, expected, 1e-6, " mm")


def meshio():
    import meshio
    model = Model()
    volume, faces, places = model.volume(SECOND), None, None
    for name in ("surface.stl", "surface.ply", "surface.obj"):
        mesh = meshio.read(name)
        triangles = np.concatenate([c.data for c in mesh.cells if c.type == "triangle"])
        corners = mesh.points[triangles].astype(float)
        if places is None:
            faces, places = len(triangles), corners
        worst(f"meshio {name}: corners", corners, places, 1e-5, " mm")
        assert len(triangles) == faces > 100
        # Every vertex lies on an edge between two voxels, where the attenuation between them is the threshold.
        at = (mesh.points - model.origin) / model.spacing - 0.5
        low = np.clip(np.floor(at + 1e-4), 0, model.size - 1).astype(int)
        part = at - low
        assert ((part > 2e-4).sum(axis=1) <= 1).all(), "a vertex that is on no edge"
        axis = part.argmax(axis=1)
        high = np.minimum(low + np.eye(3, dtype=int)[axis], model.size - 1)
        t = part.max(axis=1)
        value = (1 - t) * volume[tuple(low.T[::-1])] + t * volume[tuple(high.T[::-1])]
        worst(f"meshio {name}: attenuation at the surface", value, np.full(len(value), THRESHOLD), 2e-8, " 1/mm")
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        outward = corners.mean(axis=1) + 0.5 * normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        cell = np.clip(np.round((outward - model.origin) / model.spacing - 0.5), 0, model.size - 1).astype(int)
        inward = np.clip(np.round((2 * corners.mean(axis=1) - outward - model.origin) / model.spacing - 0.5), 0, model.size - 1).astype(int)
        assert volume[tuple(cell.T[::-1])].mean() < volume[tuple(inward.T[::-1])].mean(), "triangles face inwards"
        assert b"SPACE=LPS" in open(name, "rb").read(400)


def splats():
    """view.csv is what @playcanvas/splat-transform makes of viewer.ply."""
    model = Model()
    with open("viewer.csv") as f:
        rows = list(csv.DictReader(f))
    column = lambda *names: np.array([[float(r[n]) for n in names] for r in rows])
    worst("splat-transform viewer.ply: place", column("x", "y", "z"), model.position, PLACES, " mm")
    worst("splat-transform viewer.ply: scale, relative", np.exp(column("scale_0", "scale_1", "scale_2")) / model.scale, np.ones_like(model.scale), 1e-5)
    worst("splat-transform viewer.ply: rotation", column("rot_0", "rot_1", "rot_2", "rot_3"), model.q, 1e-6)
    depth = model.density(SECOND) * np.sqrt(2 * np.pi) * np.cbrt(model.scale.prod(axis=1))
    typical = np.sort(depth)[int(np.ceil(0.99 * len(depth))) - 1]
    opacity = np.clip(1 - np.exp(np.log(0.05) * depth / typical), 1e-6, 0.999)
    worst("splat-transform viewer.ply: opacity", 1 / (1 + np.exp(-column("opacity")[:, 0])), opacity, 1e-5)


def movies():
    from PIL import Image, ImageSequence
    import glob
    pictures = np.stack([np.array(Image.open(p)) for p in sorted(glob.glob("pictures/*.png"))])
    frames = np.stack([np.array(f.convert("L")) for f in ImageSequence.Iterator(Image.open("film.webp"))])
    worst("PIL film.webp: grey value", frames, pictures, 0, " of 255")
    raw = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", "film.mp4", "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, capture_output=True).stdout
    height, width = pictures.shape[1:]
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height + height % 2, width + width % 2)[:, :height, :width]
    worst("ffmpeg film.mp4: grey value", frames, pictures, 12, " of 255")
    probe = subprocess.run(["ffprobe", "-loglevel", "error", "-show_entries", "stream=codec_name,avg_frame_rate,nb_frames", "-of", "csv=p=0", "film.mp4"], check=True, capture_output=True, text=True).stdout
    assert probe.strip() == f"h264,8/1,{len(pictures)}", probe


for kind in sys.argv[1:]:
    globals()[kind]()

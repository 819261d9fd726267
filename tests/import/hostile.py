# SPDX-License-Identifier: Apache-2.0
"""What `dsasrgs import` does with files from strangers, and with what a user mistypes: one line, exit code 2 (1 where the system
refuses), at once, in little memory, nothing run, nothing left behind. See run.sh."""
import json
import os
import pickle
import resource
import struct
import subprocess
import time
import zlib

import numpy as np
from PIL import Image

from scene import PROGRAM, failures, report

MEMORY = 1 << 30


def refused(name, arguments, *parts, code=2):
    start = time.process_time(), time.monotonic()
    done = subprocess.run([PROGRAM, "import", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
    errors = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    if done.returncode != code or len(errors) != 1 or not errors[0].startswith("dsasrgs: error: "):
        return report(name, f"exit code {done.returncode}, expected {code}: {done.stderr[-400:]}")
    for part in parts:
        if part not in errors[0]:
            report(name, f"no '{part}' in: {errors[0]}")
    if time.monotonic() - start[1] > 5:
        report(name, f"took {time.monotonic() - start[1]:.1f} s")
    if os.path.exists("out.h5"):
        report(name, "left out.h5")
        os.remove("out.h5")


# ── pickles ───────────────────────────────────────────────────────────────────────────────────────────────────────
class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def naf(name, data, *parts, protocol=4):
    with open("bad.pickle", "wb") as f:
        f.write(data if isinstance(data, bytes) else pickle.dumps(data, protocol))
    refused(name, ["naf", "bad.pickle", "out.h5"], "bad.pickle: ", *parts)


for protocol in range(6):
    naf("a command", {"DSD": Call(os.system, "touch was_run")}, "nothing in a pickle is run", protocol=protocol)
    naf("eval", {"DSD": Call(eval, "open('was_run', 'w')")}, "nothing in a pickle is run", protocol=protocol)
    naf("an array by another way", {"DSD": Call(np.fromfile, "bad.pickle")}, "nothing in a pickle is run", protocol=protocol)
naf("a class", b"ccollections\nOrderedDict\n.", "collections.OrderedDict")
naf("a numpy function that reads files", b"cnumpy\nload\n(S'x'\ntR.", "numpy.load")
naf("INST", b"(S'touch was_run'\nios\nsystem\n.", "opcode")
naf("OBJ", b"(cos\nsystem\nS'touch was_run'\no.", "os.system")
naf("NEWOBJ of a known name", b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode 129")
naf("EXT1", b"\x80\x02\x82\x01.", "opcode 130")
naf("PERSID", b"Pfile\n.", "opcode 80")
naf("a known name called with nonsense", b"cnumpy.core.multiarray\nscalar\n)R.", "a type of numbers")
naf("objects in an array", {"image": np.array([{}, []], dtype=object)}, "a type of numbers")
naf("a record", {"image": np.zeros(2, dtype=[("a", "f4")])}, "a type of numbers")
naf("complex numbers", {"image": np.zeros(2, complex)}, "a type of numbers")
naf("an empty file", b"", "1 more bytes")
naf("no end", pickle.dumps({"a": 1})[:-1], "more bytes")
naf("no pickle", b"\x89PNG\r\n", "opcode")
naf("a size beyond the file", b"\x80\x04\x8d" + b"\xff" * 8 + b".", "more bytes")
naf("a text beyond the file", b"X\xff\xff\xff\x7f.", "2147483647 more bytes")
naf("a hole in the memo", b"h\x07.", "none with the number 7")
naf("a mark too few", b"t.", "a mark")
naf("an empty stack", b"a.", "an empty stack")
naf("a million lists", b"(" + b"]" * (1 << 20) + b"]t.", "at most 1048576 values")
naf("a million marks", b"(" * ((1 << 20) + 1), "at most 1048576 marks")
naf("a list in a list in a list", b"]" * 100000 + b"a" * 99999 + b".", "an entry of a dictionary")
naf("a list in itself", b"]q\x00h\x00a.", "an entry of a dictionary")
naf("half a dictionary", b"(K\x01d.", "a key without one")
# One long argument, called again and again; one long text, encoded again and again.
call = b"cnumpy\ndtype\nq\x00(" + b"K\x01" * 500000 + b"tq\x01"
naf("a call of many arguments", call + b"h\x00h\x01R" * 100000 + b".", "at most 16 arguments")
text = b"c_codecs\nencode\nq\x00(X" + struct.pack("<I", 1 << 24) + b"a" * (1 << 24) + b"X\x06\x00\x00\x00latin1tq\x01R"
naf("an encoding again and again", text + b"h\x00h\x01R" * 1000 + b".", "encoded")
state = b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(" + b"J\xff\xff\xff\x7f" * 8 + b"tcnumpy\ndtype\n(X\x02\x00\x00\x00f4tRK\x00C\x04aaaatb."
naf("an array larger than any", b"\x80\x03" + state, "as many bytes as an array of")
good = {"DSD": 1200.0, "DSO": 750.0, "nDetector": [4, 5], "dDetector": [30.0, 30.0], "nVoxel": [4, 4, 4], "dVoxel": [20.0] * 3, "mode": "cone",
        "train": {"angles": np.linspace(0, 2, 3), "projections": np.ones((3, 4, 5), np.float32)}}
naf("parallel rays", {**good, "mode": "parallel"}, 'mode: expected "cone", found "parallel"')
naf("another number of images", {**good, "train": {**good["train"], "angles": [0, 1.0]}}, "train.projections", "2 x 4 x 5", "3 x 4 x 5")
naf("no angles", {**good, "train": {**good["train"], "angles": []}}, "train.projections")
naf("NaN", {**good, "train": {**good["train"], "projections": np.full((3, 4, 5), np.nan)}}, "train.projections: expected finite numbers, found nan")
naf("a side of 1e9", {**good, "nVoxel": [1e9, 4, 4]}, "nVoxel")
naf("no geometry", {k: v for k, v in good.items() if k != "DSO"}, "DSO: expected a value, found none")
naf("a source behind the detector", {**good, "DSO": 1300.0}, "0 < DSO < DSD")
if os.path.exists("was_run"):
    report("pickles", "something in a pickle was run")


# ── .npy, JSON, XML, MetaImage, tables ────────────────────────────────────────────────────────────────────────────
def npy(header, numbers=b"", version=1):
    header += b" " * (64 - (len(header) + 11) % 64) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + numbers


geometry = {"DSD": 1200, "DSO": 750, "nDetector": [4, 5], "dDetector": [30, 30], "angles": [0, 1]}
json.dump(geometry, open("g.json", "w"))
for name, data, *parts in (
        ("objects", npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (2, 4, 5), }", pickle.dumps([1] * 40)), "descr"),
        ("a shape beyond the file", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 4000000000, 4000000000), }"), "shape"),
        ("a shape of nothing", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0, 5), }"), "shape"),
        ("a negative side", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -4, 5), }"), "shape"),
        ("no shape", npy(b"{'descr': '<f4', 'fortran_order': False}"), "header"),
        ("a header beyond the file", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}", "header"),
        ("cut off", npy(b"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 4, 5), }", b"\0" * 300), "numbers: expected 40, found 37"),
        ("version 9", npy(b"{}", version=9), "version"),
        ("a key twice", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4, 5), 'shape': (2, 5, 4)}", b"\0" * 160), "'shape' once"),
        ("no .npy", b"hello", "a .npy file"),
        ("other views", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }", b"\0" * 240), "2 views"),
        ("other pixels", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 5, 4), }", b"\0" * 160), "4 rows and 5 columns")):
    open("p.npy", "wb").write(data)
    refused(f"npy: {name}", ["tigre", "g.json", "p.npy", "out.h5"], "p.npy: ", *parts)
np.save("p.npy", np.ones((2, 4, 5)))
for name, data, *parts in (
        ("no JSON", b"{'a': 1}", "byte"), ("a list", b"[1]", "a JSON object"), ("a number beyond all", b'{"DSD": 1e999}', "JSON"),
        ("deep", b"[" * 1000000, "at most 64 deep"), ("deep objects", b'{"a":' * 100000, "at most 64 deep"),
        ("a text for a number", json.dumps({**geometry, "DSD": "1200"}).encode(), 'DSD: expected a finite number, found "1200"'),
        ("no angles", json.dumps({**geometry, "angles": []}).encode(), "angles"),
        ("no DSO", json.dumps({k: v for k, v in geometry.items() if k != "DSO"}).encode(), "DSO: expected a value, found none"),
        ("angles of two", json.dumps({**geometry, "angles": [[0, 1], [1, 2]]}).encode(), "rows of 1 or 3"),
        ("offsets of another number", json.dumps({**geometry, "offDetector": [[1, 2]] * 5}).encode(), "offDetector", "1 or 2 rows"),
        ("half a pixel", json.dumps({**geometry, "nDetector": [4.5, 5]}).encode(), "nDetector"),
        ("a name twice", b'{"DSD": 1200, ' + json.dumps(geometry).encode()[1:], "DSD: expected one value, found two in one object"),
        ("a name twice below", json.dumps({**geometry, "more": [1]}).replace("[1]", '[{"a": 1, "b": {"a": 2}}, {"c": 1, "c": 1}]').encode(), "c: expected one value"),
        ("another whole detector", json.dumps({**geometry, "sDetector": [120, 151]}).encode(), "sDetector: expected nDetector times dDetector, 150 along axis 1, found 151"),
        ("another whole volume", json.dumps({**geometry, "nVoxel": [4, 4, 4], "dVoxel": [2, 2, 2], "sVoxel": [8, 8, 4]}).encode(), "sVoxel: expected nVoxel times dVoxel, 8"),
        ("no pixel size", json.dumps({k: v for k, v in geometry.items() if k != "dDetector"}).encode(), "dDetector: expected a value, or sDetector, found neither"),
        ("SDD of 0", json.dumps({**geometry, "DSD": 0}).encode(), "0 < DSO < DSD")):
    open("bad.json", "wb").write(data)
    refused(f"JSON: {name}", ["tigre", "bad.json", "p.npy", "out.h5"], "bad.json: ", *parts)

mha = "ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = {}\nElementSpacing = 30 30 1\nOffset = -60 -45 0\nElementType = MET_FLOAT\nElementDataFile = {}\n"
view = "<Projection><GantryAngle>{}</GantryAngle></Projection>"
xml = "<RTKThreeDCircularGeometry version=\"3\"><SourceToIsocenterDistance>750</SourceToIsocenterDistance><SourceToDetectorDistance>1200</SourceToDetectorDistance>{}</RTKThreeDCircularGeometry>"
open("p.mha", "wb").write(mha.format("5 4 2", "LOCAL").encode() + b"\0" * 160)
for name, text, *parts in (
        ("no XML", "hello", "XML"), ("another document", "<a/>", "RTKThreeDCircularGeometry"), ("no projection", xml.format(""), "Projection"),
        ("parallel", xml.format(view.format(1)).replace("1200", "0"), "parallel rays"), ("a cylinder", xml.format("<RadiusCylindricalDetector>5</RadiusCylindricalDetector>" + view.format(1)), "Cylindrical"),
        ("an angle twice", xml.format(view.format("1</GantryAngle><Angle>2</Angle><GantryAngle>1")), "once"),
        ("a word", xml.format(view.format("x")), "GantryAngle"), ("an unknown element", xml.format("<Foo/>"), "Foo"),
        ("version 1", xml.format(view.format(1)).replace('"3"', '"1"'), "version"), ("one view too few", xml.format(view.format(1)), "1 projections"),
        ("an entity bomb", '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + xml.format(view.format("&b;")), "GantryAngle"),
        ("deep", "<a>" * 200000, "XML")):
    open("bad.xml", "w").write(text)
    refused(f"XML: {name}", ["rtk", "bad.xml", "p.mha", "out.h5"], *parts)
open("g.xml", "w").write(xml.format(view.format(0) + view.format(50)))
zip_ = mha.replace("BinaryData = True", "BinaryData = True\nCompressedData = True")
for name, data, *parts in (
        ("sizes beyond the file", mha.format("1000000 1000000 1000000", "LOCAL").encode(), "DimSize"),
        ("a bomb", zip_.format("100000 100000 2", "LOCAL").encode() + zlib.compress(b"\0" * 1000), "DimSize"),
        ("damaged zlib", zip_.format("5 4 2", "LOCAL").encode() + b"x" * 50, "zlib"),
        ("cut off", mha.format("5 4 2", "LOCAL").encode() + b"\0" * 100, "numbers"),
        ("NaN", mha.format("5 4 2", "LOCAL").encode() + b"\xff" * 160, "finite"),
        ("a key twice", mha.replace("NDims = 3", "NDims = 3\nDimSize = 4 5 2").format("5 4 2", "LOCAL").encode() + b"\0" * 160, "DimSize: expected one line"),
        ("two origins", mha.replace("NDims = 3", "NDims = 3\nPosition = 0 0 0").format("5 4 2", "LOCAL").encode() + b"\0" * 160, "Position: expected the numbers of Offset"),
        ("no data", b"NDims = 3\n", "ElementDataFile"), ("a list", mha.format("5 4 2", "LIST").encode(), "ElementDataFile"),
        ("a device", mha.format("5 4 2", "/dev/zero").encode(), "/dev/zero"), ("two axes", mha.replace("NDims = 3", "NDims = 2").format("5 4", "LOCAL").encode(), "NDims"),
        ("text", mha.replace("True", "False").format("5 4 2", "LOCAL").encode() + b"0 " * 40, "BinaryData")):
    open("bad.mha", "wb").write(data)
    refused(f"MetaImage: {name}", ["rtk", "g.xml", "bad.mha", "out.h5"], *parts)

os.makedirs("pictures", exist_ok=True)
table = "file,primary_deg,sod_mm,sdd_mm\n"
tiff = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 8)
entries = ((256, 4, 40000), (257, 4, 40000), (258, 3, 32), (259, 3, 1), (262, 3, 1), (273, 4, 200), (278, 4, 40000), (279, 4, 100))
open("pictures/huge.tif", "wb").write(tiff + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries) + b"\0" * 200)
open("pictures/small.tif", "wb").write(b"II*\0" + b"\xff" * 40)
for name, text, *parts in (
        ("an empty file", "", "poses.csv: columns: expected a line with names of columns", "found an empty file"),
        ("nothing but comments", "# file,primary_deg\n\n  # more\n", "poses.csv: columns: expected", "found no line but blank ones and comments"), ("an unknown column", "file,angle\n", "angle"), ("a column twice", "file,file\n", "once"),
        ("no pictures", table, "views"), ("no distance", "file,primary_deg\n" + "a.png,1\n", "columns: expected a column sod_mm, or --sod-mm for all views, found none"), ("a word", table + "a.png,x,750,1200\n", "line 2: primary_deg"), ("a field too few", table + "a.png,1\n", "line 2: fields"),
        ("no angles", "file,sod_mm,sdd_mm\na.png,750,1200\n", "columns: expected a column primary_deg, found none"), ("SDD below SOD", table + "a.png,1,750,700\n", "line 2: sdd_mm: expected more than sod_mm, found 700"),
        ("an open quote", table + '"a.png,1,750,1200\n', "line 2: fields: expected a closing quote"),
        ("more behind a quote", table + '"a"b.png,1,750,1200\n', "line 2: fields: expected a separator behind"),
        ("a quote within", table + 'a"b.png,1,750,1200\n', "line 2: fields: expected quotes around the whole"),
        ("masks of no counts", table.replace("file", "file,mask") + "a.png,b.png,1,750,1200\n", "line 1: columns: expected no mask for grey values that are no counts (--intensity says that they are)"),
        ("a free pose's column", table.replace("file", "file,u_x") + "a.png,1,1,750,1200\n", "line 1: columns:", "found u_x"),
        ("720 degrees and more", table + "a.png,721,750,1200\n", "line 2: primary_deg: expected at most 720 degrees, found 721"),
        ("NaN", table + "a.png,nan,750,1200\n", "primary_deg"), ("another suffix", table + "../poses.csv,1,750,1200\n", ".png"),
        ("a huge TIFF", table + "huge.tif,1,750,1200\n", "huge.tif", "size"), ("a broken TIFF", table + "small.tif,1,750,1200\n", "small.tif")):
    open("poses.csv", "w").write(text)
    refused(f"table: {name}", ["images", "pictures", "poses.csv", "out.h5", "--pitch-mm", 1], *parts)
sound = {256: (4, 8), 257: (4, 8), 258: (3, 16), 259: (3, 1), 262: (3, 1), 273: (4, 8), 277: (3, 1), 278: (4, 8), 279: (4, 128)}


def directory(tags, following=0):
    return struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, *tags[t][:1], 1, tags[t][1]) for t in sorted(tags)) + struct.pack("<I", following)


open("poses.csv", "w").write(table + "one.tif,1,750,1200\n")
for name, end, *parts in (
        ("white or black", directory({t: v for t, v in sound.items() if t != 262}), "photometric interpretation: expected 0 or 1", "no such tag"),
        ("three pages", directory(sound, 250) + directory(sound, 364) + directory(sound), "pages: expected 1", "found 3"),
        ("turned", directory({**sound, 274: (3, 3)}), "orientation: expected 1", "found 3"),
        ("a palette without colours", directory({**sound, 262: (3, 3)}), "photometric interpretation: expected 0 or 1", "found 3, a palette"),
        ("short strips", directory({**sound, 279: (4, 10)}), "pixels: expected parts as long as the file says", "StripByteCounts")):
    open("pictures/one.tif", "wb").write(struct.pack("<2sHI", b"II", 42, 136) + bytes(range(128)) + end)
    refused(f"TIFF: {name}", ["images", "pictures", "poses.csv", "out.h5", "--pitch-mm", 1], "one.tif: ", *parts)
open("poses.csv", "w").write(table + "a.png,1,750,1200\n")
refused("a missing picture", ["images", "pictures", "poses.csv", "out.h5", "--pitch-mm", 1], "pictures/a.png: cannot read: No such file")
os.mkfifo("pictures/a.png")
refused("a pipe for a picture", ["images", "pictures", "poses.csv", "out.h5", "--pitch-mm", 1], "pipe")
os.mkfifo("pipe")
for arguments in (["naf", "pipe"], ["rtk", "pipe", "p.mha"], ["rtk", "g.xml", "pipe"], ["tigre", "pipe", "p.npy"], ["astra", "g.xml", "pipe"],
                  ["images", "pictures", "pipe"]):
    refused("a pipe: " + " ".join(arguments), [*arguments, "out.h5"] + (["--pitch-mm", 1] if arguments[0] == "images" else []))

# ── options that nothing would heed, values under their own names ─────────────────────────────────────────────────
os.remove("pictures/a.png")
Image.fromarray(np.full((4, 5), 90, np.uint8)).save("pictures/a.png")
images = ["images", "pictures", "poses.csv", "out.h5", "--pitch-mm"]
refused("a slope of counts", [*images, 1, "--intensity", "--slope", 2], "--slope")
refused("an intercept of counts", [*images, 1, "--intensity", "--intercept", 2], "--intercept")
refused("a distance twice", [*images, 1, "--sod-mm", 750], "line 1: columns: expected no sod_mm beside --sod-mm, found sod_mm")
open("free.csv", "w").write("file," + ",".join(f"{n}_{a}{u}" for n, u in (("source", "_mm"), ("center", "_mm"), ("u", ""), ("v", "")) for a in "xyz") + "\na.png,750,0,0,-450,0,0,0,1,0,0,0,-1\n")
refused("a distance of free poses", ["images", "pictures", "free.csv", *images[3:], 1, "--sdd-mm", 1200], "line 1: columns: expected no free poses beside --sdd-mm, found source_x_mm")
open("timed.csv", "w").write("file,time_s,primary_deg,sod_mm,sdd_mm\na.png,0,1,750,1200\n")
refused("a duration of views with times", ["images", "pictures", "timed.csv", *images[3:], 1, "--duration-s", 3], "line 1: columns: expected no time_s beside --duration-s, found time_s")
open("masked.csv", "w").write("file,mask,primary_deg,sod_mm,sdd_mm\na.png,a.png,1,750,1200\n")
refused("counts without a mask", [*images, 1, "--intensity"], "line 2: mask: expected a picture of counts without contrast, or one number of them (--white), found none")
refused("white beside masks", ["images", "pictures", "masked.csv", *images[3:], 1, "--intensity", "--white", 9], "--white: expected a view without a mask")
refused("a pitch", [*images, 1e-8], "--pitch-mm: expected 1e-6 to 1e9 mm, found 1e-08")
refused("a volume of nothing", [*images, 1, "--volume-size", 4, 4, 0, "--volume-spacing-mm", 1, 1, 1], "--volume-size")
refused("a spacing", [*images, 1, "--volume-size", 4, 4, 4, "--volume-spacing-mm", 1, 1, 1e10], "--volume-spacing-mm")
refused("no name of a folder", ["images", "", *images[2:], 1], "folder: expected a folder, found an empty name")
refused("no name of an output", ["images", "pictures", "poses.csv", "", "--pitch-mm", 1], "output: expected a file, found an empty name")
open("behind.csv", "w").write("file,primary_deg,sod_mm,sdd_mm,offset_v_mm\na.png,1,750,1200,500\n")
refused("an isocentre out of view", ["images", "pictures", "behind.csv", *images[3:], 1], "behind.csv: volume: expected a region by hand (--volume-size, --volume-spacing-mm), or poses that see the isocentre, found it outside view 0")

# ── the output ────────────────────────────────────────────────────────────────────────────────────────────────────
open("mine.h5", "w").write("mine")
refused("an output that is there", ["tigre", "g.json", "p.npy", "mine.h5"], "--force", "mine.h5")
refused("an input for an output", ["tigre", "g.json", "p.npy", "p.npy", "--force"], "another file than the input p.npy")
before = open("poses.csv").read()
refused("a file of another kind for an output", ["tigre", "g.json", "p.npy", "poses.csv", "--force"], "with --force one of the format dsasrgs.acquisition")
if open("poses.csv").read() != before:
    report("a file of another kind for an output", "was replaced")
refused("a centre alone", ["tigre", "g.json", "p.npy", "out.h5", "--volume-center-mm", 500, 0, 0], "--volume-center-mm: expected with --volume-size")
refused("a folder that is not there", ["tigre", "g.json", "p.npy", "no/out.h5"], "no/out.h5")
refused("half a volume", ["tigre", "g.json", "p.npy", "out.h5", "--volume-size", "4", "4", "4"], "--volume-spacing-mm")
refused("too many training views", ["tigre", "g.json", "p.npy", "out.h5", "--train-views", 9], "--train-views")
refused("strictly", ["tigre", "g.json", "p.npy", "out.h5", "--strict"], "g.json: --strict: expected nothing implausible")
if open("mine.h5").read() != "mine":
    report("output", "was replaced without --force")
raise SystemExit(1 if failures else 0)

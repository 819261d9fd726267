# SPDX-License-Identifier: Apache-2.0
"""mutated_imports.py PROGRAM FILES: see mutated_imports.sh. Works in this folder."""
import collections
import pathlib
import random
import struct
import subprocess
import sys
import time

program, files = sys.argv[1], int(sys.argv[2])
rows, columns, frames = 24, 32, 9
random.seed(1)

# Of the run that dicom_test.sh has, with a shutter: order does not matter to dump2dcm.
SIZES = {"FRAMES": frames, "ROWS": rows, "COLUMNS": columns, "PITCH": 2, "STEP": 5}
SHUTTER = """(0018,1111) DS [750]
(0018,1600) CS [CIRCULAR]
(0018,1610) IS [12\\16]
(0018,1612) IS [14]
"""


def dicom_files():
    noise = [1000 + random.randrange(1500) for _ in range(rows * columns * frames)]
    open("pixels.raw", "wb").write(struct.pack(f"<{len(noise)}H", *noise))
    dump = (pathlib.Path(__file__).parent.parent / "support/rotational_run.dump").read_text()
    for name, number in SIZES.items():
        dump = dump.replace(f"@{name}@", str(number))
    open("run.dump", "w").write(dump + SHUTTER)
    for command in ("dump2dcm run.dump plain.dcm", "dcmcrle plain.dcm rle.dcm", "dcmcjpeg +e1 plain.dcm jpeg.dcm",
                    "dcmcjpls plain.dcm jpegls.dcm"):
        subprocess.run(command.split(), check=True)
    return [open(f"{name}.dcm", "rb").read() for name in ("plain", "rle", "jpeg", "jpegls")]


def tiff_file(packed):
    """Float or 16-bit pixels in strips; `packed`: PackBits."""
    if packed:
        line = bytes([columns - 1]) + bytes(range(1, columns + 1))
        data, bits, kind, compression = line * rows, 8, 1, 32773
    else:
        data, bits, kind, compression = struct.pack(f"<{rows * columns}f", *([0.5] * rows * columns)), 32, 3, 1
    entries = [(256, 3, columns), (257, 3, rows), (258, 3, bits), (259, 3, compression), (262, 3, 1), (273, 4, 0),
               (277, 3, 1), (278, 3, rows), (279, 4, len(data)), (339, 3, kind)]
    start = 8 + 2 + 12 * len(entries) + 4
    body = b"".join(struct.pack("<HHII", tag, t, 1, start if tag == 273 else v) for tag, t, v in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", 0) + data


def damaged(data):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(min(len(data), random.choice((300, 1200, len(data)))))
        kind = random.randrange(6)
        if kind == 0:
            data[at] = random.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << random.randrange(8)
        elif kind == 2:
            data[at:at + 4] = random.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0"))
        elif kind == 3:
            del data[at:at + random.randrange(1, 64)]
        elif kind == 4:
            data[at:at] = data[at:at + random.randrange(1, 64)]
        else:
            del data[max(at, 140):]
        if len(data) < 2:
            data = bytearray(b"DICM")
    return bytes(data)


def run(arguments):
    begin = time.monotonic()
    done = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace", timeout=120)
    return done, time.monotonic() - begin


def main():
    dicom, tiff = dicom_files(), [tiff_file(False), tiff_file(True)]
    import_dicom = ["import", "dicom", "damaged.dcm", "case.h5", "--force", "--quiet"]
    import_images = ["import", "images", ".", "poses.csv", "case.h5", "--force", "--quiet", "--pitch-mm", "2", "--sod-mm", "750",
                     "--sdd-mm", "1200"]
    open("poses.csv", "w").write("file,primary_deg\ndamaged.tif,10\nsound.tif,40\n")
    open("sound.tif", "wb").write(tiff[0])
    came, worst, sound_time = collections.Counter(), 0, 0
    for name, seeds, arguments in (("damaged.dcm", dicom, import_dicom), ("damaged.tif", tiff[:1], import_images)):
        for seed in seeds:
            open(name, "wb").write(seed)
            done, seconds = run(arguments)
            assert done.returncode == 0, (name, done.stderr)
            sound_time = max(sound_time, seconds)
    for i in range(files):
        name, seeds, arguments = ("damaged.dcm", dicom, import_dicom) if i % 2 == 0 else ("damaged.tif", tiff, import_images)
        open(name, "wb").write(damaged(seeds[i // 2 % len(seeds)]))
        done, seconds = run(arguments)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        bad = (done.returncode not in (0, 1, 2) or len(lines) != (0 if done.returncode == 0 else 1)
               or seconds > sound_time + 2 or any(ord(c) < 32 for line in lines for c in line))
        if bad:
            sys.exit(f"file {i} ({name}): exit code {done.returncode} after {seconds:.1f} s: {done.stderr!r}; kept as "
                     f"{save(name)}")
        worst = max(worst, seconds)
        what = "a crash caught" if "crash of" in done.stderr else "a loop caught" if "endless loop" in done.stderr else (
            "read" if done.returncode == 0 else "refused")
        came[f"{name.split('.')[1]} {what}"] += 1
    print(f"{files} files: " + ", ".join(f"{k} {v}" for k, v in sorted(came.items())) +
          f"; the slowest took {worst:.2f} s, a sound one {sound_time:.2f} s")


def save(name):
    path = f"/tmp/dsasrgs_mutated_{name}"
    open(path, "wb").write(open(name, "rb").read())
    return path


main()

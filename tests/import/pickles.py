# SPDX-License-Identifier: Apache-2.0
"""NAF's pickles by the protocols and the Pythons that write them: every byte of an array arrives. See run.sh."""
import pickle

import numpy as np

from scene import Case, failures, near, report, run

SIDE = 24


class Python2(pickle._Pickler):
    """Texts and bytes as Python 2 writes them by protocols 0 and 2: one type, between quotes or with its length."""
    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, text):
        raw = text.encode("latin1") if isinstance(text, str) else text
        if self.proto == 0:
            self.write(b"S" + repr(raw)[1:].encode() + b"\n")
        else:
            self.write((b"U" + bytes([len(raw)]) if len(raw) < 256 else b"T" + len(raw).to_bytes(4, "little")) + raw)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_string


def case_of(values):
    return {"DSD": 1200.0, "DSO": 750.0, "nDetector": [SIDE, SIDE], "dDetector": [10.0, 10.0], "nVoxel": [4, 4, 4], "dVoxel": [20.0] * 3,
            "mode": "cone", "train": {"angles": np.linspace(0, 2, 3), "projections": values}}


# Every byte value; and bytes that take two in UTF-8, so that a text of them is nearly twice as long there as in the file.
all_bytes = np.arange(3 * SIDE * SIDE * 2, dtype=np.uint32).astype(np.uint8).view("<u2").reshape(3, SIDE, SIDE)
high_bytes = np.full((3, SIDE, SIDE), np.frombuffer(b"\xbf\xbf\xbf\x3f", "<f4")[0])
for kind, values in (("all", all_bytes), ("high", high_bytes)):
    for writer in [*range(6), "python2, 0", "python2, 2"]:
        name = f"{kind} bytes, {writer}"
        with open("values.pickle", "wb") as f:
            if isinstance(writer, int):
                pickle.dump(case_of(values), f, writer)
            else:
                Python2(f, int(writer[-1]), fix_imports=False).dump(case_of(values))
        if run("import", "naf", "values.pickle", "values.h5", "--force", "--quiet").returncode == 0:
            near(name, "projections", Case("values.h5").projections, values, 0)
for name, text in (("an open quote", b"S'x"), ("no quotes", b"Sx"), ("another escape", b"S'\\q'"), ("half a number", b"S'\\x1'")):
    open("bad.pickle", "wb").write(text + b"\n.")
    if "bad.pickle: byte " not in run("import", "naf", "bad.pickle", "no.h5", code=2).stderr:
        report(name, "not refused with its place")
raise SystemExit(1 if failures else 0)

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# python.sh SOURCE_DIR PROGRAM: the Python of docs/data-format.md runs, and dsasrgs takes the files that it writes. Exit code
# 77 where there is no Python with h5py and numpy.
set -euo pipefail
source_dir="$1" program="$2"
. "$source_dir/tests/support/find_python.sh"
find_python h5py numpy
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

awk '/^```python$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside { print >"block" n ".py" }' "$source_dir/docs/data-format.md"
[ -f block2.py ] || { echo "expected two pieces of Python in docs/data-format.md" >&2; exit 1; }
"$python" block1.py
"$program" inspect case.h5
# Projections of zeros are no measurement: something to make labels of.
"$python" - <<'END'
import h5py, numpy as np
with h5py.File("case.h5", "r+") as f:
    v, r, c = np.meshgrid(*(np.arange(n) for n in f["projections"].shape), indexing="ij")
    f["projections"][:] = 0.5 + 0.5 * np.sin(r / 3.0) * np.cos(c / 5.0 + v / 40.0)
END
"$python" block2.py
"$program" inspect labels.h5 --case case.h5

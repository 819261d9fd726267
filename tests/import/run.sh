#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SOURCE_DIR PROGRAM: other programs' files, written by NumPy, nibabel, Pillow and pickle as those programs write
# them, imported, and held against the geometry they were written from (peers.py, pickles.py); what an
# import says (words.py) and refuses (hostile.py). Skipped (exit code 77) where no Python has what it takes.
set -euo pipefail
source "$1/tests/support/find_python.sh"
find_python numpy h5py nibabel PIL
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMP_WAIT_POLICY=passive DSASRGS_READ_DIRECTLY=1
for part in peers pickles words hostile; do "$python" "$1/tests/import/$part.py" "$2"; done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD_DIR: how nifticlib and read_nifti fare with damaged NIfTI files (docs/reliability.md). By hand; needs Debian's
# libnifti2-dev and a Python with nibabel.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
build="$(realpath "$1")"
. "$here/../../support/find_python.sh"
find_python nibabel numpy
[ -e /usr/include/nifti/nifti2_io.h ] || { echo "Skipped: there is no nifticlib (Debian: libnifti2-dev)"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target dsasrgs_nifticlib_compare >"$work/build.log"
compare="$build/tests/dsasrgs_nifticlib_compare"
cd "$work"
"$python" "$here/spoil.py" .
"$compare" chosen/*
"$compare" damaged/*.nii

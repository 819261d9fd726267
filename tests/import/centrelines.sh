#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# centrelines.sh SOURCE_DIR TESTS_BINARY: centrelines in every form that VTK itself writes, read by the test tagged [vtk_files].
# Exit code 77 where no Python has vtk and numpy.
set -euo pipefail
source "$1/tests/support/find_python.sh"
find_python vtk numpy
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$python" "$1/tests/import/centrelines.py" "$work"
DSASRGS_VTK_FILES="$work" "$2" --backend cpu "[vtk_files]"

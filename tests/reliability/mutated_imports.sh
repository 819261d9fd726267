#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mutated_imports.sh PROGRAM [FILES]: so many damaged DICOM and TIFF files (half each) through the program. Every one must be
# imported or refused with one line, within 2 s of what the sound file takes; seeds are fixed. Needs DCMTK's tools and Python.
set -euo pipefail
program="$(realpath "$1")" files="${2:-300}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../support/find_python.sh"
find_python struct
for tool in dump2dcm dcmcrle dcmcjpeg dcmcjpls; do
  command -v $tool >/dev/null || { echo "Skipped: there is no $tool (Debian: dcmtk)"; exit 77; }
done
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$python" "$here/mutated_imports.py" "$program" "$files"

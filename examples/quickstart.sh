#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From nothing to super-resolved vessels: installs what is missing, builds, measures the built-in tree at low resolution,
# reconstructs it with 4DRGS and with DSA-SRGS, whose labels the network that comes with the program makes, and leaves a report to
# open in a browser, pictures side by side and one table.
# usage: bash examples/quickstart.sh [OUTPUT_FOLDER]     (default: out/quickstart of the repository)
set -euo pipefail
out=${1:+$(realpath -m -- "$1")}  # before the folder changes: it is the caller's
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${out:-out/quickstart}

bash cmake/install_dependencies.sh --report
cmake --preset release >/dev/null
cmake --build --preset release --target dsasrgs_program
dsasrgs=build/examples/dsasrgs/dsasrgs

mkdir -p "$out"
"$dsasrgs" study examples/studies/quickstart.toml --output "$out"
"$dsasrgs" report "$out/runs/tree/30-views/dsa-srgs+network/seed-0" --output "$out/report.html" --quiet

echo
echo "Look at it, in any browser: file://$(realpath "$out/report.html")"
sed -n '/^| | PSNR/,/^$/{p;/^$/q}' "$out/tables.md" | cut -d'|' -f2-5  # of the test views, against the truth
echo "Pictures (truth | the view's own measurement, upsampled | 4drgs | dsa-srgs, and their errors): $out/pictures/"
echo "Models, volumes, numbers of every view: $out/runs/. The same by hand:"
echo "  $dsasrgs simulate --output case.h5 --size 64 64 --pitch-mm 4.8 --scale 4 --photons 2000000"
echo "  $dsasrgs reconstruct case.h5 --output run --preset dsa-srgs --config examples/studies/small_4x.toml --report"

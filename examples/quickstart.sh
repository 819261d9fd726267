#!/usr/bin/env bash
# From nothing to a reconstruction: installs what is missing, builds, simulates the built-in case, reconstructs it with the
# 4DRGS method and with a static model, and compares both with interpolation and filtered back-projection.
# usage: bash examples/quickstart.sh [OUTPUT_FOLDER]     (default: out/quickstart of the repository)
set -euo pipefail
out=${1:+$(realpath -m -- "$1")}  # before the folder changes: it is the caller's
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${out:-out/quickstart}

bash cmake/install_dependencies.sh
cmake --preset release >/dev/null
cmake --build --preset release --target dsasrgs_program
dsasrgs=build/examples/dsasrgs/dsasrgs

mkdir -p "$out"
"$dsasrgs" simulate --output "$out/case.h5" --photons 2000000
"$dsasrgs" reconstruct "$out/case.h5" --output "$out/neural" --config examples/quickstart.toml --baselines --force
"$dsasrgs" reconstruct "$out/case.h5" --output "$out/static" --config examples/quickstart.toml --set field.kind=static --force

echo
echo "Pictures (render | truth | difference): $out/neural/views/, volume: $out/neural/volume.nii.gz and mip.png,"
echo "numbers: $out/neural/metrics.json and $out/static/metrics.json"

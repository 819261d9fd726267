#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The runs behind docs/results.md on real vessels and the real angiogram (../shared/data). Build first (tests/run.sh or
# quickstart.sh does). Every run leaves its folder under OUT and takes the place of an earlier one when it is finished.
# usage: bash examples/studies.sh CASE... ; CASE: sweep | BG001 | BG0003 | aneurism
# OUT (default out/studies), DATA (../shared/data) and DSASRGS (the program) may be set; the defaults are the repository's.
set -euo pipefail
if [ $# -eq 0 ]; then
  echo "usage: bash examples/studies.sh CASE... ; CASE: sweep | BG001 | BG0003 | aneurism" >&2
  exit 2
fi
resolved() { [ -z "$1" ] || realpath -m -- "$1"; }  # before the folder changes: they are the caller's
out=$(resolved "${OUT:-}") data=$(resolved "${DATA:-}") dsasrgs=$(resolved "${DSASRGS:-}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${out:-out/studies}
data=${data:-../shared/data}
dsasrgs=${dsasrgs:-build/examples/dsasrgs/dsasrgs}
mkdir -p "$out"

reconstruct() {  # CASE RUN OPTIONS...
  local case=$1 run=$out/$2
  shift 2
  "$dsasrgs" reconstruct "$case" --output "$run" --force "$@"
}

simulated() {  # NAME SIMULATE_OPTIONS...
  local name=$1
  shift
  "$dsasrgs" simulate --output "$out/$name.h5" --force --photons 2000000 "$@"
  reconstruct "$out/$name.h5" "$name-neural" --config examples/quickstart.toml --baselines
  reconstruct "$out/$name.h5" "$name-static" --config examples/quickstart.toml --set field.kind=static
}

for case in "$@"; do
  case "$case" in
    sweep) reconstruct "$data/rotational-head/acquisition.h5" sweep-neural --config examples/real_sweep.toml --baselines ;;
    BG001 | BG0003) simulated "$case" --vessels "$data/vessel-trees/$case.swc" --up-axis y ;;
    # 0.5 mm gives a plausible head (../shared/data/README.md); a uint8 value above 60 is contrast-filled lumen.
    aneurism) simulated aneurism --vessels "$data/volumes/aneurism_256x256x256_uint8.raw.gz" --volume-size 256 256 256 \
                --volume-spacing-mm 0.5 0.5 0.5 --vessel-threshold 60 --up-axis y ;;
    *) echo "studies.sh: expected sweep, BG001, BG0003 or aneurism, found $case" >&2; exit 2 ;;
  esac
done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memory.sh PROGRAM [quick]: what `reconstruct` says it will take against what the process held at its most, for runs that
# are governed by their Gaussians, their views, their volume and their targets; fails where one is off by more than 15 %.
# `quick`: the first two only. Prints a table.
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# simulate SIZE VIEWS VOLUME
simulate() {
  "$program" simulate --quiet --force --output case.h5 --size "$1" "$1" --views "$2" --train-views "$(($2 * 2 / 3))" --grid-size "$3" "$3" "$3"
}
failed=0
# run NAME GAUSSIANS [OPTION...]: a few steps with as many Gaussians from the first to the last.
run() {
  local name=$1 gaussians=$2
  shift 2
  "$program" reconstruct case.h5 --output run --force --quiet --steps 6 --set gaussians.init_percentile=90 \
    --set gaussians.initial="$gaussians" --set density_control.max_gaussians="$gaussians" \
    --set density_control.every=2 --set density_control.first_step=1 --set density_control.last_step=6 "$@"
  # "most" stands behind "first".
  awk -v name="$name" '
    /"gaussians"/ && !gaussians { gaussians = $2 + 0 }
    /"host_bytes"/ { expected = $2 / 2^20 }
    /"peak_host_bytes"/ { peak = $2 / 2^20 }
    END {
      error = expected / peak - 1
      printf "| %s | %d | %.0f | %.0f | %+.0f %% |\n", name, gaussians, expected, peak, 100 * error
      exit !(error > -0.15 && error < 0.15)
    }' run/metrics.json || failed=1
}

echo "| run | Gaussians | expected, MiB | held, MiB | error |"
echo "|---|---|---|---|---|"
simulate 128 30 96
run "4drgs, small" 50000
run "r2-gaussian, small" 50000 --preset r2-gaussian
[ "${2:-}" = quick ] && exit $failed
simulate 256 60 128
run "4drgs, many Gaussians" 200000
run "r2-gaussian, many Gaussians" 200000 --preset r2-gaussian
run "dsa-srgs, upsampled targets x2" 50000 --preset dsa-srgs --set super_resolution.target=upsampled --set super_resolution.scale=2 \
  --set super_resolution.first_step=2
run "4drgs, as shipped" 30000
simulate 512 90 96
run "4drgs, many pixels" 20000
simulate 128 30 320
run "4drgs, large volume" 20000
run "4drgs, large volume, baselines" 20000 --baselines
exit $failed

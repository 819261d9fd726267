#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memory_test.sh PATH_OF_BINARY: what a run will take is said before it begins, is about what it takes, and a run that does not
# fit is not begun. tests/reliability/memory.sh holds more runs against what they took.
set -u
source "$(dirname "$0")/checks.sh" "$@"

expect 0 "a case" simulate --output case.h5 --size 64 64 --views 24 --train-views 16 --grid-size 64 64 64 --quiet
expect 0 "inspect it" inspect case.h5
awk -F'[][,]' '/^  [a-z0-9-]+$/ { preset = $1; gsub(/ /, "", preset) } /^    cpu/ { cpu[preset] = $2; most[preset] = $3 } /^    cuda_device/ { device[preset] = $2 }
  END { exit !(cpu["4drgs"] + 0 < most["4drgs"] + 0 && cpu["static"] + 0 < cpu["4drgs"] + 0 && device["4drgs"] > 0) }' out.txt ||
  report "inspect: no memory, or none that grows with what is asked for: $(tail -n 20 out.txt)"

# Views to test on alone: there is nothing to reckon, and nothing else is amiss.
with_h5py=$(. "$here/../support/find_python.sh"; find_python h5py >&2; echo "$python")
if [ -n "$with_h5py" ]; then
  cp case.h5 untrained.h5
  "$with_h5py" -c 'import h5py
with h5py.File("untrained.h5", "r+") as file:
    del file["split"]
    file["split/test"] = list(range(24))'
  cp case.h5 long.h5
  "$with_h5py" -c 'import h5py
with h5py.File("long.h5", "r+") as file:
    volume = file["volume"].attrs
    volume["size"], volume["spacing_mm"], volume["origin_mm"] = [40000, 1, 1], [0.002, 1, 1], [-40, -0.5, -0.5]
    del file["reference"]'
  expect 2 "a volume that no NIfTI file holds" reconstruct long.h5 --output none --quiet
  says "a volume that no NIfTI file holds" 'long.h5: /volume@size: expected at most 32767 voxels a side, for volume.nii.gz, found 40000$'
  expect 0 "inspect a case without training views" inspect untrained.h5
  expect 2 "reconstruct it" reconstruct untrained.h5 --output none
  says "reconstruct it" 'untrained.h5: /split/test: expected a view to be left for training, found all of them$'
fi

few=(--steps 4 --set field.grid3d.log2_entries=12 --set field.grid4d.log2_entries=12)
expect 0 "a run that fits" reconstruct case.h5 --output run "${few[@]}" --set gaussians.initial=500 --set density_control.max_gaussians=2000
says "a run that fits" '^memory: [0-9]+ MiB with 500 Gaussians, [0-9]+ MiB with 2000 Gaussians$' out.txt
grep -q '"peak_host_bytes"' run/metrics.json || report "metrics.json does not say what the run held"
expect 0 "a run that may not fit" reconstruct case.h5 --output run --force "${few[@]}" --set gaussians.initial=500 \
  --set density_control.max_gaussians=2000000000
says "a run that may not fit" '^warning: memory: expected up to [0-9.]+ [MG]iB, found a run that may need [0-9.]+ GiB: density_control.max_gaussians = 2000000000 is more than fits$'
refusal='memory: expected up to [0-9.]+ [MG]iB, found a run that needs [0-9.]+ [MG]iB for [0-9]+ Gaussians, 16 training views of 64 x 64 pixels, 64 x 64 x 64 voxels: nothing was begun$'
expect 1 "a run that does not fit" reconstruct case.h5 --output none --set gaussians.init=random --set gaussians.initial=2000000000
says "a run that does not fit" "$refusal"
# FDK has candidates for a few of them only.
expect 0 "more Gaussians than FDK has places for" reconstruct case.h5 --output run --force "${few[@]}" --set gaussians.initial=2000000000
says "more Gaussians than FDK has places for" '^memory: [0-9]+ MiB with 7865 Gaussians, ' out.txt
# A run that goes on has more than it began with.
expect 0 "a run that goes on" reconstruct case.h5 --output run --resume --steps 6
has=$(sed -n 's/.*"gaussians": \([0-9]*\),$/\1/p' run/metrics.json | head -n 1)
says "a run that goes on" "^memory: [0-9]+ MiB with $has Gaussians" out.txt
# A limit of the process counts too.
(ulimit -v 400000; "$program" reconstruct case.h5 --output none --set gaussians.init=random --set gaussians.initial=400000) >out.txt 2>err.txt
[ $? -eq 1 ] || report "under a limit: expected exit code 1: $(cat err.txt)"
says "under a limit" "$refusal"
(ulimit -v 140000; "$program" reconstruct case.h5 --output none --preset dsa-srgs "${few[@]}" --set gaussians.initial=500 \
  --set super_resolution.target=upsampled --set super_resolution.scale=16) >out.txt 2>err.txt
[ $? -eq 1 ] || report "fine targets under a limit: expected exit code 1: $(cat err.txt)"
says "fine targets under a limit" "${refusal%$} \(super_resolution.keep_labels = false needs [0-9]+ MiB\)$"
absent none
under_limits "HDF5 under limits" inspect case.h5
under_limits "an output under limits" simulate --output limited.h5 --views 2 --size 8 8 --grid-size 8 --grid-spacing-mm 20 --pitch-mm 38 --threads 1 --force --quiet

bash "$here/../reliability/memory.sh" "$program" quick >table.txt || report "memory: $(cat table.txt)"
exit $((failures > 0))

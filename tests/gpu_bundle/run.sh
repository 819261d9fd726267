#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [RESULTS]: on a machine with a GPU, from the bundle's folder: every test on the CUDA backend, the kernel tests
# under compute-sanitizer, the benchmarks, and one reconstruction run twice (same bits?). Leaves one results folder;
# goes on after a failure and exits with the number of failed parts.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
results=${1:-$here/results}
mkdir -p "$results"
export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
failed=0
part() {  # part NAME COMMAND…: its output in NAME.txt, one line here
  local name=$1 start=$SECONDS
  shift
  if timeout "${PART_SECONDS:-300}" "$@" >"$results/$name.txt" 2>&1; then
    echo "ok      $name ($((SECONDS - start)) s)"
  else
    echo "FAILED  $name (exit $?, $((SECONDS - start)) s)"
    tail -n 5 "$results/$name.txt"
    failed=$((failed + 1))
  fi
}

part device nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,memory.total --format=csv
part tests "$here/dsasrgs_tests" --backend cuda --durations yes
for tool in memcheck racecheck synccheck initcheck; do
  part "sanitizer_$tool" compute-sanitizer --tool $tool --error-exitcode 1 "$here/dsasrgs_tests" --backend cuda \
    "[parity]~[trajectory]"
done
part benchmarks "$here/dsasrgs_bench" --benchmark_filter="threads:0" --benchmark_out="$results/benchmarks.json" \
  --benchmark_out_format=json
part reconstruction "$here/dsasrgs" reconstruct "$here/case.h5" --output "$results/run" --device cuda --force \
  --config "$here/case.toml" --baselines
part reconstruction_again "$here/dsasrgs" reconstruct "$here/case.h5" --output "$results/again" --device cuda --force \
  --config "$here/case.toml"
part same_bits cmp "$results/run/model.h5" "$results/again/model.h5"
rm -rf "$results/again"
echo "$failed parts failed; see $results"
exit $failed

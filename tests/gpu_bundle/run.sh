#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [RESULTS_DIR]: on a machine with a GPU, from the bundle's folder, what can be learnt of it within BUDGET_SECONDS
# (480): the device and its limits, every test on it, one reconstruction twice (the same bits?), the training step, the
# operators, hardware counters, and memory and race checks as far as time is left. Leaves RESULTS_DIR/results.tar.gz (under
# 16 MB, also when it is stopped or parts fail), prints a line for each part, and exits with the number of failed parts.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/results}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
budget=${BUDGET_SECONDS:-480}
deadline=$((SECONDS + budget - budget / 48))  # the rest is for packing
work=$(mktemp -d) results=$work/results
mkdir "$results"
export OMP_WAIT_POLICY=passive
failed=0 child=

say() { echo "$*" | tee -a "$results/summary.txt"; }

pack() {
  trap - EXIT
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null
    say "STOPPED here"
    failed=$((failed + 1))
  fi
  say "$failed parts failed"
  # Too long outputs are cut rather than everything lost.
  for longest in 100M 4M 500K 50K; do
    find "$results" -type f -size "+$longest" -exec truncate -s "$longest" {} +
    tar -C "$work" -czf "$out/results.tar.gz.part" results && mv "$out/results.tar.gz.part" "$out/results.tar.gz"
    [ "$(stat -c %s "$out/results.tar.gz")" -gt 16000000 ] || break
  done
  rm -rf "$work"
  exit "$failed"
}
trap pack EXIT
trap exit INT TERM HUP

# part NAME SECONDS COMMAND…: its output in NAME.txt, one line here; returns its status, 124 for one that ran out of time.
part() {
  local name=$1 seconds=$2 left=$((deadline - SECONDS)) start=$SECONDS status
  shift 2
  [ "$seconds" -le "$left" ] || seconds=$left
  if [ "$seconds" -lt 3 ]; then
    say "left out  $name (no time left)"
    return 125
  fi
  timeout -k 5 "$seconds" "$@" >"$results/$name.txt" 2>&1 &
  child=$!  # waited for, so that a signal is heard at once
  wait "$child"
  status=$?
  child=
  case $status in
    0) say "ok        $name ($((SECONDS - start)) s)" ;;
    124 | 137) say "CUT OFF   $name (after $((SECONDS - start)) s)" ;;
    *)
      say "FAILED    $name (exit $status, $((SECONDS - start)) s)"
      tail -n 5 "$results/$name.txt"
      ;;
  esac
  return $status
}
# A part that must end well.
must() { part "$@" || { local status=$?; [ $status -eq 125 ] || failed=$((failed + 1)); return $status; }; }
# A part that says what it can within its time: being cut off is no failure, unless its output has the pattern.
may() {
  local pattern=$1 name=$2 status=0
  shift
  part "$@" || status=$?
  case $status in
    0 | 125) ;;
    124 | 137) ! grep -qE "$pattern" "$results/$name.txt" || { say "          with what matches $pattern"; failed=$((failed + 1)); } ;;
    *) failed=$((failed + 1)) ;;
  esac
}
tool() { PATH=$PATH:/usr/local/cuda/bin command -v "$1"; }

bench() {  # bench NAME SECONDS ARGUMENTS…
  local name=$1 seconds=$2
  shift 2
  must "$name" "$seconds" "$here/dsasrgs_bench" --benchmark_out="$results/$name.json" --benchmark_out_format=json "$@"
}
reconstruct() { "$here/dsasrgs" reconstruct "$here/case.h5" --device cuda --force --config "$here/case.toml" "$@"; }
export here
export -f reconstruct

must device 20 nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,power.limit,memory.total --format=csv
must program 20 "$here/dsasrgs" --version --verbose
bench limits 30 --benchmark_filter='^machine/threads:0'
must tests 150 "$here/dsasrgs_tests" --backend cuda --durations yes '~[real]~[.]'
must reconstruction 60 bash -c 'reconstruct --output "$0" --baselines' "$work/run"
must reconstruction_again 60 bash -c 'reconstruct --output "$0"' "$work/again"
must same_bits 10 cmp "$work/run/model.h5" "$work/again/model.h5"
cp "$work"/run/{metrics.json,log.csv} "$results/" 2>/dev/null
rm -rf "$work/run" "$work/again"
bench training_step 60 --benchmark_filter='^training_step/.*threads:0'
cut -c -110 "$results/limits.txt" "$results/training_step.txt"
# All but training_step; a pattern here cannot say "not".
bench operators 100 --benchmark_filter='^([a-su-z]|t[^r]).*threads:0' --benchmark_min_time=0.02
must clocks 10 nvidia-smi --query-gpu=clocks.sm,clocks.mem,temperature.gpu,power.draw,clocks_throttle_reasons.active --format=csv
if ncu=$(tool ncu); then
  # Two launches of each kernel of a training step; never beside a timing.
  may '==ERROR==' counters 60 "$ncu" --clock-control none --kernel-name-base function -k 'regex:.*' --launch-skip 200 --launch-count 120 \
    --metrics gpu__time_duration.sum,dram__bytes.sum,lts__t_sectors_op_red.sum,lts__t_sectors_op_read.sum,sm__throughput.avg.pct_of_peak_sustained_elapsed \
    --csv "$here/dsasrgs" reconstruct "$here/case.h5" --device cuda --force --output "$work/counted" --steps 8 --config "$here/case.toml" --set training.step_graph=false
else
  say "left out  counters (no ncu here)"
fi
if sanitizer=$(tool compute-sanitizer); then
  for check in memcheck racecheck; do
    may '========= (Invalid|Error|Race|Warning|.*hazard)' "$check" 60 "$sanitizer" --tool "$check" --error-exitcode 1 \
      "$here/dsasrgs_tests" --backend cuda '[parity]~[trajectory]'
  done
else
  say "left out  memcheck, racecheck (no compute-sanitizer here)"
fi

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: what run.sh of the bundle promises, with stand-ins for the binaries and the tools: order, deadline, an archive
# whatever happens, counted failures.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

# stand_in NAME LINES…: an executable in the bundle.
stand_in() {
  local name=$1
  shift
  printf '%s\n' '#!/usr/bin/env bash' "echo \"\$0 \$*\" >>$scratch/calls" "$@" >"$scratch/bundle/$name"
  chmod +x "$scratch/bundle/$name"
}
fresh() {
  rm -rf "$scratch"/*
  mkdir "$scratch/bundle"
  cp "$here/run.sh" "$scratch/bundle/"
  stand_in dsasrgs 'while [ $# -gt 0 ]; do [ "$1" = --output ] && mkdir -p "$2" && echo model >"$2/model.h5"; shift; done'
  stand_in dsasrgs_tests 'echo passed'
  stand_in dsasrgs_bench 'echo times'
  for tool in nvidia-smi ncu compute-sanitizer; do stand_in $tool 'echo here'; done
}
# run BUDGET: sets status, seconds; the archive's files are under results/.
run() {
  local start=$SECONDS
  PATH=$scratch/bundle:$PATH BUDGET_SECONDS=$1 bash "$scratch/bundle/run.sh" "$scratch/out" >"$scratch/said" 2>&1
  status=$?
  seconds=$((SECONDS - start))
  unpack
}
unpack() { tar -C "$scratch" -xzf "$scratch/out/results.tar.gz" || fail "no archive: $(cat "$scratch/said")"; }
expect_line() { grep -qE "$1" "$scratch/results/summary.txt" || fail "expected the line $1, found $(cat "$scratch/results/summary.txt")"; }

fresh
run 60
[ $status -eq 0 ] || fail "all parts end well: expected 0, found $status: $(cat "$scratch/said")"
order=$(awk '{ print $2 }' "$scratch/results/summary.txt" | tr '\n' ' ')
[ "$order" = "device program limits tests reconstruction reconstruction_again same_bits training_step operators clocks counters memcheck racecheck parts " ] ||
  fail "order of the parts: $order"
[ "$(ls "$scratch/out")" = results.tar.gz ] || fail "more than the archive is left: $(ls "$scratch/out")"

fresh
stand_in dsasrgs_tests 'sleep 1000'
run 5
[ $seconds -le 6 ] || fail "5 seconds were given, $seconds were taken"
[ $status -eq 1 ] || fail "tests that do not end: expected 1, found $status"
expect_line 'CUT OFF +tests'
expect_line 'left out +training_step'

fresh
stand_in dsasrgs 'while [ $# -gt 0 ]; do [ "$1" = --output ] && mkdir -p "$2" && date +%N >"$2/model.h5"; shift; done'
stand_in compute-sanitizer 'echo "========= Invalid __global__ read"; sleep 1000'
run 6
[ $status -eq 2 ] || fail "other bits and a memory error: expected 2, found $status: $(cat "$scratch/said")"
expect_line 'FAILED +same_bits'
expect_line 'with what matches'

fresh
stand_in dsasrgs_tests 'head -c 30000000 /dev/urandom'
stand_in dsasrgs_bench 'exit 3'
run 60
[ "$(stat -c %s "$scratch/out/results.tar.gz")" -le 16777216 ] || fail "the archive is larger than 16 MB"
[ $status -eq 3 ] || fail "three benchmarks fail: expected 3, found $status"

fresh
stand_in dsasrgs_tests "exec -a $scratch/long sleep 1000"
PATH=$scratch/bundle:$PATH bash "$scratch/bundle/run.sh" "$scratch/out" >"$scratch/said" 2>&1 &
for _ in $(seq 100); do grep -q dsasrgs_tests "$scratch/calls" 2>/dev/null && break; sleep 0.1; done
sleep 0.3
kill -TERM $!
wait $!
[ $? -ge 1 ] || fail "a stopped run must not end with 0"
unpack
expect_line STOPPED
sleep 0.3
! pgrep -f "$scratch/long" >/dev/null || fail "a part goes on after the run was stopped"
echo "the bundle's run.sh keeps its promises"

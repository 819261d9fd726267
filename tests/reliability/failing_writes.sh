#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every write of a run fails: failing_writes.sh PATH_OF_DSASRGS PATH_OF_FAILING_WRITES [STRIDE [FIRST]]
# FAILING_WRITES is the library made of failing_writes.cpp. A short training with checkpoints runs once for every STRIDE-th
# (1) call that writes, beginning with number FIRST (1), which fails alone and then together with all that follow, with
# ENOSPC and EIO by turns. After each: exit code 0 and everything whole, or one line that names a file; a checkpoint that was
# complete is still there; no temporary file; --resume, or the same command again where there was no checkpoint yet, ends
# with the bits of a run that was not disturbed. Then the same with --force over a finished run. Prints the counts.
set -u
[ $# -ge 2 ] && [ -x "$1" ] && [ -e "$2" ] || { echo "usage: $0 PATH_OF_DSASRGS PATH_OF_FAILING_WRITES [STRIDE [FIRST]]" >&2; exit 2; }
program=$(realpath "$1") library=$(realpath "$2")
stride=${3:-1} first=${4:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMP_WAIT_POLICY=passive DSASRGS_READ_DIRECTLY=1
# Where there is a limit on sizes of files, the program does not wait for room.
ulimit -f 1000000
failures=0
report() { echo "FAILED: $*" >&2; failures=$((failures + 1)); }

"$program" simulate --output case.h5 --views 12 --size 16 16 --pitch-mm 19.2 --grid-size 12 --grid-spacing-mm 13 \
  --train-views 6 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 1.5 --quiet || exit 1
settings=(--set gaussians.initial=100 --set field.grid3d.log2_entries=8 --set field.grid4d.log2_entries=8
  --set field.grid3d.levels=2 --set field.grid4d.levels=2 --set field.width=16 --set density_control.first_step=4
  --set density_control.every=4 --threads 1 --quiet)
run=(reconstruct case.h5 --steps 12 --checkpoint-every 4 --log-every 1 "${settings[@]}")
mkdir tmp
export TMPDIR=$work/tmp HOME=$work/tmp
# failing AT ON WITH OPTIONS...: the run with failing calls. Leaves `code`, `error` and report.txt.
failing() {
  local at=$1 on=$2 with=$3
  shift 3
  error=$(FAIL_AT=$at FAIL_ON=$on FAIL_WITH=$with FAIL_REPORT=$work/report.txt LD_PRELOAD=$library "$program" "$@" 2>&1 >out.txt)
  code=$?
}
failing 0 0 ENOSPC "${run[@]}" --output whole
[ $code -eq 0 ] || { echo "the undisturbed run: $error" >&2; exit 1; }
calls=$(head -n 1 report.txt)
[ "$calls" -gt 50 ] || report "only $calls calls were counted"
"$program" reconstruct case.h5 --steps 3 --seed 9 "${settings[@]}" --output earlier || exit 1
pictures=$(ls whole/views)

# same NAME FOLDER: a finished run with everything in it.
same() {
  local file
  cmp -s "$2/model.h5" whole/model.h5 || report "$1: another model"
  for file in config.toml metrics.json log.csv volume.nii.gz mip.png; do [ -s "$2/$file" ] || report "$1: no $file"; done
  cmp -s "$2/volume.nii.gz" whole/volume.nii.gz && cmp -s "$2/mip.png" whole/mip.png || report "$1: another volume"
  [ "$(ls "$2/views")" = "$pictures" ] || report "$1: other pictures"
  [ "$(cut -d, -f1 "$2/log.csv")" = "$(cut -d, -f1 whole/log.csv)" ] || report "$1: another log: $(cut -d, -f1 "$2/log.csv" | tr '\n' ' ')"
}
# judged NAME FOLDER: what every run has to leave.
judged() {
  [ $code -eq 0 ] || [ $code -eq 1 ] || report "$1: exit code $code: $error"
  [ -z "$(find . -name '*.tmp')" ] || report "$1: left $(find . -name '*.tmp')"
  [ $code -eq 0 ] && return
  [ "$(grep -vc '^warning: ' <<<"$error")" -eq 1 ] && grep -q "^dsasrgs: error: .*$2" <<<"$error" || report "$1: not one line that names a file: $error"
}

declare -A outcome=([done]=0 [resumed]=0 [again]=0)
sweep() {  # ON
  local at with kept
  for ((at = first; at <= calls; at += stride)); do
    with=$([ $((at / stride % 2)) -eq 0 ] && echo ENOSPC || echo EIO)
    failing $at "$1" $with "${run[@]}" --output r
    local name="call $at$([ "$1" -eq 1 ] && echo ' and all that follow') ($with)"
    judged "$name" r
    kept=$(find tmp -name '*checkpoint.h5')
    if [ $code -eq 0 ]; then
      outcome[done]=$((outcome[done] + 1))
      same "$name" r
    elif [ -e r/checkpoint.h5 ] || [ -n "$kept" ]; then
      outcome[resumed]=$((outcome[resumed] + 1))
      grep -q 'go on with: ' <<<"$error" || report "$name: does not say how to go on: $error"
      [ -n "$kept" ] && mkdir -p r && mv "$kept" r/checkpoint.h5
      "$program" reconstruct case.h5 --output r --resume --log-every 1 --threads 1 --quiet 2>err.txt || report "$name: $(cat err.txt)"
      same "$name, gone on" r
    else
      outcome[again]=$((outcome[again] + 1))
      grep -q 'r/checkpoint.h5$' report.txt && report "$name: a complete checkpoint is gone"
      "$program" "${run[@]}" --output r --force 2>err.txt || report "$name, again: $(cat err.txt)"
      same "$name, again" r
    fi
    rm -rf r tmp/*
  done
}
counts() { echo "$1: ${outcome[done]} made everything all the same, ${outcome[resumed]} went on from a checkpoint, ${outcome[again]} began anew"; outcome=([done]=0 [resumed]=0 [again]=0); }
sweep 0
counts "each of $calls calls, by itself"
sweep 1
counts "each of $calls calls and all that follow"

tries=0
cp -r earlier r
failing 0 0 ENOSPC "${run[@]}" --output r --force
calls=$(head -n 1 report.txt)
rm -r r
for ((at = first; at <= calls; at += stride)); do
  for on in 0 1; do
    cp -r earlier r
    failing $at $on ENOSPC "${run[@]}" --output r --force
    tries=$((tries + 1))
    name="--force, call $at$([ $on -eq 1 ] && echo ' and all that follow')"
    judged "$name" r
    if [ $code -eq 0 ]; then
      same "$name" r
    else
      for model in r/model.h5 r/new/model.h5 none; do
        cmp -s $model earlier/model.h5 || cmp -s $model whole/model.h5 && break
      done
      [ $model != none ] || report "$name: neither model is whole: $error"
    fi
    rm -rf r tmp/*
  done
done
echo "$tries calls during --force over a finished run: the earlier model or the new one was whole"

[ $failures -eq 0 ] && echo "failing writes: passed"
exit $((failures > 0))

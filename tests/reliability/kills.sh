#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a failing machine leaves of a run: kills.sh PATH_OF_DSASRGS [KILLS [SEED]]
# KILLS (50) times SIGKILL at a random moment of a short training that writes a checkpoint every other step, then SIGINT,
# SIGTERM and SIGHUP, --force over a finished run, and a limit on the sizes of files that is swept over those of the run.
# After each: a checkpoint that can be read (or none before the first), from which --resume ends with the bits of a run
# that was not disturbed; an earlier run that is whole; no temporary file. Prints the counts.
set -u
[ $# -ge 1 ] && [ -x "$1" ] || { echo "usage: $0 PATH_OF_DSASRGS [KILLS [SEED]]" >&2; exit 2; }
program=$(realpath "$1")
kills=${2:-50}
RANDOM=${3:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMP_WAIT_POLICY=passive
failures=0
report() { echo "FAILED: $*" >&2; failures=$((failures + 1)); }

"$program" simulate --output case.h5 --views 24 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 \
  --train-views 8 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --quiet || exit 1
settings=(--set gaussians.initial=400 --set field.grid3d.log2_entries=10 --set field.grid4d.log2_entries=10
  --set field.grid3d.levels=4 --set field.grid4d.levels=4 --set field.width=16 --set density_control.first_step=10
  --set density_control.every=10 --threads 1 --quiet)
run=(reconstruct case.h5 --steps 60 --checkpoint-every 2 --log-every 1 "${settings[@]}")
begin=$(date +%s%N)
"$program" "${run[@]}" --output whole || exit 1
duration=$((($(date +%s%N) - begin) / 1000000))  # ms
"$program" reconstruct case.h5 --steps 10 --seed 9 "${settings[@]}" --output earlier || exit 1

# stop SIGNAL OUTPUT OPTIONS...: a run, and the signal at a random moment. Leaves its exit code in `code`.
stop() {
  local signal=$1 output=$2 job
  shift 2
  "$program" "${run[@]}" --output "$output" "$@" >out.txt 2>err.txt &
  job=$!
  sleep "$(printf '0.%03d' $((RANDOM % (duration < 999 ? duration : 999))))"
  kill "-$signal" $job 2>/dev/null
  wait $job 2>/dev/null
  code=$?
}
# complete NAME FOLDER: the run there ends as it would have.
declare -A outcome=([resumed]=0 [finished]=0 [nothing]=0)
complete() {
  if [ -e "$2/metrics.json" ]; then
    outcome[finished]=$((outcome[finished] + 1))
  elif [ -e "$2/checkpoint.h5" ]; then
    outcome[resumed]=$((outcome[resumed] + 1))
    "$program" reconstruct case.h5 --output "$2" --resume --log-every 1 --threads 1 --quiet 2>err.txt || report "$1: $(cat err.txt)"
  else
    outcome[nothing]=$((outcome[nothing] + 1))
    "$program" "${run[@]}" --output "$2" --force 2>err.txt || report "$1: cannot begin anew: $(cat err.txt)"
  fi
  cmp -s "$2/model.h5" whole/model.h5 || report "$1: another model"
  [ "$(cut -d, -f1 "$2/log.csv")" = "$(cut -d, -f1 whole/log.csv)" ] || report "$1: another log: $(wc -l <"$2/log.csv") lines"
  [ -z "$(find "$2" -name '.*')" ] || report "$1: left $(find "$2" -name '.*')"
}
counts() { echo "$1: ${outcome[resumed]} resumed, ${outcome[finished]} were finished, ${outcome[nothing]} had no checkpoint yet"; outcome=([resumed]=0 [finished]=0 [nothing]=0); }

for ((k = 0; k < kills; k++)); do
  stop KILL killed
  [ $((RANDOM % 2)) -eq 0 ] && [ -e killed/checkpoint.h5 ] && [ ! -e killed/metrics.json ] && {  # again, while it goes on
    "$program" reconstruct case.h5 --output killed --resume --checkpoint-every 2 --log-every 1 --threads 1 --quiet >out.txt 2>err.txt &
    sleep "$(printf '0.%03d' $((RANDOM % (duration < 999 ? duration : 999))))"
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
  }
  complete "kill $k" killed
  rm -r killed
done
counts "$kills SIGKILL"

for signal in INT TERM HUP; do
  for ((k = 0; k < (kills + 4) / 5; k++)); do
    # Without job control a job in the background ignores SIGINT.
    set -m
    stop $signal stopped
    set +m
    # Before the program listens a signal ends it as any other.
    [ $code -eq 0 ] || [ $code -eq 1 ] || [ $code -gt 128 ] || report "SIG$signal: exit code $code"
    [ $code -ne 1 ] || grep 'go on with: ' err.txt >grep.txt || report "SIG$signal: $(cat err.txt)"
    [ $code -ne 1 ] || [ -e stopped/checkpoint.h5 ] || report "SIG$signal: no checkpoint"
    mkdir -p stopped
    complete "SIG$signal" stopped
    rm -r stopped
  done
done
counts "$((3 * ((kills + 4) / 5))) SIGINT, SIGTERM, SIGHUP"

# An earlier run is whole until the new one takes its place, file by file at the end.
for ((k = 0; k < (kills + 4) / 5; k++)); do
  cp -r earlier replaced
  stop KILL replaced --force
  for model in replaced/model.h5 replaced/new/model.h5 none; do
    cmp -s $model earlier/model.h5 || cmp -s $model whole/model.h5 && break
  done
  [ $model != none ] || report "--force: neither model is whole"
  rm -r replaced
done
echo "$(((kills + 4) / 5)) SIGKILL during --force: the earlier run or the new one was whole"

# A file-size limit at every size between nothing and the largest file.
largest=$(($(stat -c '%s' whole/* 2>/dev/null | sort -n | tail -n 1) / 1024 + 2))
tries=0 refused=0
step=$((largest / kills + 1))
for ((limit = 0; limit <= largest; limit += step)); do
  tries=$((tries + 1))
  error=$( (ulimit -f $limit; exec "$program" "${run[@]}" --output limited) 2>&1)
  code=$?
  [ $code -eq 0 ] || [ $code -eq 1 ] || report "limit of $limit kB: exit code $code: $error"
  [ $code -eq 0 ] || refused=$((refused + 1))
  [ -z "$(find . -name '*.tmp')" ] || report "limit of $limit kB: left $(find . -name '*.tmp')"
  [ $code -eq 0 ] || grep 'error: .*File too large' <<<"$error" >grep.txt || report "limit of $limit kB: $error"
  if [ -e limited/model.h5 ]; then cmp -s limited/model.h5 whole/model.h5 || report "limit of $limit kB: another model"; fi
  mkdir -p limited
  if [ $code -ne 0 ]; then complete "limit of $limit kB" limited; fi
  rm -rf limited
done
counts "$tries file-size limits, $refused of which ended the run"

# The same on a disk of every size, where a small one can be had.
mkdir disk
tries=0 refused=0
for ((size = 40; size <= 4 * largest; size += 4 * step)); do
  mount -t tmpfs -o size=${size}k tmpfs disk 2>/dev/null || break
  tries=$((tries + 1))
  mkdir elsewhere
  TMPDIR=$PWD/elsewhere "$program" "${run[@]}" --output disk/r >out.txt 2>err.txt
  code=$?
  [ $code -eq 0 ] || [ $code -eq 1 ] || report "disk of $size kB: exit code $code: $(cat err.txt)"
  [ -z "$(find . -name '*.tmp')" ] || report "disk of $size kB: left $(find . -name '*.tmp')"
  if [ $code -ne 0 ]; then
    refused=$((refused + 1))
    mount -o remount,size=64m disk
    [ -e "$(echo elsewhere/*)" ] && mkdir -p disk/r && mv elsewhere/* disk/r/checkpoint.h5
    mkdir -p disk/r
    complete "disk of $size kB" disk/r
  fi
  umount disk
  rm -r elsewhere
done
[ $tries -eq 0 ] || counts "$tries full disks, $refused of which ended the run"

[ $failures -eq 0 ] && echo "kills: passed"
exit $((failures > 0))

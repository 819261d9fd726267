#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reconstructs one case, or goes on with it from its last checkpoint, and prints one line of status, which it leaves in
# RESULTS/NAME.status, too; what the program says goes to RESULTS/NAME.log. Nothing is done for a case that is finished, or that
# another process has. Called by parallel.sh and slurm.sh, whose begin.sh leaves configuration and command in RESULTS.
# usage: one_case.sh RESULTS CASE.h5
set -uo pipefail
results=$1 case=$2
name=$(basename "$case")
name=${name%.[hH]5}
run=$results/$name log=$results/$name.log
mapfile -t command <"$results/command"
options=(--quiet "${command[@]:1}")
[[ " ${options[*]} " == *" --checkpoint-every "* ]] || options+=(--checkpoint-every 500)

status() {  # STATE TEXT: replaced in one go, since a summary may be made meanwhile
  echo "$1 ($2)" >"$results/.$name.status" && mv "$results/.$name.status" "$results/$name.status"
  [ "$1" = running ] || echo "$name: $1 ($2)"
}
exec 9>>"$results/.$name.lock"
flock --nonblock 9 || { echo "$name: left alone (another process has it)"; exit 0; }
[ ! -e "$run/metrics.json" ] || { echo "$name: finished (earlier)"; exit 0; }

if [ -e "$run/checkpoint.h5" ]; then
  begin=(--resume)
else  # what a run left that was killed before its first checkpoint
  [ ! -d "$run" ] || rm -rf -- "$run"
  begin=(--config "$results/config.toml")
fi
status running "on $(hostname), since $(date '+%F %T')"
# A batch system may tell this shell alone to stop, or the program, too, which ends at once when the same signal comes twice.
child=""
pass_on() { [ -z "$child" ] || kill "-$1" "$child" 2>/dev/null; trap '' INT TERM HUP; }
trap 'pass_on TERM' INT
trap 'pass_on INT' TERM HUP
(  # which has the lock, too, for as long as it lives
  trap - INT TERM HUP
  exec "${command[0]}" reconstruct "$case" --output "$run" "${begin[@]}" "${options[@]}"
) >>"$log" 2>&1 &
child=$!
wait $child
code=$?
while kill -0 $child 2>/dev/null; do  # a signal ends the wait before the program has saved what it has
  wait $child
  code=$?
done

if [ -e "$run/metrics.json" ]; then
  status finished "$(jq -r '"PSNR \(.low_resolution.mean.fixed.psnr_db | if . then . * 100 | round / 100 else "unknown" end) dB, \(.run.gaussians) Gaussians, \(.run.seconds.training | round) s"' "$run/metrics.json")"
elif [ -e "$run/checkpoint.h5" ]; then
  status unfinished "exit code $code, the same command goes on from its checkpoint; $(tail -n 1 "$log")"
  exit 1
else
  status failed "exit code $code; $(tail -n 1 "$log")"
  exit 1
fi

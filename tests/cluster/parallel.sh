#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/cluster/parallel.sh, with GNU parallel where it is installed and with xargs: three small cases, of which one is
# damaged and one is killed, then interrupted, and gone on with. Exit code 77 without jq.
# usage: parallel.sh SOURCE_DIR PATH_OF_DSASRGS
set -u
command -v jq >/dev/null || { echo "skipped: no jq (Debian: jq)"; exit 77; }
cluster=$(realpath "$1/examples/cluster") DSASRGS=$(realpath "$2")
. "$(dirname "${BASH_SOURCE[0]}")/cases.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
make_cases 2 500
head -c 3000 "cases/case 1.h5" >"cases/dam|aged.h5"
# One at a time, in the order of their names.
many_cases() { bash "$cluster/parallel.sh" cases results small.toml --threads 1 --checkpoint-every 10 >out.txt 2>err.txt; }
finished() {  # NAME
  says out.txt "^$1: finished \(PSNR [0-9.]+ dB, [0-9]+ Gaussians, [0-9]+ s\)$"
}

runs() { pgrep -f -- "dsasrgs reconstruct $work/cases/case 1"; }

# Killed with its shell, as by a machine that fails.
set -m  # so that each has a process group
many_cases &
group=$!
wait_for 60 test -e "results/case 1/checkpoint.h5"
kill -KILL -- -$group $(runs)
wait $group 2>/dev/null
wait_for 60 flock --nonblock "results/.case 1.lock" true  # killed processes take a moment to end
says "results/case 1.status" '^running \(on '
bash "$cluster/summary.sh" results >out.txt
says out.txt '^\| case 1 \| killed \|'
says results/summary.csv '^"case 1","killed",,,,,,,,,,"on .*, since '
# Interrupted, as by Ctrl-C: what was done by then is kept.
has_gone_on() { ! cmp -s before.h5 "results/case 1/checkpoint.h5"; }
cp "results/case 1/checkpoint.h5" before.h5
many_cases &
group=$!
wait_for 60 has_gone_on
kill -INT -- -$group
wait $group
says "results/case 1.status" '^unfinished \(exit code 1, the same command goes on'
says results/summary.md '^\| case 1 \| unfinished \|'
# Two at once: the second leaves alone what the first has, which a signal for its shell alone stops, too.
cp "results/case 1/checkpoint.h5" before.h5
many_cases &
first=$!
wait_for 60 has_gone_on
bash "$cluster/one_case.sh" "$work/results" "$work/cases/case 1.h5" >second.txt
says second.txt '^case 1: left alone \(another process has it\)$'
kill -TERM $(pgrep -f -- "bash .*/one_case.sh .*/case 1.h5")
wait $first
set +m
says out.txt '^case 1: unfinished \(exit code 1, '
finished "case 2"

many_cases && report "exit code 0 with a damaged case"
finished "case 1"
says out.txt '^dam\|aged: failed \(exit code 2; dsasrgs: error: .*damage'
says out.txt '^3 cases, 1 of them finished earlier$'
says results/summary.md '^\| case 1 \| finished \| 8 \| 500 \| '
says results/summary.md '^\| dam\\\|aged \| failed \|  \|'
says results/summary.md '^\| mean \| 2 of 3 finished \|'
says results/summary.csv '^"dam\|aged","failed",,,,,,,,,,"exit code 2; dsasrgs: error: '
[ "$(jq .run.resumed_from_step "results/case 1/metrics.json")" -gt 0 ] || report "case 1 began anew"
same_as_whole "case 1"
same_as_whole "case 2"

# With xargs, nothing but the damaged case is left to do; put right, it is the last.
cp "cases/case 2.h5" "cases/dam|aged.h5"
mkdir bin
for tool in bash basename cat cmp cp date dirname flock head hostname jq mkdir mktemp mv realpath rm sleep tail tr wc xargs; do
  ln -s "$(command -v $tool)" bin
done
PATH=$work/bin many_cases || report "not finished with xargs: $(cat out.txt err.txt)"
says out.txt '^3 cases, 2 of them finished earlier$'
finished 'dam\|aged'
[ "$(grep -c '^case' out.txt)" -eq 0 ] || report "finished cases were looked at again"
says results/summary.md '^\| mean \| 3 of 3 finished \|'
cmp "results/dam|aged/model.h5" "results/case 2/model.h5" || report "the same data gave another model"
[ "$(ls -A results | grep -cvE '^(\.?(case [12]|dam\|aged)(\.(lock|log|status))?|command|config\.toml|summary\.(csv|md))$')" -eq 0 ] ||
  report "left more: $(ls -A results)"

# What cannot be.
refused() {  # PATTERN ARGUMENTS...
  local pattern=$1
  shift
  bash "$cluster/parallel.sh" "$@" >out.txt 2>err.txt
  [ $? -eq 2 ] || report "$*: expected exit code 2"
  says err.txt "$pattern"
}
refused '^usage: ' cases results
refused 'expected a folder of acquisitions, found none: nowhere' nowhere results small.toml
refused 'expected acquisitions \(\*.h5\), found none' whole results small.toml
refused 'expected another folder for the results' cases cases small.toml
mkdir -p reserved && cp "$(ls -d cases/*.h5 | head -n 1)" reserved/command.h5
refused "expected names that are not those of the results' own files" reserved new_results small.toml
mkdir twins && cp "$(ls -d cases/*.h5 | head -n 1)" twins/a.h5 && cp twins/a.h5 twins/a.H5
refused 'expected another name for each case, found a.h5 and a.H5 in' twins new_results small.toml
echo 'training.steps = 9' >other.toml
refused 'expected the configuration that the results were begun with' cases results other.toml
refused 'expected a folder for the results, found a file: small.toml' cases small.toml other.toml
refused 'expected options of dsasrgs reconstruct behind the configuration, found: more' cases results small.toml more words

# A mistake in the first configuration is put right.
mkdir one
cp "cases/case 1.h5" "one/case 1.H5"  # a suffix in capitals is one, too
echo 'training.stepz = 9' >wrong.toml
bash "$cluster/parallel.sh" one put_right wrong.toml >out.txt 2>err.txt && report "a configuration with a mistake"
says out.txt '^case 1: failed '
echo 'preset = "4drgs"
training.steps = 2' >right.toml
bash "$cluster/parallel.sh" one put_right right.toml --threads 1 >out.txt 2>err.txt || report "put right: $(cat out.txt err.txt)"
finished "case 1"

# SLURM refuses: nothing stays behind.
printf '#!/bin/sh\nexit 1\n' >bin/sbatch
chmod +x bin/sbatch
PATH=$work/bin:$PATH bash "$cluster/slurm.sh" one refused small.toml >out.txt 2>err.txt && report "exit code 0 where sbatch refuses"
[ -z "$(find refused -name 'cases.*')" ] || report "a list of cases stays where sbatch refuses"
DSASRGS=nowhere refused 'expected the program dsasrgs' cases results small.toml
[ $failures -eq 0 ]

# SPDX-License-Identifier: Apache-2.0
# Part of program_test.sh, which sources it: nothing is lost when machine or user interfere. Uses its functions, case.h5 and
# run/. tests/reliability/kills.sh does the same many times.

# ---- a folder belongs to one run -------------------------------------------------------------------------------------------
# Under nohup, where these tests may run, SIGHUP is ignored and stays so.
env --default-signal=HUP "$program" reconstruct case.h5 --output busy --steps 100000 --checkpoint-every 20 "${small[@]}" --quiet --threads 1 >out.txt 2>hup.txt &
job=$!
for ((i = 0; i < 3000; i++)); do [ -e busy/checkpoint.h5 ] && break; sleep 0.01; done
for start in "" --resume --force; do
  expect 2 "a run in use $start" reconstruct case.h5 --output busy $start
  says "a run in use $start" "--output: expected one that nobody else is making, found busy in use by .*, process $job, since 20[0-9-]+T[0-9:]+Z\$"
done
kill -HUP $job  # the terminal is gone
wait $job
[ $? -eq 1 ] || report "SIGHUP: expected exit code 1"
says "SIGHUP" '^dsasrgs: error: interrupted after step [0-9]+; go on with: ' hup.txt
absent busy/.lock
[ "$("$program" reconstruct case.h5 --output busy --resume --steps 7 2>&1 | grep -c -- '--steps: expected more than the [0-9]* steps done, found 7$')" = 1 ] ||
  report "fewer steps than done: not refused"
touch busy/.model.h5.999999999-0.tmp busy/.volume.nii.gz.1-0.tmp busy/.notes.999999999-0.tmp
# Two at once: one makes the run, the other is refused.
for k in 1 2; do
  ("$program" reconstruct case.h5 --output race --steps 20 --seed $k "${small[@]}" --quiet --threads 1 >/dev/null 2>race$k.txt; echo $? >race$k.code) &
  jobs[k]=$!
done
wait "${jobs[1]}" "${jobs[2]}"
[ "$(sort race1.code race2.code | tr '\n' ' ')" = "0 2 " ] || report "two at once: $(cat race?.code race?.txt)"

# ---- trained further ---------------------------------------------------------------------------------------------------------
# The steps up to there are those of the shorter run, the rates behind it those of the longer one: whether it is stopped there
# once more makes no difference.
expect 0 "a short run" reconstruct case.h5 --output further --steps 20 --quiet "${small[@]}"
expect 2 "resume a finished run" reconstruct case.h5 --output further --resume
says "resume a finished run" 'found a finished run in further \(--steps N with more than 20 trains it further\)'
expect 2 "no more steps" reconstruct case.h5 --output further --resume --steps 20
says "no more steps" '--steps: expected more than the 20 steps done, found 20'
cp -r further again_further
size=$(($(stat -c %s further/model.h5) / 1024))  # kB
expect 0 "train it further" reconstruct case.h5 --output further --resume --steps 50 --quiet
grep -q '^steps = 50$' further/config.toml || report "train it further: config.toml does not say so"
[ "$(number further/metrics.json steps)" = 50 ] || report "train it further: metrics.json does not say so"
[ "$(cut -d, -f1 further/log.csv | tail -n 1)" = 50 ] || report "train it further: $(tail -n 1 further/log.csv)"
expect 0 "evaluate it" evaluate further/model.h5 --case case.h5 --quiet
"$program" reconstruct case.h5 --output again_further --resume --steps 50 --quiet --checkpoint-every 1 >out.txt 2>err.txt &
job=$!
for ((i = 0; i < 3000; i++)); do grep -qs '^2[1-9],' again_further/log.csv && break; sleep 0.005; done
kill -KILL $job 2>/dev/null
{ wait $job; } 2>/dev/null
[ "$(number again_further/metrics.json steps)" = 50 ] ||
  expect 0 "go on with it" reconstruct case.h5 --output again_further --resume --steps 50 --quiet
cmp -s further/model.h5 again_further/model.h5 || report "train it further: stopped in between, it ends with another model"
absent again_further/.lock
# Killed between its last checkpoint and its results, it makes them.
cp -r further unreported
sed -i 's/"steps": 50/"steps": 20/' unreported/metrics.json
expect 0 "results that were not made" reconstruct case.h5 --output unreported --resume --steps 50 --quiet
[ "$(number unreported/metrics.json steps)" = 50 ] || report "results that were not made: still not"
# Killed before its first checkpoint, it goes on to the steps that config.toml says.
cp -r further begun
"$program" reconstruct case.h5 --output begun --resume --steps 400000 --quiet >out.txt 2>err.txt &
job=$!
for ((i = 0; i < 3000; i++)); do grep -qs '^steps = 400000$' begun/config.toml && break; sleep 0.005; done
kill -KILL $job 2>/dev/null
{ wait $job; } 2>/dev/null
expect 0 "inspect what was begun" inspect begun/checkpoint.h5
says "inspect what was begun" '^steps *400000$' out.txt
# A pipe among its files would be waited for.
rm begun/log.csv && mkfifo begun/log.csv
for start in --resume --force; do
  expect 2 "a pipe in the folder $start" reconstruct case.h5 --output begun $start
  says "a pipe in the folder $start" '--output: expected a folder whose log.csv is a file, found a folder, device, pipe or socket: begun/log.csv$'
done
rm -r begun  # a kill may leave a temporary file, which goes when the run goes on

# ---- no room --------------------------------------------------------------------------------------------------------------
# A limit on sizes of files is a full disk for those that are larger: checkpoints fail and are warned of, the training goes
# on; what was trained is kept where there is room (none here), the error says what is.
limited() { (ulimit -f "$1"; shift; exec "$program" "$@") >out.txt 2>err.txt; }
limited $((size + 2)) reconstruct case.h5 --output limited --steps 20 --checkpoint-every 5 --quiet "${small[@]}" --threads 1
code=$?
[ "$(grep -c '^warning: limited/checkpoint.h5: cannot write: File too large; the training goes on' err.txt)" = 1 ] ||
  report "no room for checkpoints: $(cat err.txt)"
there limited/model.h5
[ $code -ne 0 ] || there limited/metrics.json
[ $code -ne 0 ] || absent limited/checkpoint.h5
limited $((size / 2)) reconstruct case.h5 --output nothing --steps 20 --quiet "${small[@]}" --threads 1
[ $? -eq 1 ] || report "no room for the model: expected exit code 1"
says "no room for the model" 'nothing/model.h5: cannot write: File too large; no place was found for a checkpoint'
# A full disk, where a small one can be had: the training is kept elsewhere, and the command in the message goes on.
mkdir -p disk
if mount -t tmpfs -o size=$((size + 100))k tmpfs disk 2>/dev/null; then
  dd if=/dev/zero of=disk/fill bs=1k count=$((size / 2 + 50)) status=none
  mkdir elsewhere
  TMPDIR=$PWD/elsewhere "$program" reconstruct case.h5 --output disk/r --steps 20 --quiet "${small[@]}" >out.txt 2>err.txt
  [ $? -eq 1 ] || report "full disk: expected exit code 1"
  says "full disk" 'disk/r/model.h5: cannot write: No space left on device; the training is kept in .*/elsewhere/dsasrgs-.*checkpoint.h5; once there is room, go on with: mv '
  mount -o remount,size=64m disk
  command=$(sed 's/.*go on with: //' err.txt)
  eval "$command" >out.txt 2>err.txt || report "full disk: the command fails: $command: $(cat err.txt)"
  there disk/r/metrics.json
  expect 0 "the same without" reconstruct case.h5 --output roomy --steps 20 --quiet "${small[@]}"
  cmp -s disk/r/model.h5 roomy/model.h5 || report "full disk: another model than with room"
  umount disk
fi

# ---- numbers that are not finite ---------------------------------------------------------------------------------------------
# Step, view, stage and last checkpoint; what was written until then stays.
for rate in position=project.forward field=field.forward; do
  rm -rf diverging
  expect 1 "diverging: $rate" reconstruct case.h5 --output diverging --steps 30 --checkpoint-every 1 --quiet "${small[@]}" \
    --set "learning_rate.${rate%=*}=[1e30,1e30]"
  says "diverging: $rate" "the (loss|gradient) is not finite at step 2, view [0-9]+ of case.h5, from the stage \"${rate#*=}\" on; .*; the last checkpoint, of step 1, is diverging/checkpoint.h5\$"
  there diverging/checkpoint.h5 diverging/log.csv
done
rm -r diverging
expect 1 "diverging at once" reconstruct case.h5 --output diverging --steps 30 --checkpoint-every 1 --quiet "${small[@]}" \
  --set "learning_rate.field=[1e38,1e38]"
says "diverging at once" 'a parameter is not finite after step 1, view [0-9]+ of case.h5, from the stage "adam" on \(.*no checkpoint was kept$'
absent diverging/checkpoint.h5

# ---- killed ---------------------------------------------------------------------------------------------------------------
bash "$here/../reliability/kills.sh" "$program" 5 >kills.txt 2>&1 || report "kills.sh: $(cat kills.txt)"
expect 0 "temporaries of the dead" reconstruct case.h5 --output busy --force --steps 5 --quiet "${small[@]}"
absent busy/.model.h5.999999999-0.tmp
[ -e busy/.notes.999999999-0.tmp ] || report "a file that is no run's was removed"
[ -e busy/.volume.nii.gz.1-0.tmp ] || report "a file of a living process was removed"
rm busy/.notes.999999999-0.tmp busy/.volume.nii.gz.1-0.tmp

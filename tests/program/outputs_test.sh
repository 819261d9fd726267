# SPDX-License-Identifier: Apache-2.0
# Part of program_test.sh, which sources it: what happens to files that were there before, and to a run that is stopped.
# Uses its functions, case.h5, raw.h5, run/ and the labels.

# ---- an output is never an input ------------------------------------------------------------------------------------------
# untouched NAME FILE ARGUMENTS...: the program refuses to write over FILE, an input, and leaves it as it is.
untouched() {
  local name=$1 file=$2 before
  shift 2
  before=$(cksum <"$file")
  expect 2 "$name" "$@"
  says "$name" "expected another file than the input .*, found "
  [ "$(cksum <"$file")" = "$before" ] || report "$name: $file was changed"
}
cp case.h5 mine.h5
cp run/model.h5 mine_model.h5
ln -s mine.h5 link.h5
mkdir below
untouched "labels over the case" mine.h5 labels mine.h5 --method bicubic --scale 2 --output mine.h5
untouched "labels over the case, spelled otherwise" mine.h5 labels mine.h5 --method bicubic --scale 2 \
  --output below/../mine.h5
untouched "labels over a link to the case" mine.h5 labels mine.h5 --method bicubic --scale 2 --output link.h5
untouched "labels over the case behind a link" mine.h5 labels link.h5 --method bicubic --scale 2 --output ./mine.h5
untouched "render over the model" mine_model.h5 render mine_model.h5 --case mine.h5 --output mine_model.h5
untouched "render over the case" mine.h5 render mine_model.h5 --case mine.h5 --output mine.h5
untouched "evaluate over the case" mine.h5 evaluate mine_model.h5 --case mine.h5 --json mine.h5
says "evaluate over the case" '^dsasrgs: error: --json: '
untouched "evaluate over the model" mine_model.h5 evaluate mine_model.h5 --case mine.h5 --json mine_model.h5
cp mine_model.h5 mine_model.nii
untouched "voxelize over the model" mine_model.nii voxelize mine_model.nii --output mine_model.nii
expect 0 "a PLY to be read" export gaussians mine_model.h5 mine.ply --quiet
cp mine_model.h5 mine_model.stl && cp mine_model.h5 mine_model.ply && cp mine.h5 mine.xml
untouched "export surface over the model" mine_model.stl export surface mine_model.stl mine_model.stl
untouched "export gaussians over the model" mine_model.ply export gaussians mine_model.ply mine_model.ply
untouched "export geometry over the case" mine.xml export geometry mine.xml mine.xml
untouched "import gaussians over the PLY" mine.ply import gaussians mine.ply mine.ply --force
expect 2 "import gaussians over a case" import gaussians mine.ply mine.h5 --force
cmp -s mine.h5 case.h5 || report "import gaussians over a case: it was changed"
says "import gaussians over a case" 'output: expected a new file, or with --force one of the format dsasrgs.model, found dsasrgs.acquisition: mine.h5$'
expect 2 "import gaussians over a model" import gaussians mine.ply mine_model.h5
says "import gaussians over a model" 'output: expected a new file \(or --force\), found one that is there: mine_model.h5'
# RTK's files of a case with an oblique axis and a shifted detector give the same case again, but for the order of rows. (A build without pugixml reads none.)
expect 0 "an oblique case" simulate --output oblique.h5 --secondary-rad 0.2 --offset-u-mm 3 --quiet "${case_options[@]}"
expect 0 "its files for RTK" export geometry oblique.h5 oblique.xml --projections oblique.mha --quiet
if "$program" import rtk oblique.xml oblique.mha back.h5 --quiet 2>err.txt; then
  for f in oblique back; do  # places to a millionth of a mm
    "$program" inspect $f.h5 --json 2>err.txt |
      jq -c '[.first_source_mm, .last_source_mm, .detector.size_px, .detector.pixel_pitch_mm] | flatten | map((. * 1e6 | round) + 0)' >$f.txt
  done
  there oblique.txt
  cmp -s oblique.txt back.txt || report "RTK and back: found $(cat back.txt), expected $(cat oblique.txt)"
  # RTK's detector is right-handed: its 32 rows, of 32 pixels, run the other way.
  for f in oblique back; do h5dump -d /projections -y -o $f.dump $f.h5 >out.txt && tr -s ', \n' '\n' <$f.dump | grep . >$f.values; done
  awk 'NR == FNR { there[n++] = $1; next }
    { view = int(m / 1024); row = int(m % 1024 / 32); if ($1 != there[view * 1024 + (31 - row) * 32 + m++ % 32]) ++others }
    END { exit n == 0 || n != m || others > 0 }' oblique.values back.values || report "RTK and back: other projections"
else
  says "RTK and back" 'expected a build with pugixml'
fi
untouched "simulate over the vessels" tree.swc simulate --vessels tree.swc --output tree.swc "${sweep_options[@]}"
cp -r run tidied && cp case.h5 tidied/model.h5
untouched "reconstruct over the case" tidied/model.h5 reconstruct tidied/model.h5 --output tidied --steps 5 --force
expect 0 "labels over other labels" labels case.h5 --method bicubic --scale 2 --output labels_bicubic.h5 --quiet

# ---- a folder of one's own ------------------------------------------------------------------------------------------------
# A file of a run's names that no run left there is neither replaced nor removed.
for name in config.toml log.csv mip.png model.h5 volume.nii.gz views metrics.json checkpoint.h5; do
  mkdir -p own_files
  [ $name = views ] && mkdir own_files/views
  echo mine >own_files/$([ $name = views ] && echo views/view_0001.png || echo $name)
  expect 2 "folder with $name" reconstruct case.h5 --output own_files --steps 5 "${small[@]}"
  says "folder with $name" "--output: expected a new or empty folder.*found $name, which no run left there, in own_files"
  expect 2 "--force in a folder with $name" reconstruct case.h5 --output own_files --steps 5 --force "${small[@]}"
  [ "$(cat $(find own_files -type f))" = mine ] || report "folder with $name: it was changed"
  rm -r own_files
done
mkdir own_files && echo mine >own_files/notes.txt
expect 0 "folder with notes" reconstruct case.h5 --output own_files --steps 5 --quiet "${small[@]}"
there own_files/notes.txt own_files/metrics.json

# ---- a training that comes to nothing ------------------------------------------------------------------------------
dying=(--steps 60 --set field.output=relu --set 'learning_rate.field=[0.3,0.3]' --set density_control.last_step=0)
expect 1 "a field that dies" reconstruct case.h5 --output died "${small[@]}" "${dying[@]}" --log-every 1 --quiet
says "a field that dies" 'training: the model renders nothing: at step [0-9]+, view [0-9]+ of case.h5, .* field.output = softplus'
there died/config.toml died/log.csv
absent died/metrics.json
absent died/model.h5
[ "$(wc -l <died/log.csv)" -gt 10 ] || report "a field that dies: $(wc -l <died/log.csv) lines in log.csv"
expect 2 "a run over a failed one" reconstruct case.h5 --output died --steps 5 "${small[@]}"
expect 0 "--force over a failed run" reconstruct case.h5 --output died --steps 5 --force --quiet "${small[@]}"
there died/metrics.json died/model.h5
absent died/new

# ---- stopping and going on ---------------------------------------------------------------------------------------
# stopped CONFIG STEPS OPTIONS...: starts a run, sends SIGTERM as soon as it trains (CONFIG is there).
stopped() {
  local config=$1 steps=$2 i
  shift 2
  "$program" reconstruct case.h5 --steps "$steps" "${small[@]}" --quiet "$@" >out.txt 2>err.txt &
  local job=$!
  for ((i = 0; i < 3000; i++)); do
    [ -e "$config" ] && break
    sleep 0.02
  done
  kill -TERM $job 2>/dev/null
  wait $job
  local code=$?
  [ $code -eq 1 ] || report "interrupted run: exit code $code, expected 1: $(cat err.txt)"
  says "interrupted run" '^dsasrgs: error: interrupted after step [0-9]+; go on with: .* reconstruct case.h5 --resume '
}
# go_on NAME: carries out the command that the last error names.
go_on() {
  local command
  command=$(sed 's/.*go on with: //' err.txt)
  eval "$command" >out.txt 2>err.txt || report "$1: failed: $command: $(cat err.txt)"
}
stopped kept/config.toml 300 --output kept
there kept/checkpoint.h5 kept/config.toml kept/log.csv
absent kept/metrics.json
expect 0 "inspect a checkpoint" inspect kept/checkpoint.h5
says "inspect a checkpoint" '^steps_done *[1-9][0-9]*$' out.txt
says "inspect a checkpoint" '^steps *300$' out.txt
expect 2 "fresh start over a checkpoint" reconstruct case.h5 --output kept --steps 10
says "fresh start over a checkpoint" 'resume'
expect 2 "resume with settings" reconstruct case.h5 --output kept --resume --seed 10
# A run that is stopped and gone on with ends with the bits of one that was not.
cp -r kept resumed
expect 0 "resume" reconstruct case.h5 --output resumed --resume --quiet
there resumed/metrics.json resumed/model.h5
expect 0 "run with checkpoints" reconstruct case.h5 --output whole --steps 300 --checkpoint-every 120 --quiet "${small[@]}"
cmp -s <(tail -n 1 resumed/log.csv | cut -d, -f1-13) <(tail -n 1 whole/log.csv | cut -d, -f1-13) ||
  report "resume: another last step than the run without a stop: $(tail -n 1 resumed/log.csv) - $(tail -n 1 whole/log.csv)"
cmp -s resumed/model.h5 whole/model.h5 || report "resume: another model than the run without a stop"
[ "$(cut -d, -f1 resumed/log.csv | sort -n | uniq -d)" = "" ] || report "resume: log.csv has a step twice"
mkdir part && cp kept/checkpoint.h5 part/ && truncate -s -100 part/checkpoint.h5
expect 2 "truncated checkpoint" reconstruct case.h5 --output part --resume
cmp -s -n 1000 kept/checkpoint.h5 part/checkpoint.h5 || report "truncated checkpoint: the file was changed"
# The command to go on repeats every option that a resumed run takes.
expect 0 "labels for it" labels case.h5 --method bicubic --scale 2 --views all --output smooth.h5 --quiet
stopped "a run/config.toml" 80 --output "a run" --preset dsa-srgs --set super_resolution.scale=2 --labels smooth.h5 \
  --train-views 12 --hold-out 0,10 --log-every 20 --checkpoint-every 30 --threads 2 --baselines
go_on "resume with options"
there "a run/metrics.json"
[ "$(number "a run/metrics.json" count)" = 2 ] || report "resume with options: expected 2 scored views"
grep -q '"interpolation"' "a run/metrics.json" || report "resume with options: no baselines"
grep -q '^30,' "a run/log.csv" || report "resume with options: no checkpoint at step 30"
# Steps 10, 50 and 70 are those of the default; the step it was stopped after is written too.
[ "$(cut -d, -f1 "a run/log.csv" | awk 'NR > 1 && $1 % 20 && $1 % 30' | wc -l)" -le 1 ] ||
  report "resume with options: --log-every is another"
# A checkpoint that is older than the interruption gives way to a new one.
cp -r kept older
"$program" reconstruct case.h5 --output older --resume --quiet >out.txt 2>err.txt &
job=$!
before=$(cksum <older/checkpoint.h5)
cp older/config.toml older_config.toml && rm older/config.toml
for ((i = 0; i < 3000; i++)); do
  [ -e older/config.toml ] && break
  sleep 0.02
done
kill -TERM $job
wait $job
[ $? -eq 1 ] || report "interrupted again: expected exit code 1"
[ "$(cksum <older/checkpoint.h5)" != "$before" ] || report "interrupted again: the steps since the checkpoint are lost"
# Stopped while the finished model is scored, a run needs no training to go on (a quick machine may be done before).
"$program" reconstruct case.h5 --output scored --steps 30 --quiet "${small[@]}" --baselines --threads 1 >out.txt 2>err.txt &
job=$!
while [ ! -e scored/model.h5 ] && kill -0 $job 2>/dev/null; do :; done
kill -TERM $job 2>/dev/null
if ! wait $job; then
  says "interrupted scoring" 'interrupted after step 30; go on with: '
  go_on "resume the scoring"
fi
there scored/metrics.json scored/model.h5

# ---- what the user named is not there: exit 2 -----------------------------------------------------------------------------
expect 2 "no case file" reconstruct none.h5 --output new
says "no case file" 'case: expected a file, found none: none.h5'
expect 2 "no model file" render none.h5 --time 1 --output new
expect 2 "no SWC file" simulate --vessels none.swc --output new.h5
expect 2 "no folder" simulate --output nowhere/new.h5 "${case_options[@]}"
says "no folder" 'nowhere/new.h5'
expect 2 "no folder for JSON" evaluate run/model.h5 --case case.h5 --json nowhere/new.json
mkdir folder.nii
expect 2 "output is a folder" voxelize run/model.h5 --output folder.nii
expect 2 "output is a file" reconstruct case.h5 --output case.h5 --steps 5
says "output is a file" '--output: expected a folder, found the file .*case.h5'
expect 2 "output below a file" reconstruct case.h5 --output case.h5/run --steps 5
expect 2 "pictures below a file" render run/model.h5 --case case.h5 --output tree.swc/pictures

# ---- the system refuses: exit 1 ------------------------------------------------------------------------------------------
if [ "$(id -u)" -ne 0 ]; then  # nothing is unwritable for root
  mkdir locked && chmod a-w locked
  expect 1 "unwritable folder" reconstruct case.h5 --output locked/run --steps 5
  expect 1 "unwritable run folder" reconstruct case.h5 --output locked --steps 5
  expect 1 "unwritable output" voxelize run/model.h5 --output locked/new.nii
fi
absent new new.h5 nowhere
no_temporaries

# ---- replacing a run ---------------------------------------------------------------------------------------------------------
files_of() { find "$@" -type f | sort | xargs cksum; }
echo mine >run/notes.txt
mkdir -p run/views && echo mine >run/views/notes.txt
earlier=$(files_of run)
stopped run/new/config.toml 600 --output run --force
[ "$(files_of run | grep -v ' run/new/')" = "$earlier" ] || report "interrupted --force: the earlier run was changed"
there run/new/checkpoint.h5 run/new/config.toml
grep -q -- '--resume --output run/new ' err.txt || report "interrupted --force: $(cat err.txt)"
cp -r run/new unfinished
expect 0 "replace a run" reconstruct case.h5 --output run --steps 20 --force --quiet "${small[@]}"
grep -q '^steps = 20$' run/config.toml || report "--force: config.toml is the earlier one"
there run/metrics.json run/model.h5 run/log.csv run/mip.png run/volume.nii.gz run/notes.txt run/views/notes.txt
[ "$(ls run/views/*.png | wc -l)" -ge 6 ] || report "--force: fewer than 6 pictures"
[ "$(files_of unfinished | cut -d' ' -f1)" = "$(files_of run/new | cut -d' ' -f1)" ] ||
  report "--force: the unfinished run of before was changed"
absent run/new-2
expect 2 "--force that fails" reconstruct case.h5 --output run --force --set training.steps=abc
expect 0 "replace an unfinished run" reconstruct case.h5 --output unfinished --steps 20 --force --quiet "${small[@]}"
there unfinished/metrics.json
absent unfinished/new
no_temporaries

# ---- examples/studies.sh -----------------------------------------------------------------------------------------------------
studies=$here/../../examples/studies.sh
bash "$studies" >out.txt 2>err.txt
[ $? -eq 2 ] || report "studies.sh without a case: expected exit code 2"
says "studies.sh without a case" '^usage: '
# Runs that are there are made again: their configuration may have changed. Folders are the caller's.
printf '#!/bin/bash\nprintf "%%s " "$@" >>"%s/calls.txt"; echo >>"%s/calls.txt"\n' "$work" "$work" >program.sh
chmod +x program.sh
mkdir -p studies/BG001-neural && : >studies/BG001-neural/metrics.json && : >studies/BG001.h5
OUT=studies DATA=. DSASRGS=./program.sh bash "$studies" BG001 >out.txt 2>err.txt || report "studies.sh: $(cat err.txt)"
[ "$(cut -d' ' -f1 calls.txt | tr '\n' ' ')" = "simulate reconstruct reconstruct " ] ||
  report "studies.sh: expected a case and two runs, found: $(cat calls.txt)"
grep -q -- "--output $(realpath studies)/BG001-neural --force" calls.txt || report "studies.sh: $(cat calls.txt)"

# ---- what belongs together ---------------------------------------------------------------------------------------------------
expect 0 "held-out training views" reconstruct case.h5 --output left_out --preset static --steps 10 --hold-out 3,9 --quiet \
  --set gaussians.initial=200
expect 0 "evaluate a model of held-out views" evaluate left_out/model.h5 --case case.h5 --json held.json --quiet
[ "$(number held.json count)" = 2 ] || report "evaluate after --hold-out: expected the 2 views held out, not the test views"
expect 0 "another case" simulate --output other.h5 --views 24 --train-views 8 --size 40 32 --seed 77 --quiet
expect 0 "evaluate on another case" evaluate run/model.h5 --case other.h5 --json other.json --quiet
says "evaluate on another case" '^warning: the model was trained on another acquisition than .*other.h5'
expect 0 "labels of another case" labels other.h5 --method bicubic --scale 2 --output other_labels.h5 --quiet
expect 2 "labels of another case" inspect other_labels.h5 --case case.h5
says "labels of another case" 'other_labels.h5: .*expected .*found '
printf 'preset = "static"\n' >static.toml
expect 2 "two presets" reconstruct case.h5 --output new --config static.toml --preset 4drgs
says "two presets" '--preset: expected static, which static.toml names, found 4drgs'
absent new

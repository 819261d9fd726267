#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command-line program from outside: program_test.sh PATH_OF_BINARY
# Exit codes 0 (done), 1 (job failed), 2 (bad usage or bad input), one line per error, no partial output.
# From here go on usage_test.sh (bad usage and bad input), shell_test.sh (arguments as people type them), kept_test.sh (a machine
# that fails), plausibility_test.sh (cases that are implausible), replace_test.sh (outputs: their names, what they replace and say)
# uncertainty_test.sh (error bars) and outputs_test.sh (files that were there before).
set -u
source "$(dirname "$0")/checks.sh" "$@"
no_temporaries() {
  local left
  left=$(find . -name '*.tmp' -o -name '.*.tmp*')
  [ -z "$left" ] || report "temporary files left: $left"
}
number() { grep -m1 "\"$2\":" "$1" | sed 's/.*: *//; s/,$//'; }

# Small enough for a debug build with sanitizers.
sweep_options=(--views 24 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 --train-views 8
  --samples-per-pixel 1 --seed 3)
case_options=("${sweep_options[@]}" --tree-min-radius-mm 0.8)
small=(--set gaussians.initial=400 --set field.grid3d.log2_entries=10 --set field.grid4d.log2_entries=10
  --set field.grid3d.levels=4 --set field.grid4d.levels=4 --set field.width=16 --set density_control.first_step=10
  --set density_control.every=10)

# ---- what works --------------------------------------------------------------------------------------------------
expect 0 help --help
expect 0 version --version
[ "$(wc -l <out.txt)" -eq 1 ] || report "--version: more than a line"
expect 0 "version, verbose" --version --verbose
for key in commit compiler HDF5 system processor "available memory" CUDA; do says "version, verbose" "^$key  *[^ ]" out.txt; done
expect 0 "the other way round" --verbose --version
[ "$(wc -l <out.txt)" -eq 8 ] || report "--verbose --version: $(cat out.txt)"
grep -qE '^dsasrgs [0-9]+\.[0-9]+\.[0-9]+' out.txt || report "version: found $(cat out.txt)"
for s in simulate align reconstruct render voxelize export import evaluate inspect labels study; do expect 0 "$s --help" $s --help; done

expect 0 simulate simulate --output case.h5 --scale 2 "${case_options[@]}"
there case.h5
expect 0 "simulate quietly" simulate --output same.h5 --scale 2 --quiet --threads 1 "${case_options[@]}"
[ -s out.txt ] || [ -s err.txt ] && report "simulate --quiet printed: $(cat out.txt err.txt)"
expect 0 "simulate intensities" simulate --output raw.h5 --save-intensity --photons 1e5 --secondary-rad 0.2 \
  --offset-u-mm 3 --quiet "${case_options[@]}"
expect 0 "inspect case" inspect case.h5
grep -q '^views *24$' out.txt || report "inspect: no line 'views 24'"
expect 0 "inspect --json" inspect case.h5 --json
cp out.txt case.json
grep -q '"format": "dsasrgs.acquisition"' case.json || report "inspect --json: no format"
expect 0 "inspect the same case" inspect same.h5 --json
cmp -s out.txt case.json || report "simulate: another thread count gave another case"
expect 0 "inspect intensities" inspect raw.h5

printf '1 0 0 -40 0 2 -1\n2 0 0 0 0 2 1\n3 0 5 40 3 1.5 2\n' >tree.swc
expect 0 "simulate an SWC tree" simulate --vessels tree.swc --up-axis y --output swc.h5 --quiet "${sweep_options[@]}"
there swc.h5

expect 0 reconstruct reconstruct case.h5 --output run --steps 40 --baselines --log-every 5 "${small[@]}" --threads 2
there run/config.toml run/log.csv run/metrics.json run/model.h5 run/mip.png run/volume.nii.gz
there run/checkpoint.h5  # for --resume --steps
[ "$(ls run/views/*.png | wc -l)" -ge 6 ] || report "reconstruct: fewer than 6 pictures"
[ "$(wc -l <run/log.csv)" -eq 9 ] || report "log.csv: $(wc -l <run/log.csv) lines, expected 9"
grep -q '^steps = 40$' run/config.toml || report "config.toml: steps are not 40"
for key in low_resolution high_resolution volume baselines interpolation fdk fixed 4drgs highpass_correlation worst best \
  milliseconds_per_step train_views threads seed; do
  grep -q "\"$key\":" run/metrics.json || report "metrics.json: no $key"
done
[ "$(number run/metrics.json count)" = 16 ] || report "metrics.json: expected 16 test views"
gzip -t run/volume.nii.gz || report "volume.nii.gz is not gzip"
[ "$(head -c 4 run/mip.png | tail -c 3)" = PNG ] || report "mip.png is not a PNG"

expect 0 "reconstruct again" reconstruct case.h5 --output again --steps 40 --quiet "${small[@]}" --threads 1
[ -s out.txt ] || [ -s err.txt ] && report "reconstruct --quiet printed: $(cat out.txt err.txt)"
cmp -s <(cut -d, -f1-18 run/log.csv | tail -n 1) <(cut -d, -f1-18 again/log.csv | tail -n 1) ||
  report "reconstruct: another thread count gave another loss"
expect 0 "reconstruct from its own configuration" reconstruct case.h5 --output own --config run/config.toml --quiet
cmp -s run/config.toml own/config.toml || report "config.toml: reading it back gave another configuration"
expect 0 "preset static" reconstruct case.h5 --output static --preset static --steps 10 --train-views 6 --quiet \
  --set gaussians.initial=200
[ "$(number static/metrics.json count)" = 18 ] || report "--train-views: expected 18 test views"
expect 0 "held-out training views" reconstruct case.h5 --output held --preset static --steps 10 --hold-out 3,9 --quiet \
  --set gaussians.initial=200
[ "$(number held/metrics.json count)" = 2 ] || report "--hold-out: expected 2 scored views"

expect 0 evaluate evaluate run/model.h5 --case case.h5 --json scores.json --quiet
[ "$(number scores.json psnr_db)" = "$(number run/metrics.json psnr_db)" ] ||
  report "evaluate: another PSNR than metrics.json"
expect 0 "evaluate a list" evaluate run/model.h5 --case case.h5 --views 0,3-5,23 --json list.json
[ "$(number list.json count)" = 5 ] || report "evaluate --views: expected 5 views"

expect 0 "render a case" render run/model.h5 --case case.h5 --scale 2 --output renders.h5
expect 0 "inspect renders" inspect renders.h5 --json
grep -A 2 '"size_px"' out.txt | tr -d ' \n' | grep '64,64' >/dev/null || report "render --scale 2: not 64 x 64"
[ "$(number out.txt views)" = 16 ] || report "render: expected the 16 test views"
expect 0 "render pictures" render run/model.h5 --case case.h5 --views train --output pictures
[ "$(ls pictures/view_*.png | wc -l)" -eq 8 ] || report "render: expected 8 pictures"
expect 0 "render a pose" render run/model.h5 --primary-rad 0.5 --secondary-rad -0.2 --time 1 2 --size 20 10 --pitch-mm 5 \
  --output pose.h5
there pose.h5
expect 0 "voxelize the mean" voxelize run/model.h5 --output mean.nii.gz
expect 0 "voxelize a moment" voxelize run/model.h5 --output moment.nii --time 2 --spacing-mm 13
[ "$(stat -c %s moment.nii)" -eq $((352 + 4 * 12 * 12 * 12)) ] || report "voxelize --spacing-mm: wrong size"
expect 0 "voxelize after the sweep" voxelize run/model.h5 --output late.nii --time 1e9
says "voxelize after the sweep" '^warning: --time: expected 0 to [0-9.]+ s, the span of the sweep, found 1e\+09: shown as at'
expect 0 "render before the sweep" render run/model.h5 --time -5 2 --output early.h5
[ "$(grep -c '^warning: --time: .*found -5: shown as at 0 s$' err.txt)" -eq 1 ] ||
  report "render before the sweep: expected one warning: $(cat err.txt)"
expect 0 "render before the sweep, quietly" render run/model.h5 --time -5 --output early.h5 --quiet --force
[ -s out.txt ] || [ -s err.txt ] && report "render --quiet printed: $(cat out.txt err.txt)"
expect 0 "voxelize frames" voxelize run/model.h5 --output frames.nii --frames 3
[ "$(stat -c %s frames.nii)" -eq $((352 + 4 * 3 * 24 * 24 * 24)) ] || report "voxelize --frames: wrong size"
[ "$(od -An -tf4 -j136 -N4 moment.nii | tr -d ' ')" = 2 ] || report "voxelize --time: toffset is not the time"
expect 0 "inspect a model" inspect run/model.h5
grep -q '^attenuation *neural' out.txt || report "inspect: no attenuation model"

for method in bicubic lanczos oracle; do
  expect 0 "labels $method" labels case.h5 --method $method --scale 2 --output labels_$method.h5
  there labels_$method.h5
done
expect 0 "labels of all views" labels case.h5 --method oracle --scale 2 --output labels_all.h5 --views all --quiet \
  --storage float32 --false-branches 5 --missing-branches 0 --sharpening 1 --seed 7
[ -s out.txt ] || [ -s err.txt ] && report "labels --quiet printed: $(cat out.txt err.txt)"
[ "$(stat -c %s labels_all.h5)" -gt "$(stat -c %s labels_oracle.h5)" ] || report "labels: 24 views are not more than 8"
expect 0 "inspect labels" inspect labels_oracle.h5 --case case.h5
grep -q '^false_vessel_mask *true$' out.txt || report "inspect labels: no line 'false_vessel_mask true': $(cat out.txt)"
expect 2 "inspect labels without their case" inspect labels_oracle.h5
says "inspect labels without their case" '--case: expected .*labels_oracle.h5.*found none'

# ---- a study ------------------------------------------------------------------------------------------------------------
cat >study.toml <<'TOML'
name = "tiny"
out = "study"
seeds = [0, 1]
views = [8]
reference = "plain"
[settings]
training.steps = 12
gaussians.initial = 200
field = {width = 16, grid3d.log2_entries = 10, grid3d.levels = 4, grid4d.log2_entries = 10, grid4d.levels = 4}
[[case]]
name = "tree"
simulate = {views = 12, size = [16, 16], pitch-mm = 19.2, grid-size = 16, grid-spacing-mm = 10, scale = 2, train-views = 8, samples-per-pixel = 1, tree-min-radius-mm = 1}
[[labels]]
name = "errors"
method = "oracle"
[[method]]
name = "measured"
kind = "measured-upsampled"
[[method]]
name = "between"
kind = "interpolation-upsampled"
[[method]]
name = "plain"
preset = "4drgs"
render = ["high", "low-upsampled"]
[[method]]
name = "taught"
preset = "dsa-srgs"
settings = {super_resolution.scale = 2}
labels = ["errors"]
TOML
runs() { find study/runs -name result.json | wc -l; }
expect 0 "study --dry-run" study study.toml --dry-run
grep -q '^6 runs, 0 with a result' out.txt || report "study --dry-run: $(tail -n 1 out.txt)"
absent study
expect 0 study study study.toml
there study/results.csv study/results.json study/tables.md study/pictures/tree_8-views.png \
  study/pictures/tree_8-views_zoom.png study/runs/tree/8-views/plain/seed-1/model.h5
[ "$(runs)" -eq 6 ] || report "study: $(runs) results, expected 6"
[ "$(wc -l <study/results.csv)" -eq 9 ] || report "study: $(wc -l <study/results.csv) lines in results.csv, expected 9"
grep -q 'run 6/6: tree/8-views/taught+errors/seed-1, about .* left' err.txt || report "study: no progress: $(cat err.txt)"
for text in '^| plain, low-upsampled | ' '^Difference to plain' 'false vessel of errors kept'; do
  grep -q "$text" study/tables.md || report "study: no '$text' in tables.md"
done
cp study/results.csv first.csv
touch mark
expect 0 "study again" study study.toml
grep -q '^6 of 6 runs are done' err.txt || report "study again: $(cat err.txt)"
[ -z "$(find study/runs study/cases study/labels -newer mark -type f)" ] || report "study again: something was made anew"
rm study/runs/tree/8-views/plain/seed-1/result.json study/labels/tree_8-views_errors_seed-0.h5
expect 0 "study with a result less" study study.toml --no-pictures
grep -q '^5 of 6 runs are done' err.txt || report "study with a result less: $(cat err.txt)"
cmp -s <(cut -d, -f1-16 study/results.csv) <(cut -d, -f1-16 first.csv) || report "study: a run made anew has other numbers"
# Another study that shares the runs, and has one more oracle source of labels: nothing is trained again, what has no labels
# is scored against its mask too, and the first study finds its own scores still there.
sed 's/^out = "study"/out = "other_study"\nwork = "study"/' study.toml >shared.toml
printf '[[labels]]\nname = "worse"\nmethod = "oracle"\noptions = {false-branches = 5}\n' >>shared.toml
touch mark
expect 0 "study that shares its runs" study shared.toml --no-pictures
grep -q '^2 of 6 runs are done' err.txt || report "study that shares its runs: $(cat err.txt)"
[ -z "$(find study/runs -newer mark -name model.h5)" ] || report "study that shares its runs: trained again"
grep -q 'added:worse' other_study/results.csv || report "study that shares its runs: no scores against the new mask"
expect 0 "study after it" study study.toml --no-pictures
grep -q '^6 of 6 runs are done' err.txt || report "study after it: $(cat err.txt)"
cmp -s <(cut -d, -f1-16 study/results.csv) <(cut -d, -f1-16 first.csv) || report "study after it: other numbers"
sed 's/^training.steps = 12/training.steps = 13/' study.toml >changed.toml
expect 0 "study --tables-only of other settings" study changed.toml --tables-only --no-pictures
grep -q '^2 of 6 runs' study/tables.md || report "study --tables-only of other settings: $(head -n 3 study/tables.md)"
expect 0 "changed study" study changed.toml --only plain --only measured --no-pictures
grep -q '^1 of 3 runs are done' err.txt || report "changed study: $(cat err.txt)"
rm study/tables.md
expect 0 "study --tables-only" study study.toml --tables-only --quiet
there study/tables.md
expect 2 "study: nothing of that name" study study.toml --only nobody
sed 's/preset = "4drgs"/preset = "5drgs"/' study.toml >changed.toml
expect 2 "study: bad field" study changed.toml --output new
says "study: bad field" 'changed.toml: method\[2\].preset: expected 4drgs.*found 5drgs'
sed 's/pitch-mm = 19.2/pich-mm = 19.2/' study.toml >changed.toml
expect 2 "study: bad option of simulate" study changed.toml --output new --quiet
says "study: bad option of simulate" 'changed.toml: case tree simulate.pich-mm: expected one of '
sed 's/pitch-mm = 19.2/photons = -1/' study.toml >changed.toml
expect 2 "study: option out of range" study changed.toml --output new --dry-run
says "study: option out of range" 'changed.toml: case tree simulate.photons: expected a number of 0 to 1e[+]15, found -1'
sed 's/pitch-mm = 19.2/sdd-mm = 100/' study.toml >changed.toml
expect 2 "study: options that do not fit" study changed.toml --output new --dry-run
says "study: options that do not fit" 'changed.toml: case tree simulate: .*--sdd-mm: expected more than --sod-mm'
sed 's/steps = 12/steps = 100000/' study.toml >changed.toml
"$program" study changed.toml --output stopped_study --only plain >out.txt 2>err.txt &
job=$!
for ((i = 0; i < 3000; i++)); do
  [ -e stopped_study/runs/tree/8-views/plain/seed-0/config.toml ] && break
  sleep 0.02
done
kill -TERM $job
wait $job
[ $? -eq 1 ] || report "interrupted study: expected exit code 1"
says "interrupted study" 'finished runs are kept'
[ -z "$(find stopped_study/runs -type f 2>/dev/null)" ] || report "interrupted study: left $(find stopped_study/runs -type f)"
absent new

. "$here/usage_test.sh"
. "$here/plausibility_test.sh"
. "$here/shell_test.sh"
. "$here/kept_test.sh"
. "$here/replace_test.sh"
. "$here/uncertainty_test.sh"
. "$here/align_test.sh"
. "$here/outputs_test.sh"
bash "$here/study_test.sh" "$program" || failures=$((failures + 1))

[ $failures -eq 0 ] && echo "program_test: passed"
exit $((failures > 0))

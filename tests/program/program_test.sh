#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command-line program from outside: program_test.sh PATH_OF_BINARY
# Exit codes 0 (done), 1 (job failed), 2 (bad usage or bad input), one line per error, no partial output.
# From here go on shell_test.sh (arguments as people type them), kept_test.sh (a machine that fails), plausibility_test.sh
# (cases that are implausible), replace_test.sh (outputs: their names, what they replace and say) and outputs_test.sh (files that
# were there before).
# Wrong fields inside HDF5 files are tested in tests/lib; here files are broken with dd and truncate only.
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
for s in simulate reconstruct render voxelize export import evaluate inspect labels study; do expect 0 "$s --help" $s --help; done

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

# ---- bad usage: exit 2, nothing written -----------------------------------------------------------------------------
expect 2 "no subcommand"
expect 2 "unknown subcommand" rebuild
expect 2 "unknown option" inspect case.h5 --colour
expect 2 "no case" reconstruct --output new
expect 2 "no output" reconstruct case.h5
expect 2 "text for a number" reconstruct case.h5 --output new --steps many
expect 2 "negative threads" reconstruct case.h5 --output new --threads -1
expect 2 "unknown device" reconstruct case.h5 --output new --device tpu
expect 2 "unknown preset" reconstruct case.h5 --output new --preset 5drgs
says "unknown preset" '--preset.*expected 4drgs.*found 5drgs'
expect 2 "unknown field" reconstruct case.h5 --output new --set training.stepps=3
says "unknown field" 'training.stepps'
expect 2 "value out of range" reconstruct case.h5 --output new --set training.ssim_weight=2
says "value out of range" 'training.ssim_weight.*expected.*found'
expect 2 "wrong type" reconstruct case.h5 --output new --set training.steps=abc
expect 2 "no steps" reconstruct case.h5 --output new --steps 0
expect 2 "not a number" reconstruct case.h5 --output new --set training.ssim_weight=nan
expect 2 "no assignment" reconstruct case.h5 --output new --set training.steps
echo 'training = 3' >bad.toml
expect 2 "wrong TOML" reconstruct case.h5 --output new --config bad.toml
says "wrong TOML" 'bad.toml.*training.*expected.*found'
echo '[training' >bad.toml
expect 2 "broken TOML" reconstruct case.h5 --output new --config bad.toml
expect 2 "no TOML" reconstruct case.h5 --output new --config none.toml
expect 2 "too many training views" reconstruct case.h5 --output new --train-views 25
says "too many training views" '--train-views: expected 1 to 24, found 25$'
expect 2 "too few views for FDK" reconstruct case.h5 --output new --hold-out 0,3,6,9,15,18,21 --steps 5
says "too few views for FDK" 'case.h5: training views: expected 2 or more where gaussians.init = fdk, found 1$'
expect 2 "held-out test view" reconstruct case.h5 --output new --hold-out 3,4
says "held-out test view" '^dsasrgs: error: --hold-out: expected training views of .*case.h5, found view 4, which is none$'
expect 2 "all held out" reconstruct case.h5 --output new --hold-out 0,3,6,9,12,15,18,21
expect 2 "no such view held out" reconstruct case.h5 --output new --hold-out 24
says "no such view held out" '--hold-out: expected views of 0 to 23'
expect 2 "nothing named to hold out" reconstruct case.h5 --output new --hold-out "" --steps 5
says "nothing named to hold out" '--hold-out: expected a value, found an empty one'
expect 2 "labels without a name" reconstruct case.h5 --output new --labels "" --steps 5
expect 2 "configuration without a name" reconstruct case.h5 --output new --config "" --steps 5
says "configuration without a name" '--config: expected a value'
expect 2 "views without a list" evaluate run/model.h5 --case case.h5 --views ""
expect 2 "labels that nothing uses" reconstruct case.h5 --output new --labels labels_bicubic.h5 --steps 5
says "labels that nothing uses" '--labels: expected super_resolution.target = .*found super_resolution.target = none'
for threshold in nan -1 0 inf; do
  expect 2 "surface threshold $threshold" reconstruct case.h5 --output new --steps 5 --surface-threshold-per-mm $threshold
  says "surface threshold $threshold" "--surface-threshold-per-mm: expected a positive number, found $threshold"
  expect 2 "evaluate: surface threshold $threshold" evaluate run/model.h5 --case case.h5 \
    --surface-threshold-per-mm $threshold
done
expect 2 "no training views" reconstruct case.h5 --output new --train-views 0
expect 2 "finished run" reconstruct case.h5 --output run --steps 5
says "finished run" 'finished run'
says "finished run" 'force replaces it'
expect 2 "nothing to resume" reconstruct case.h5 --output new --resume
expect 2 "view out of range" evaluate run/model.h5 --case case.h5 --views 24
expect 2 "backward range" evaluate run/model.h5 --case case.h5 --views 5-3
for list in x 1, -1; do expect 2 "views $list" evaluate run/model.h5 --case case.h5 "--views=$list"; done
expect 2 "not a view" render run/model.h5 --case case.h5 --views first --output new
expect 2 "neither case nor pose" render run/model.h5 --output new
expect 2 "case and pose" render run/model.h5 --case case.h5 --primary-rad 1 --output new
expect 2 "degrees as radians" render run/model.h5 --primary-rad 90 --time 1 --output new
expect 2 "SDD below SOD" render run/model.h5 --sod-mm 800 --sdd-mm 700 --time 1 --output new
expect 2 "source inside the volume" render run/model.h5 --sod-mm 50 --time 1 --output new
expect 2 "empty detector" render run/model.h5 --size 0 10 --time 1 --output new
expect 2 "time is NaN" render run/model.h5 --time nan --output new.h5
expect 2 "scale 0" render run/model.h5 --case case.h5 --scale 0 --output new
expect 2 "time and mean" voxelize run/model.h5 --output new.nii --time 1 --mean
expect 2 "no name of a volume" voxelize run/model.h5 --output new.mhd
says "no name of a volume" '--output: expected a file named .nii, .nii.gz, .nrrd, .seq.nrrd, .mha or .dcm, found new.mhd'
expect 2 "export: no kind" export run/model.h5 new.stl
expect 2 "export: no name of a surface" export surface run/model.h5 new.off
says "export: no name of a surface" 'output: expected a file named .stl, .ply or .obj, found new.off'
expect 2 "export: a threshold above all" export surface run/model.h5 new.stl --threshold-per-mm 1e6
says "export: a threshold above all" '--threshold-per-mm: expected less than the largest attenuation, [0-9.e-]+ 1/mm, found 1e\+06'
for threshold in nan 0 -1; do expect 2 "export: threshold $threshold" export surface run/model.h5 new.stl --threshold-per-mm $threshold; done
expect 2 "export: time and mean" export surface run/model.h5 new.stl --time 1 --mean
expect 2 "export: time of no moment" export gaussians run/model.h5 new.ply --time 1
expect 2 "export: time is NaN" export gaussians run/model.h5 new.ply --viewer-ply --time nan
expect 2 "export: gaussians of a case" export gaussians case.h5 new.ply
expect 2 "export: no name of a PLY" export gaussians run/model.h5 new.txt
expect 2 "export: geometry of a model" export geometry run/model.h5 new.xml
expect 2 "export: geometry and projections elsewhere" export geometry case.h5 new.xml --projections new/p.mha
expect 2 "import: no PLY of ours" import gaussians tree.swc new.h5
says "import: no PLY of ours" '^dsasrgs: error: tree.swc: line 1: expected ply, found 1 0 0 -40 0 2 -1$'
mkfifo pipe.ply
expect 2 "import: a pipe" import gaussians pipe.ply new.h5
expect 2 "render: a film of no rate" render run/model.h5 --time 1 --output new.mp4 --fps 0
expect 2 "render: times and frames" render run/model.h5 --time 1 --frames 3 --output new
absent new new.*
expect 2 "no frames" voxelize run/model.h5 --output new.nii --frames 0
expect 2 "zero spacing" voxelize run/model.h5 --output new.nii --spacing-mm 0
expect 2 "huge volume" voxelize run/model.h5 --output new.nii --spacing-mm 0.001
expect 2 "simulate: SDD below SOD" simulate --output new.h5 --sod-mm 1200 --sdd-mm 750
expect 2 "simulate: degrees" simulate --output new.h5 --secondary-rad 30
expect 2 "simulate: source inside the volume" simulate --output new.h5 "${case_options[@]}" --sod-mm 50
expect 2 "simulate: no views" simulate --output new.h5 --views 0
expect 2 "simulate: zero size" simulate --output new.h5 --size 0 32
expect 2 "simulate: zero pitch" simulate --output new.h5 --pitch-mm 0
expect 2 "simulate: negative photons" simulate --output new.h5 --photons -5 "${case_options[@]}"
expect 2 "simulate: negative seed" simulate --output new.h5 --views 4 --train-views 2 --size 8 8 --seed -1
says "simulate: negative seed" '--seed.*-1'
expect 2 "simulate: two grid sizes" simulate --output new.h5 --grid-size 3 4
expect 2 "simulate: unknown vessels" simulate --output new.h5 --vessels vessels.obj
expect 2 "simulate: volume without threshold" simulate --output new.h5 --vessels brain.nii
printf '1 2 0 0 -40 2 -1\n2 2 0 0 0 0 1\n' >zero.swc
expect 2 "simulate: a radius of zero" simulate --output new.h5 --vessels zero.swc "${sweep_options[@]}"
says "simulate: a radius of zero" 'zero.swc: line 2: radius: expected a positive length'
expect 0 "simulate: a radius of zero repaired" simulate --output repaired.h5 --vessels zero.swc --min-radius-mm 0.5 \
  "${sweep_options[@]}" --arrival-s 1000
says "simulate: contrast too late" '^warning: repaired.h5: expected vessels in some view, found none'
expect 2 "simulate: smallest radius of no file" simulate --output new.h5 --min-radius-mm 0.5 "${case_options[@]}"
says "simulate: smallest radius of no file" '--min-radius-mm: expected --vessels FILE.swc with it, found --vessels tree$'
expect 2 "simulate: too many views" simulate --output new.h5 --views 2000000000 --train-views 2
says "simulate: too many views" '--views: expected 1 to 1048576, found 2000000000$'
if (ulimit -v 4000000 && "$program" --version) >out.txt 2>&1; then  # a sanitizer needs more
  (ulimit -v 4000000 && exec "$program" simulate --output new.h5 --threads 1000) >out.txt 2>err.txt
  [ $? = 2 ] || report "simulate: more threads than can be started: $(cat err.txt)"
  says "simulate: more threads than can be started" 'threads: expected no more than the system starts'
fi
expect 2 "simulate: raw volume without size" simulate --output new.h5 --vessels brain.raw --vessel-threshold 9
expect 2 "labels: unknown method" labels case.h5 --method esrgan --output new.h5
expect 2 "labels: scale 0" labels case.h5 --method bicubic --scale 0 --output new.h5
expect 2 "labels: no truth of that scale" labels case.h5 --method oracle --scale 4 --output new.h5
says "labels: no truth of that scale" 'reference projections of scale 4.*found scale 2'
expect 2 "labels: bad strength" labels case.h5 --method oracle --scale 2 --missing-strength 2 --output new.h5
expect 2 "labels: negative seed" labels case.h5 --method oracle --scale 2 --seed -1 --output new.h5
says "labels: negative seed" '--seed.*-1'
expect 2 "labels: too many branches" labels case.h5 --method oracle --scale 2 --false-branches 1001 --output new.h5
says "labels: too many branches" '--false-branches'
expect 2 "labels: too many missing" labels case.h5 --method oracle --scale 2 --missing-branches 1001 --output new.h5
expect 2 "labels: options of the oracle" labels case.h5 --method bicubic --scale 2 --false-branches 3 --output new.h5
says "labels: options of the oracle" '--false-branches: expected --method oracle.*found --method bicubic'
expect 2 "labels: seed of the oracle" labels case.h5 --method lanczos --scale 2 --seed 3 --output new.h5
expect 2 "labels: view out of range" labels case.h5 --method bicubic --views 24 --output new.h5
absent new new.h5 new.nii

# ---- bad input ----------------------------------------------------------------------------------------------------------
head -c 100 /dev/zero >zeros.h5
head -c 5000 case.h5 >short.h5
cp case.h5 cut.h5 && truncate -s -4000 cut.h5
: >empty.h5
for f in zeros.h5 short.h5 cut.h5 empty.h5; do
  expect 2 "inspect $f" inspect $f
  says "inspect $f" "$f.*expected.*found"
  expect 2 "reconstruct $f" reconstruct $f --output new --steps 5
  expect 2 "evaluate $f" evaluate $f --case case.h5 --json new.json
done
cp run/model.h5 cut_model.h5 && truncate -s -3000 cut_model.h5
expect 2 "truncated model" render cut_model.h5 --case case.h5 --output new.h5
cp case.h5 header.h5 && dd if=/dev/zero of=header.h5 bs=1 seek=100 count=700 conv=notrunc status=none
expect 2 "overwritten header" inspect header.h5
expect 2 "model for a case" reconstruct run/model.h5 --output new
says "model for a case" 'format.*dsasrgs.acquisition.*dsasrgs.model'
expect 2 "case for a model" voxelize case.h5 --output new.nii
printf '1 0 0 0 0 0 -1\n2 0 9 0 0 1 1\n' >bad.swc
expect 2 "zero radius" simulate --vessels bad.swc --output new.h5
says "zero radius" 'bad.swc: line 1: radius: expected .*found 0'
printf '1 0 0 0 0 1 -1\n2 0 9 0 0 1 7\n' >bad.swc
expect 2 "unknown parent" simulate --vessels bad.swc --output new.h5
printf '1 0 0 0 0 1\n' >bad.swc
expect 2 "missing field" simulate --vessels bad.swc --output new.h5
head -c 999 /dev/zero >bad.raw
expect 2 "wrong number of voxels" simulate --vessels bad.raw --volume-size 10 10 10 --volume-spacing-mm 1 1 1 \
  --vessel-threshold 1 --output new.h5
says "wrong number of voxels" '1000.*999'
head -c 999 /dev/zero >bad.nii
expect 2 "not NIfTI" simulate --vessels bad.nii --vessel-threshold 1 --output new.h5
absent new new.h5 new.nii new.json

. "$here/plausibility_test.sh"
. "$here/shell_test.sh"
. "$here/kept_test.sh"
. "$here/replace_test.sh"
. "$here/outputs_test.sh"
bash "$here/study_test.sh" "$program" || failures=$((failures + 1))

[ $failures -eq 0 ] && echo "program_test: passed"
exit $((failures > 0))

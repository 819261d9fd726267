#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Labels that `dsasrgs reconstruct` makes for itself, networks that read a model's render, and labels made with these, from
# outside: own_labels_test.sh PATH_OF_BINARY
set -u
source "$(dirname "$0")/checks.sh" "$@"
unset DSASRGS_READ_DIRECTLY
same() { cmp -s "$2" "$3" || report "$1: $2 and $3 differ"; }
differ() { cmp -s "$2" "$3" && report "$1: $2 and $3 are the same"; }
# stop_at SIGNAL FILE ARGUMENTS...: sends the signal as soon as the file is there.
stop_at() {
  local signal=$1 file=$2 job
  shift 2
  "$program" "$@" --quiet >out.txt 2>err.txt &
  job=$!
  for ((i = 0; i < 3000; i++)); do
    [ -e "$file" ] && break
    sleep 0.01
  done
  kill "-$signal" $job 2>/dev/null
  wait $job 2>/dev/null && report "stopped at $file: it was done before"
}

options=(--views 12 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 --train-views 4 --samples-per-pixel 1
  --tree-min-radius-mm 0.8 --quiet)
expect 0 "a case" simulate --output case.h5 --scale 4 --seed 3 "${options[@]}"
expect 0 "another case" simulate --output other.h5 --scale 2 --seed 4 "${options[@]}"
cat >small.toml <<'TOML'
preset = "dsa-srgs"
training.steps = 40
gaussians.initial = 200
[super_resolution]
scale = 4
first_step = 3
[field]
width = 16
[field.grid3d]
log2_entries = 10
levels = 4
[field.grid4d]
log2_entries = 10
levels = 4
TOML
small=(reconstruct case.h5 --config small.toml)

# ---- labels of its own -----------------------------------------------------------------------------------------------
expect 0 "labels by hand" labels case.h5 --output labels.h5 --quiet
expect 0 "own labels" "${small[@]}" --output own
says "own labels" '^no --labels: making them with .*dsasrgs-x4.h5' out.txt
there own/labels.h5 own/model.h5 own/metrics.json own/config.toml
absent own/refreshed_labels.h5
same "own labels" own/labels.h5 labels.h5
expect 0 "the same labels" "${small[@]}" --output given --labels labels.h5 --quiet
absent given/labels.h5
same "the same labels" own/model.h5 given/model.h5
stop_at TERM part/checkpoint.h5 "${small[@]}" --output part --checkpoint-every 2
says "interrupted" '^dsasrgs: error: interrupted after step [0-9]+; go on with: .* --resume --output part'
there part/labels.h5
expect 0 "resume" reconstruct case.h5 --resume --output part --quiet
same "resume" own/model.h5 part/model.h5
same "resume" own/labels.h5 part/labels.h5
expect 2 "no network for it" "${small[@]}" --output new --set super_resolution.scale=3
says "no network for it" '--labels: expected a label file for images 3 times finer \(networks for 2 and 4 come'
absent new

# ---- a network that reads the render ---------------------------------------------------------------------------------
expect 0 "a model" reconstruct case.h5 --output base --preset static --steps 5 --set gaussians.initial=200 --quiet
expect 0 "a model of the other" reconstruct other.h5 --output base2 --preset static --steps 2 --set gaussians.initial=200 --quiet
cat >plan.toml <<'TOML'
name = "tiny-x4-render"
trained_on = "a case and its model"
[training]
scale = 4
channels = 8
blocks = 1
reads_render = true
steps = 400  # so that its labels agree with what was measured
batch = 4
patch_px = 12
warm_up = 5
learning_rate = 0.02
[[models]]
case = "case.h5"
model = "base/model.h5"
[[models]]
case = "case.h5"
model = "own/model.h5"
held_out = true
TOML
expect 0 "train on renders" train-network plan.toml --output render.h5
says "train on renders" 'case.h5, own/model.h5: [0-9.]+ dB, before [0-9.]+ dB' out.txt
sed 's/^reads_render.*//; s/channels = 8/channels = 2/; /models/,$d' plan.toml >plain.toml
printf '[[built_in_trees]]\nseeds = [1]\n' >>plain.toml
expect 0 "train without" train-network plain.toml --output plain.h5 --steps 2 --quiet
# refused NAME EXPRESSION PATTERN: the plan, changed so by sed, is refused with such a line.
refused() {
  sed "$2" plan.toml >new.toml
  expect 2 "$1" train-network new.toml --output new.h5
  says "$1" "$3"
  absent new.h5 new.log.csv
}
refused "renders for a network that reads none" 's/reads_render = true//' 'source case.h5, base/model.h5: expected a network that reads the render'
refused "truth of another scale" 's/^scale = 4/scale = 2/' 'new.toml: models.*case: expected an acquisition with the truth 2 times finer, found case.h5'
refused "model of another case" 's#base/#base2/#' 'new.toml: models.*model: expected a model of case.h5, found base2/model.h5, trained on another one'
refused "misspelt" 's/^held_out/helf_out/' 'new.toml: models.*helf_out: '
refused "renders and trees" '$a [[built_in_trees]]\nseeds = [1]' 'built-in tree 1: expected renders alone'
expect 2 "network over a model" train-network plan.toml --output base/model.h5 --force
says "network over a model" '--output: expected another file than the input'

expect 0 "labels from a model" labels case.h5 --model base/model.h5 --network render.h5 --output refined.h5
expect 0 "labels from a model, one thread" labels case.h5 --model base/model.h5 --network render.h5 --output again.h5 --threads 1 --quiet
same "labels from a model" refined.h5 again.h5
expect 0 "labels from another model" labels case.h5 --model own/model.h5 --network render.h5 --output again.h5 --quiet
differ "labels from another model" refined.h5 again.h5
expect 0 "inspect them" inspect refined.h5 --case case.h5
says "inspect them" 'tiny-x4-render \([0-9a-f]{16}\)' out.txt
expect 0 "labels from a model, shipped" labels case.h5 --model base/model.h5 --single-orientation --output shipped.h5 --quiet
expect 2 "no model" labels case.h5 --network render.h5 --output new.h5
says "no model" 'render.h5: attribute reads_render: expected 0 without a model, found 1'
expect 2 "network that reads no render" labels case.h5 --model base/model.h5 --network plain.h5 --output new.h5
says "network that reads no render" 'plain.h5: attribute reads_render: expected 1 with a model, found 0'
expect 2 "no such network" labels case.h5 --model base/model.h5 --scale 2 --output new.h5
says "no such network" '--network: expected a network file for images 2 times finer \(the network that reads'
expect 2 "another case's model" labels case.h5 --model base2/model.h5 --network render.h5 --output new.h5
says "another case's model" 'base2/model.h5: .*expected a model of case.h5, found one of another acquisition'
expect 2 "model for another method" labels case.h5 --method bicubic --model base/model.h5 --output new.h5
says "model for another method" '--model: expected --method network'
expect 2 "labels over the model" labels case.h5 --model base/model.h5 --network render.h5 --output base/model.h5
absent new.h5

# ---- labels made anew ------------------------------------------------------------------------------------------------
refresh=("${small[@]}" --set super_resolution.refresh_step=12)
expect 0 "refresh" "${refresh[@]}" --refresh-network render.h5 --output fresh
says "refresh" '^making labels from the model with render.h5' out.txt
there fresh/labels.h5 fresh/refreshed_labels.h5 fresh/metrics.json
absent fresh/new_labels.h5
same "refresh" own/labels.h5 fresh/labels.h5
differ "refresh" own/model.h5 fresh/model.h5
for try in 1 2 3 4 5; do  # while the shipped network makes them; on a busy machine the signal may come too late
  rm -rf stopped
  stop_at TERM stopped/checkpoint.h5 "${refresh[@]}" --output stopped
  grep -q 'interrupted after step 12;' err.txt && break
done
says "stopped at it" '^dsasrgs: error: interrupted after step 12; go on with: .* --resume --output stopped'
absent stopped/refreshed_labels.h5
stop_at KILL killed/refreshed_labels.h5 "${refresh[@]}" --refresh-network render.h5 --output killed
for run in stopped killed; do
  there $run/checkpoint.h5
  expect 0 "resume what was $run" reconstruct case.h5 --resume --output $run --refresh-network render.h5 --quiet
  same "resume what was $run" fresh/model.h5 $run/model.h5
  same "resume what was $run" fresh/refreshed_labels.h5 $run/refreshed_labels.h5
done
stop_at TERM early/checkpoint.h5 "${refresh[@]}" --refresh-network render.h5 --output early --checkpoint-every 2
expect 2 "resume with a wrong network" reconstruct case.h5 --resume --output early --refresh-network plain.h5
expect 0 "resume before it" reconstruct case.h5 --resume --output early --refresh-network render.h5 --quiet
same "resume before it" fresh/model.h5 early/model.h5
expect 2 "network that reads no render" "${refresh[@]}" --output new --labels labels.h5 --refresh-network plain.h5
says "network that reads no render" 'plain.h5: attribute reads_render: expected 1 with a model, found 0'
expect 2 "network for nothing" "${small[@]}" --output new --labels labels.h5 --refresh-network render.h5
says "network for nothing" '--refresh-network: expected labels and super_resolution.refresh_step'
expect 0 "twofold labels" labels case.h5 --method bicubic --scale 2 --output twofold.h5 --quiet
expect 2 "none for it" "${refresh[@]}" --output new --labels twofold.h5 --set super_resolution.scale=2
says "none for it" '--refresh-network: expected a network file for images 2 times finer'
expect 0 "never" "${small[@]}" --output never --labels twofold.h5 --set super_resolution.scale=2 --set super_resolution.refresh_step=40 --quiet
absent new never/refreshed_labels.h5

# Labels of a model that shows nothing yet do not fit the measurement: the run goes on with those it has, and is not stuck.
early=("${small[@]}" --set super_resolution.refresh_step=1 --labels smooth.h5 --steps 6)
expect 0 "smooth labels" labels case.h5 --method bicubic --output smooth.h5 --quiet
expect 0 "labels refused" "${early[@]}" --output refused --quiet
says "labels refused" '^warning: .*new_labels.h5: .*: labels made from the model at super_resolution.refresh_step = 1 are refused'
absent refused/refreshed_labels.h5
expect 2 "labels refused, strictly" "${early[@]}" --output strictly --strict --quiet
expect 0 "labels refused, resumed" reconstruct case.h5 --output strictly --resume --labels smooth.h5 --quiet
same "labels refused, resumed" refused/model.h5 strictly/model.h5
absent refused/new_labels.h5
# A run whose own labels were deleted.
stop_at TERM lost/checkpoint.h5 "${small[@]}" --output lost --checkpoint-every 2
rm lost/labels.h5
expect 2 "labels that were deleted" reconstruct case.h5 --resume --output lost
says "labels that were deleted" '--labels: expected the labels that the run is trained with, found neither --labels nor lost/labels.h5'
expect 0 "labels given again" reconstruct case.h5 --resume --output lost --labels labels.h5 --quiet
same "labels given again" own/model.h5 lost/model.h5

# ---- over a finished run ---------------------------------------------------------------------------------------------
cp -r fresh plain
expect 0 "force, other labels" "${small[@]}" --output fresh --force --labels labels.h5 --quiet
same "force, other labels" own/model.h5 fresh/model.h5
absent fresh/labels.h5 fresh/refreshed_labels.h5 fresh/new
expect 0 "force, no labels" reconstruct case.h5 --output plain --force --preset static --steps 5 --set gaussians.initial=200 --quiet
same "force, no labels" base/model.h5 plain/model.h5
absent plain/labels.h5 plain/refreshed_labels.h5 plain/new
expect 0 "force, own labels" "${small[@]}" --output plain --force --quiet
same "force, own labels" own/model.h5 plain/model.h5
there plain/labels.h5
absent plain/new

left=$(find . -name '*.tmp' -o -name '.*.tmp*')
[ -z "$left" ] || report "temporary files left: $left"
[ $failures -eq 0 ] && echo "own_labels_test: passed"
exit $((failures > 0))

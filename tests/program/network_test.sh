#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `dsasrgs train-network`, and labels made with what it trained, from outside: network_test.sh PATH_OF_BINARY
set -u
source "$(dirname "$0")/checks.sh" "$@"

cat >plan.toml <<'TOML'
name = "tiny-x2"
trained_on = "two built-in trees"
[training]
scale = 2
channels = 4
blocks = 1
steps = 12
batch = 3
patch_px = 12
warm_up = 2
seed = 5
[[built_in_trees]]
seeds = [1, 2]
hold_out = [2]
TOML
# with NAME LINES: a plan of this name, with more lines.
with() { { cat plan.toml; printf "$2"; } >"$1"; }

# ---- training ------------------------------------------------------------------------------------------------------------
expect 0 "train" train-network plan.toml --output whole.h5 --validate-every 5
there whole.h5 whole.log.csv
absent whole.checkpoint.h5
says "train" '^training tiny-x2: x2, .* 12 steps of 3 patches, cpu' out.txt
says "train" '^built-in tree 2: [0-9.]+ dB, before [0-9.]+ dB .*, mean error [0-9.]+, expected [0-9.]+' out.txt
[ "$(cut -d, -f1 whole.log.csv | tr '\n' ' ')" = "step 5 10 12 " ] || report "log: $(cat whole.log.csv)"
expect 2 "train over it" train-network plan.toml --output whole.h5
says "train over it" '--output: expected no file .*--force.*found whole.h5'
expect 2 "resume what is done" train-network plan.toml --output whole.h5 --resume
says "resume what is done" '--resume: expected a checkpoint, found none at whole.checkpoint.h5'
# Stopped after its first checkpoint, it goes on and ends with the bits of one that was not (a shell's background jobs hear
# no SIGINT, hence SIGTERM).
"$program" train-network plan.toml --output part.h5 --validate-every 5 --checkpoint-every 1 --quiet --threads 1 >out.txt 2>err.txt &
job=$!
for ((i = 0; i < 3000; i++)); do
  [ -e part.checkpoint.h5 ] && break
  sleep 0.01
done
kill -TERM $job 2>/dev/null
if wait $job; then
  report "interrupted: it was done before"
else
  says "interrupted" '^dsasrgs: error: interrupted after step [0-9]+; --resume goes on from part.checkpoint.h5'
fi
absent part.h5
expect 2 "train over a checkpoint" train-network plan.toml --output part.h5
with other.toml 'share = 2\n'
expect 2 "resume with other sources" train-network other.toml --output part.h5 --resume
says "resume with other sources" 'part.checkpoint.h5: attribute sources: expected the sources that training began with'
expect 2 "resume with steps" train-network plan.toml --output part.h5 --resume --steps 5
expect 0 "resume" train-network plan.toml --output part.h5 --validate-every 5 --resume --quiet
[ -s out.txt ] || [ -s err.txt ] && report "resume --quiet printed: $(cat out.txt err.txt)"
cmp -s whole.h5 part.h5 || report "resume: another network than the training without a stop"
cmp -s <(cut -d, -f1,2,4- whole.log.csv) <(cut -d, -f1,2,4- part.log.csv) || report "resume: log: $(cat part.log.csv)"
absent part.checkpoint.h5
# Fine-tuning keeps the shape of what is there.
sed 's/channels = 4/channels = 9/; s/name = "tiny-x2"/name = "tuned"/' plan.toml >tune.toml
expect 0 "fine-tune" train-network tune.toml --output tuned.h5 --from whole.h5 --steps 3
says "fine-tune" '^training tuned: x2, .* 3 steps' out.txt
more=$(($(stat -c %s tuned.h5) - $(stat -c %s whole.h5)))  # its texts are others, 9 channels would be kilobytes
[ ${more#-} -lt 200 ] || report "fine-tune: the network's file has $more bytes more"
cmp -s tuned.h5 whole.h5 && report "fine-tune: nothing happened"
expect 2 "fine-tune over its beginning" train-network tune.toml --output whole.h5 --from whole.h5 --force
says "fine-tune over its beginning" '--output: expected another file than the input'
expect 2 "fine-tune no network" train-network tune.toml --output new.h5 --from plan.toml
expect 2 "fine-tune what is not there" train-network plan.toml --output new.h5 --from none.h5
says "fine-tune what is not there" 'none.h5'

# ---- plans that cannot be ------------------------------------------------------------------------------------------------
# refused NAME PATTERN: new.toml is refused with such a line.
refused() {
  expect 2 "$1" train-network new.toml --output new.h5
  says "$1" "$2"
  absent new.h5 new.log.csv
}
mkdir flat broken nothing
sed 's/channels = 4/chanels = 4/' plan.toml >new.toml
refused "misspelt field" 'new.toml \(training\): chanels: expected one of .*channels.*found an unknown name'
sed 's/patch_px = 12/patch_px = 4/' plan.toml >new.toml
refused "field out of range" 'new.toml \(training\): patch_px: expected a number from 8 to 1024, found 4'
with new.toml 'helf_out = [1]\n'
refused "misspelt field of a source" 'new.toml: built_in_trees.*helf_out: '
sed 's/hold_out = \[2\]/hold_out = [3]/' plan.toml >new.toml
refused "held out but not there" 'new.toml: built_in_trees.*hold_out: expected some of the seeds, found 3'
sed '/trained_on/d' plan.toml >new.toml
refused "no sources named" 'new.toml: trained_on: expected a string'
sed '/built_in/,$d' plan.toml >new.toml
refused "no source" 'new.toml: images: expected at least one of'
with new.toml '[[images]]\nfolder = "nothing/"\n'
refused "empty folder" 'new.toml: images.*folder: expected a folder with .png files, found nothing without any'
printf 'no picture' >broken/001.png
with new.toml '[[images]]\nfolder = "broken"\n'
refused "unreadable PNG" 'broken/001.png: .*expected .*PNG'
sed 's/hold_out = \[2\]/hold_out = [1, 2]/' plan.toml >new.toml
refused "all held out" 'expected one that is not held out'
expect 2 "no folder" train-network <(with /dev/stdout '[[images]]\nfolder = "none"\n') --output new.h5
expect 2 "no plan" train-network none.toml --output new.h5
says "no plan" 'none.toml'

# ---- images ----------------------------------------------------------------------------------------------------------------
expect 0 "a case" simulate --output case.h5 --scale 2 --views 12 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 \
  --train-views 6 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --quiet
cat >small.toml <<'TOML'
preset = "dsa-srgs"
[super_resolution]
scale = 2
target = "weighted"
[gaussians]
initial = 200
[field]
width = 16
[field.grid3d]
log2_entries = 10
levels = 4
[field.grid4d]
log2_entries = 10
levels = 4
TOML
expect 0 "a model" reconstruct case.h5 --output run --preset static --steps 5 --set gaussians.initial=200 --quiet
expect 0 "pictures" render run/model.h5 --case case.h5 --views train --output pictures --quiet
with new.toml '[[images]]\nfolder = "pictures/"\nzero = 10\nper_grey = 0.01\nshare = 0.5\n[[cases]]\nfile = "case.h5"\nheld_out = true\n'
expect 0 "pictures and cases" train-network new.toml --output new.h5 --steps 2
says "pictures and cases" '^case.h5: [0-9.]+ dB, before' out.txt
rm -f new.h5 new.log.csv
expect 2 "plan over a picture" train-network new.toml --output pictures/"$(ls pictures | head -n 1)" --force
says "plan over a picture" '--output: expected another file than the input'
cp pictures/"$(ls pictures | head -n 1)" flat/dark.png
with new.toml '[[images]]\nfolder = "flat"\ncolumns = [0, 0]\nrows = [0, 0]\n'
refused "constant image" 'flat/dark.png: pixels: expected grey values that differ within columns and rows, found [0-9]+ everywhere'
with new.toml '[[images]]\nfolder = "flat"\ncolumns = [0, 32]\n'
refused "columns beyond the image" 'new.toml: images.*columns: expected \[first, last\] within 0 to 31, as flat/dark.png has, found 0, 32'
with new.toml '[[images]]\nfolder = "flat"\nbinnings = [4]\n'
refused "too small" '^dsasrgs: error: new.toml: source flat: image 0: expected at least 96 x 96 pixels, found 32 x 32'

# A source that is trained on and held out, in one table or two, however it is spelt.
with new.toml '[[built_in_trees]]\nseeds = [2]\n'
refused "a seed for both" 'built_in_trees\[1\].seeds: expected a source that is either trained on or held out, found seed 2 named for both'
with new.toml '[[cases]]\nfile = "case.h5"\n[[cases]]\nfile = "./case.h5"\nheld_out = true\n'
refused "a case for both" 'cases\[1\].file: expected a source that is either .*case.h5 named for both'
with new.toml '[[cases]]\nfile = "none.h5"\n'
refused "a case that is not there" 'cases\[0\].file: expected a file, found none: .*none.h5'
with new.toml '[[cases]]\nfile = "case.h5"\nhold_out = ["case.h5"]\n'
refused "a field of other sources" 'cases\[0\].hold_out: expected one of '
expect 0 "inspect a network" inspect whole.h5
for line in 'format +dsasrgs.network' 'name +tiny-x2' 'scale +2' 'trained_on +two built-in trees' 'reads_render +false'; do
  says "inspect a network" "^$line" out.txt
done
# Two at once: one trains, the other is refused.
for k in 1 2; do
  ("$program" train-network plan.toml --output race.h5 --quiet >/dev/null 2>race$k.txt; echo $? >race$k.code) &
  jobs[k]=$!
done
wait "${jobs[1]}" "${jobs[2]}"
[ "$(sort race1.code race2.code | tr '\n' ' ')" = "0 2 " ] || report "two at once: $(cat race?.code race?.txt)"
absent .race.h5.lock

# ---- labels ----------------------------------------------------------------------------------------------------------------
expect 0 "labels" labels case.h5 --method network --network whole.h5 --scale 2 --output labels.h5
there labels.h5
expect 0 "labels on one thread" labels case.h5 --network part.h5 --scale 2 --output again.h5 --threads 1 --quiet
cmp -s labels.h5 again.h5 || report "labels: another thread count gave other labels"
expect 0 "inspect labels" inspect labels.h5 --case case.h5
says "inspect labels" '^confidence *true$' out.txt
says "inspect labels" 'tiny-x2 \([0-9a-f]{16}\)' out.txt
expect 0 "labels, one orientation" labels case.h5 --network whole.h5 --scale 2 --single-orientation --output single.h5 --quiet
cmp -s labels.h5 single.h5 && report "labels: --single-orientation changes nothing"
expect 0 "reconstruct with them" reconstruct case.h5 --config small.toml --labels labels.h5 --steps 6 --output srgs --quiet
there srgs/metrics.json
expect 2 "wrong scale" labels case.h5 --network whole.h5 --scale 4 --output new.h5
says "wrong scale" 'whole.h5: attribute scale: expected 4, as asked for, found 2'
expect 2 "no network" labels case.h5 --network case.h5 --scale 2 --output new.h5
says "no network" 'case.h5: .*dsasrgs.network'
expect 2 "no network for it" labels case.h5 --scale 3 --output new.h5
says "no network for it" '--network: expected a network file for images 3 times finer'
expect 2 "network for another method" labels case.h5 --method bicubic --network whole.h5 --scale 2 --output new.h5
expect 2 "labels over the network" labels case.h5 --network whole.h5 --scale 2 --output whole.h5
absent new.h5

# What is there and is not of labels, or not a network, stays; so does a log.
cp run/model.h5 kept.h5
expect 2 "labels over a model" labels case.h5 --method bicubic --scale 2 --output kept.h5
says "labels over a model" '--output: expected a new file or a label file, found dsasrgs.model: kept.h5'
echo text >kept.toml
expect 2 "labels over a text" labels case.h5 --method bicubic --scale 2 --output kept.toml
expect 2 "a network over a model" train-network plan.toml --output kept.h5 --force
says "a network over a model" '--output: expected a network file to replace, found dsasrgs.model: kept.h5'
echo text >new.log.csv
expect 2 "a log over a log" train-network plan.toml --output new.h5
says "a log over a log" 'found new.log.csv'
rm new.log.csv
cmp -s kept.h5 run/model.h5 || report "kept.h5 was changed"

# Noise far beyond anything trained on: a warning with the number, silence with --quiet, an error with --strict.
expect 0 "a noisy case" simulate --output noisy.h5 --scale 2 --views 12 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 \
  --train-views 6 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --photons 300 --quiet
expect 0 "labels of noise" labels noisy.h5 --scale 2 --output noisy_labels.h5
says "labels of noise" '^warning: noisy.h5: [0-9]+ of 6 views are unlike what the network was trained on.* noise 0.[0-9]+, trained on'
expect 0 "labels of noise, quiet" labels noisy.h5 --scale 2 --output noisy_labels.h5 --quiet
[ ! -s err.txt ] || report "labels of noise, quiet: $(cat err.txt)"
expect 0 "labels without noise" labels case.h5 --scale 2 --output labels_of_network.h5
grep -q 'noise 0' err.txt && report "labels without noise: no noise is no fault: $(cat err.txt)"
expect 2 "strict about noise" reconstruct noisy.h5 --config small.toml --steps 6 --output strict --strict
[ ! -e strict ] || report "strict about noise: the folder is there"

expect 0 "evaluate labels" evaluate labels.h5 --case case.h5 --json scores.json
for row in labels bicubic; do says "evaluate labels" "^ *$row +.*[0-9]" out.txt; done
for key in labels bicubic network psnr_db; do says "evaluate labels" "\"$key\":" scores.json; done
expect 0 "evaluate some labels" evaluate labels.h5 --case case.h5 --views train --quiet
expect 2 "evaluate a view without label" evaluate labels.h5 --case case.h5 --views test
expect 2 "baselines of labels" evaluate labels.h5 --case case.h5 --baselines
says "baselines of labels" '--baselines: expected a model file, found labels: labels.h5'
expect 0 "a case without truth" simulate --output plain.h5 --views 12 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 \
  --train-views 6 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --quiet
expect 0 "labels of it" labels plain.h5 --network whole.h5 --scale 2 --output plain_labels.h5 --quiet
expect 2 "evaluate them" evaluate plain_labels.h5 --case plain.h5
says "evaluate them" 'plain.h5: /reference/projections: expected the truth 2 times finer, as the labels are, found '

left=$(find . -name '*.tmp' -o -name '.*.tmp*')
[ -z "$left" ] || report "temporary files left: $left"
[ $failures -eq 0 ] && echo "network_test: passed"
exit $((failures > 0))

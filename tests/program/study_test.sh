#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `dsasrgs study` from outside, where studies and their files change: study_test.sh PATH_OF_BINARY
# (program_test.sh has what works, interruption and sharing.)
set -u
source "$(dirname "$0")/checks.sh" "$@"
# expect CODE NAME ARGUMENTS...: runs the program; its errors may stand behind a log.
expect() {
  local code=$1 name=$2 found
  shift 2
  "$program" "$@" >out.txt 2>err.txt
  found=$?
  [ $found -eq "$code" ] || report "$name: exit code $found, expected $code: $(tail -n 3 err.txt)"
}
# The opposite of says.
silent_on() { grep -qE -- "$2" "$3" && report "$1: '$2' must not be in $3"; }
# unchanged NAME PATHS...: no file there is newer than `mark`.
unchanged() {
  local name=$1 new
  shift
  new=$(find "$@" -newer mark -type f)
  [ -z "$new" ] || report "$name: written: $new"
}
# edited FILE SED_SCRIPT: a study made from study.toml.
edited() { sed "$2" study.toml >"$1"; cmp -s "$1" study.toml && report "$1: nothing was edited"; }

cat >study.toml <<'TOML'
name = "tiny"
out = "out"
work = "work"
views = [4, 8]
[settings]
training.steps = 4
gaussians.initial = 100
field = {width = 16, grid3d.log2_entries = 8, grid3d.levels = 2, grid4d.log2_entries = 8, grid4d.levels = 2}
[[case]]
name = "tree"
simulate = {vessels = "tree.swc", views = 12, train-views = 6, size = [16, 16], pitch-mm = 19.2, grid-size = 16, grid-spacing-mm = 10, scale = 2, samples-per-pixel = 1}
[[labels]]
name = "given"
file = "all.h5"
[[method]]
name = "measured"
kind = "measured-upsampled"
[[method]]
name = "plain"
preset = "4drgs"
render = ["high", "low-upsampled"]
[[method]]
name = "taught"
preset = "dsa-srgs"
settings = {super_resolution.scale = 2}
labels = ["given"]
TOML
printf '1 0 0 -40 0 3 -1\n2 0 0 0 0 3 1\n3 0 5 40 3 2 2\n' >tree.swc

# ---- mistakes are found before anything is made ----------------------------------------------------------------------
expect 2 "no label file" study study.toml
says "no label file" 'study.toml: labels given, case tree: expected a file, found none at all.h5'
# refused NAME SED_SCRIPT PATTERN
refused() {
  edited changed.toml "$2"
  expect 2 "$1" study changed.toml
  says "$1" "^dsasrgs: error: $3"
  [ ! -e out ] && [ ! -e work ] || report "$1: something was made"
}
refused "too many views" 's/\[4, 8\]/[4, 13]/; s/^file.*/method = "bicubic"/' 'changed.toml: views: expected at most the 12 views of tree, found 13'
refused "bad option of simulate" 's/pitch-mm/pich-mm/' 'changed.toml: case tree simulate.pich-mm: expected one of vessels, .*found an unknown name'
refused "no vessels" 's/tree.swc/none.swc/' 'changed.toml: case tree simulate.vessels: expected a file, .*none.swc'
refused "no acquisition" 's/^simulate.*/acquisition = "none.h5"/' 'changed.toml: case tree acquisition: expected a file'
refused "bad option of labels" 's/^file.*/method = "oracle"\noptions = {streng = 1}/' \
  'changed.toml: labels given options.streng: expected one of storage, .*found an unknown name'
refused "bad type" 's/views = 12/views = "12"/' "changed.toml: case tree simulate.views: expected an integer of 1 or more, found '12'"
refused "out of range" 's/^file.*/method = "oracle"\noptions = {false-branches = 1001}/' \
  'changed.toml: labels given options.false-branches: expected an integer of 0 to 1000, found 1001'
# A study takes every option of the command line but those that it decides itself, and no other.
takes_options_of() {  # SUBCOMMAND OWN_OPTIONS: the last error lists what a study takes
  diff <("$program" "$1" --help | grep -oE '^ +(-h,)?--[a-z0-9-]+' | sed 's/.*--//' | grep -vxE "help|output|$2" | sort) \
    <(sed 's/.*expected one of //; s/, found .*//; s/, /\n/g' err.txt | sort) >diff.txt ||
    report "options of $1 and those of a study are not the same: $(cat diff.txt)"
}
refused "no option of simulate" 's/pitch-mm/colour/' 'changed.toml: case tree simulate.colour'
takes_options_of simulate force
refused "no option of labels" 's/^file.*/method = "oracle"\noptions = {colour = 1}/' 'changed.toml: labels given options.colour'
takes_options_of labels 'method|model|scale|seed|views'
refused "no labels" 's/^labels.*//' 'changed.toml: method taught labels: expected label sources'
refused "preset in settings" 's/super_resolution.scale = 2/preset = "togs"/' 'changed.toml: method\[2\].settings.preset'
edited changed.toml 's/^out.*/out = "tree.swc"/; s/^file.*/method = "bicubic"/'
expect 2 "a file for the folder" study changed.toml
says "a file for the folder" '^dsasrgs: error: changed.toml: out: expected a folder, found the file .*tree.swc$'
# Before the first run, though it is the last that does not fit.
edited changed.toml 's/^work.*//; s/^out.*/out = "vast"/; s/^file.*/method = "bicubic"/
  s/super_resolution.scale = 2/super_resolution.scale = 2, gaussians.init = "random", gaussians.initial = 1900000000, density_control.max_gaussians = 2000000000/'
expect 1 "a run that does not fit" study changed.toml
says "a run that does not fit" '^dsasrgs: error: run tree/.*taught.*: memory: expected up to .*found a run that needs .*: nothing was begun$'
absent vast/runs
rm -rf vast
mkdir folder
expect 2 "folder for a study" study folder
says "folder for a study" 'study: expected a file, found a folder: folder'
edited changed.toml 's/^out/base = "folder"\nout/'
expect 2 "folder for a base" study changed.toml
says "folder for a base" 'changed.toml: base: expected a file, found a folder: .*folder'
expect 2 "a part of no name" study study.toml --only measured --only nobody
says "a part of no name" '--only: .*found nobody'
# What only the making of labels can tell is found before the first training.
edited changed.toml 's/^file.*/method = "oracle"\noptions = {missing-strength = 2}/'
expect 2 "bad strength" study changed.toml --output strength
says "bad strength" 'changed.toml: labels given options.missing-strength: expected a number of 0 to 1'
[ -z "$(find strength -name result.json 2>/dev/null)" ] || report "bad strength: found after the first run"
edited changed.toml 's/^file.*/method = "bicubic"/; s/{super_resolution.scale = 2}/{super_resolution.scale = 4}/'
expect 2 "other scale" study changed.toml --output scale
says "other scale" 'method taught settings.super_resolution.scale: expected 2, the scale of the labels given, found 4'
[ -z "$(find scale -name result.json)" ] || report "other scale: found after the first run"

# ---- a run that fails: its name, and the tables of the others --------------------------------------------------------
edited changed.toml 's/^file.*/method = "bicubic"/; s/{super_resolution.scale = 2}/{super_resolution.scale = 2, gaussians.init_threshold_per_mm = 99.0}/'
expect 2 "failing run" study changed.toml --output failing
says "failing run" '^dsasrgs: error: run tree/4-views/taught\+given/seed-0: '
says "failing run" '^2 of 6 runs' failing/tables.md
says "failing run" '^\| plain \|' failing/tables.md

# ---- labels of several splits in one file ----------------------------------------------------------------------------
edited changed.toml 's/^file.*/method = "bicubic"/'
expect 0 "the case" study changed.toml --only measured --no-pictures
expect 0 "labels of all views" labels work/cases/tree.h5 --method bicubic --scale 2 --views all --output all.h5 --quiet
expect 0 study study study.toml
says study '^6 of 6 runs\.$' out/tables.md
expect 0 "the second split alone" study study.toml --only 8-views/ --no-pictures
says "the second split alone" '^3 of 3 runs are done'
says "the second split alone" '^6 of 6 runs\.$' out/tables.md

# ---- results of another study do not get into the tables, and nothing is made for them -----------------------------
# left_out NAME SED_SCRIPT PATTERN: in --tables-only of the edited study.
left_out() {
  edited changed.toml "$2"
  touch mark
  expect 0 "$1" study changed.toml --tables-only
  unchanged "$1" work
  says "$1" "$3" out/tables.md
  says "$1" 'Results left out: '
}
left_out "other kind" 's/measured-upsampled/interpolation-upsampled/' \
  '^4 of 6 runs\. Results left out: 2 made with another kind of method\.$'
silent_on "other kind" measured out/results.csv
left_out "other renders" 's/\["high", "low-upsampled"\]/["low-upsampled"]/' \
  '^4 of 6 runs\. Results left out: 2 made with other renders\.$'
silent_on "other renders" plain out/results.csv
left_out "other settings" 's/steps = 4/steps = 5/' '^2 of 6 runs\. Results left out: 4 made with another configuration\.$'
left_out "other case" 's/views = 12/views = 12, seed = 9/' '^0 of 6 runs\. Results left out: 6 made with another case\.$'
cp all.h5 bicubic.h5
expect 0 "other labels" labels work/cases/tree.h5 --method lanczos --scale 2 --views all --output all.h5 --quiet
expect 0 "other labels, dry" study study.toml --dry-run
says "other labels, dry" '8-views/taught.*\(has a result made with other labels\)$' out.txt
says "other labels, dry" '^6 runs, 4 with a result$' out.txt
touch mark
expect 0 "other labels" study study.toml --tables-only
unchanged "other labels" work
says "other labels" '^4 of 6 runs\. Results left out: 2 made with other labels\.$' out/tables.md
mv bicubic.h5 all.h5
# What is not there cannot be compared: the rows stay, the pictures that need it are left out.
mv work/runs/tree/4-views/plain/seed-0/model.h5 kept.h5
expect 0 "no model" study study.toml --tables-only
says "no model" 'left out of the pictures: .*4-views/plain/seed-0/model.h5 is not there'
says "no model" '^6 of 6 runs\.$' out/tables.md
says "no model" 'reference · measured · taught\+given\.' out/tables.md
mv kept.h5 work/runs/tree/4-views/plain/seed-0/model.h5
mv work/cases/tree.h5 kept.h5
expect 0 "no case" study study.toml --tables-only
says "no case" 'left out of the pictures: work/cases/tree.h5 is not there'
says "no case" '^6 of 6 runs\.$' out/tables.md
[ ! -e work/cases/tree.h5 ] || report "no case: made by --tables-only"
mv kept.h5 work/cases/tree.h5
expect 0 "tables as they were" study study.toml --tables-only --quiet
says "tables as they were" '^6 of 6 runs\.$' out/tables.md

# ---- a result that cannot be read is an error that names it ----------------------------------------------------------
cp work/runs/tree/4-views/plain/seed-0/result.json kept.json
for text in '{' '{"format": "dsasrgs.study_result"}'; do
  echo "$text" >work/runs/tree/4-views/plain/seed-0/result.json
  for option in --tables-only --dry-run --no-pictures; do
    expect 2 "broken result, $option" study study.toml $option
    says "broken result, $option" '^dsasrgs: error: .*tree/4-views/plain/seed-0/result.json: the file: expected a result of a study'
    [ "$(wc -l <err.txt)" -eq 1 ] || report "broken result, $option: $(wc -l <err.txt) lines on stderr, expected 1"
  done
done
mv kept.json work/runs/tree/4-views/plain/seed-0/result.json
! grep -q '"kind": [0-9]' -r work/runs --include=result.json || report "a kind of method is stored as a number"

# ---- the study program alone is the subcommand -----------------------------------------------------------------------
alone=$(dirname "$program")/dsasrgs-study
[ -x "$alone" ] || alone=$(dirname "$program")/../study/dsasrgs-study
"$alone" study.toml --output alone --no-pictures --quiet >out.txt 2>err.txt || report "dsasrgs-study: $(cat err.txt)"
diff <(sed 's/,[^,]*$//' out/results.csv) <(sed 's/,[^,]*$//' alone/results.csv) >diff.txt ||  # all but the seconds
  report "dsasrgs-study: other results than dsasrgs study: $(cat diff.txt)"
"$alone" study.toml --dry-run >alone.txt 2>err.txt
expect 0 "dry" study study.toml --dry-run
cmp -s alone.txt out.txt || report "dsasrgs-study --dry-run: another list than that of dsasrgs study"
"$alone" study.toml --only nobody >out.txt 2>err.txt
[ $? -eq 2 ] || report "dsasrgs-study, a part of no name: expected exit code 2"
says "dsasrgs-study, a part of no name" '^dsasrgs-study: error: --only: .*found nobody$'

# ---- the content of the vessel file belongs to a case ----------------------------------------------------------------
# The same files, named from another folder.
touch mark
(cd folder && "$program" study ../study.toml --no-pictures >../out.txt 2>../err.txt) || report "from another folder: $(cat err.txt)"
says "from another folder" '^6 of 6 runs are done'
unchanged "from another folder" work
sed 's/ 3 / 4 /g' tree.swc >thick.swc && mv thick.swc tree.swc
expect 0 "other vessels, tables only" study study.toml --tables-only
says "other vessels, tables only" '^0 of 6 runs\. Results left out: 6 made with another case' out/tables.md
# Vessels that are not there any more are not held against a case.
mv tree.swc gone.swc
expect 0 "no vessels" study study.toml --tables-only --no-pictures
says "no vessels" '^6 of 6 runs\.$' out/tables.md
mv gone.swc tree.swc
# One case and the runs that were asked for are made anew, no table mixes them with the old ones.
expect 0 "other vessels" study study.toml --only measured --no-pictures
says "other vessels" '^0 of 2 runs are done'
says "other vessels" '^2 of 6 runs\. Results left out: 4 made with another case\.$' out/tables.md
silent_on "other vessels" plain out/results.csv

[ $failures -eq 0 ] && echo "study_test: passed"
exit $((failures > 0))

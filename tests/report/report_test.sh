#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `dsasrgs report` and `reconstruct --report` from outside, without a browser: what is written, what is refused, what is said
# where something is missing.
# usage: report_test.sh PATH_OF_DSASRGS
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../program/checks.sh" "$@"

small=(--set gaussians.initial=400 --set field.grid3d.log2_entries=10 --set field.grid4d.log2_entries=10
  --set field.grid3d.levels=4 --set field.grid4d.levels=4 --set field.width=16 --set density_control.last_step=0)
# The page's data, as JSON.
data() { sed -n 's/^<script type="application\/json" id="data">//p' "$1"; }
# holds NAME FILE EXPRESSION: a Python expression of the page's data, `d`.
holds() {
  data "$2" | python3 -c "import json,sys; d=json.load(sys.stdin); sys.exit(0 if ($3) else 1)" 2>/dev/null || report "$1: not so: $3"
}
# bars_hold NAME REPORT MODEL CASE TRUTH: its error bars are what `render --uncertainty` says of the same views, and as many pixels
# within 1.64 of them as counting again finds. TRUTH is the data set of CASE that they are held against.
bars_hold() {
  "$program" render "$3" --case "$4" --views all --uncertainty --output bars.h5 --force --quiet || report "$1: render failed"
  for of in bars.h5:/projections bars.h5:/uncertainty "$4:$5"; do
    h5dump -b LE -o "bars${of##*/}$([ "${of%%:*}" = bars.h5 ] || echo _truth).bin" -d "${of#*:}" "${of%%:*}" >/dev/null
  done
  data "$2" >bars.json
  python3 - "$(basename "$5")" 2>bars.txt <<'PY' || report "$1: error bars: $(tail -n 1 bars.txt)"
import array, json, math, sys
def read(name):
    values = array.array("f"); values.frombytes(open(name, "rb").read()); return values
images = json.load(open("bars.json"))["images"]
bars, render, deviation, truth = images["error_bars"], *map(read, ("barsprojections.bin", "barsuncertainty.bin", f"bars{sys.argv[1]}_truth.bin"))
pixels = 60 * 52
scale = math.isqrt(len(truth) // len(render))
if scale > 1:  # means of its pixels
    blocks = [((r * scale + y) * 60 * scale + c * scale + x) for r in range(52) for c in range(60) for y in range(scale) for x in range(scale)]
    truth = [sum(truth[v * pixels * scale**2 + i] for i in blocks[p * scale**2:(p + 1) * scale**2]) / scale**2 for v in range(12) for p in range(pixels)]
brightest = max(truth)
least = 0.02 * max(max(render[v["view"] * pixels:(v["view"] + 1) * pixels]) for v in images["views"])
def close(found, expected): assert abs(found - expected) < 1e-3, (found, expected)
close(bars["brightest"], brightest)
everything = []
for view in images["views"]:
    shown = [p for p in range(view["view"] * pixels, (view["view"] + 1) * pixels) if render[p] > least]
    if not shown: assert view["deviation_percent"] is None; continue
    everything += shown
    close(view["deviation_percent"], 100 * math.sqrt(sum(deviation[p] ** 2 for p in shown) / len(shown)) / brightest)
    close(view["within_percent"], 100 * sum(abs(render[p] - truth[p]) <= 1.6449 * deviation[p] for p in shown) / len(shown))
assert len(everything) > 500, len(everything)
close(bars["deviation_percent"], 100 * math.sqrt(sum(deviation[p] ** 2 for p in everything) / len(everything)) / brightest)
close(bars["within_percent"], 100 * sum(abs(render[p] - truth[p]) <= 1.6449 * deviation[p] for p in everything) / len(everything))
PY
}
mkdir cases
expect 0 simulate simulate --output cases/case.h5 --views 12 --size 60 52 --pitch-mm 4.8 --grid-size 16 --grid-spacing-mm 9 \
  --train-views 6 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --quiet

# ---- with the run, and after it -----------------------------------------------------------------------------------------
expect 0 "reconstruct --report" reconstruct cases/case.h5 --output run --steps 20 "${small[@]}" --report
says "reconstruct --report" 'wrote run/report.html \([0-9.]+ MiB; open it in any browser\)' out.txt
there run/report.html run/metrics.json
[ "$(head -c 15 run/report.html)" = '<!doctype html>' ] || report "report.html does not begin as a page"
! grep -qE '(src|href)="?(https?:)?//' run/report.html || report "the page names another"
holds "finished" run/report.html 'd["finished"] and d["run"]["steps"]==20 and d["case"]=="case.h5"'
holds "views" run/report.html 'len(d["geometry"]["poses"])==12 and len(d["geometry"]["train"])==6 and len(d["images"]["views"])==6'
holds "scores" run/report.html 'len(d["scores"]["low"]["views"])==6 '
holds "no finer truth" run/report.html 'any("no truth at a higher resolution" in n for n in d["notes"])'
holds "finer all the same" run/report.html 'd["images"]["fine"]==2 and d["images"]["reference_fine"]==1'
bars_hold "error bars" run/report.html run/model.h5 cases/case.h5 /reference/projections
holds "error bars of every view" run/report.html 'd["images"]["error_bars"]["against"]=="reference" and all(v["deviation"] for v in d["images"]["views"])'
cp run/report.html first.html
expect 0 "report" report run --quiet
cmp -s <(data first.html | sed 's/"made":"[^"]*"//') <(data run/report.html | sed 's/"made":"[^"]*"//') ||
  report "the report made later is another"
# The command in it makes the same model.
command=$(data run/report.html | python3 -c 'import json,sys; print(json.load(sys.stdin)["command"])')
[[ $command == "dsasrgs reconstruct cases/case.h5 --config run/config.toml --output again"* ]] || report "command: $command"
eval "\"\$program\" ${command#dsasrgs} --quiet" >out.txt 2>err.txt || report "the command failed: $(cat err.txt)"
h5diff run/model.h5 again/model.h5 >/dev/null || report "the command makes another model"

# ---- more steps, replaced runs: an old report does not stay ---------------------------------------------------------------
expect 0 "more steps" reconstruct cases/case.h5 --output run --resume --steps 25 --quiet
absent run/report.html
expect 0 "more steps with a report" reconstruct cases/case.h5 --output run --resume --steps 30 --report --quiet
holds "more steps" run/report.html 'd["run"]["steps"]==30'
expect 0 "--force" reconstruct cases/case.h5 --output run --force --steps 20 "${small[@]}" --report --quiet
holds "--force" run/report.html 'd["run"]["steps"]==20'
absent run/new

# ---- what is missing is said -----------------------------------------------------------------------------------------------
mv cases moved
expect 0 "no case" report run --quiet
holds "no case" run/report.html 'any("no error bars:" in n and "was not found" in n for n in d["notes"]) and "images" not in d and "volume" in d'
expect 0 "case named" report run --case moved/case.h5 --output named.html --quiet
holds "case named" named.html '"images" in d'
mkdir -p deeper/below && mv moved cases && (cd deeper/below && "$program" report ../../run --quiet --output up.html)
holds "case found above the run" deeper/below/up.html '"images" in d'
expect 0 "another case" simulate --output other.h5 --views 12 --size 60 52 --pitch-mm 4.8 --grid-size 16 --grid-spacing-mm 9 \
  --train-views 6 --samples-per-pixel 1 --seed 4 --tree-min-radius-mm 0.8 --quiet
expect 2 "another case named" report run --case other.h5
says "another case named" '^dsasrgs: error: --case: expected the acquisition that the model was trained on, found another: other.h5'
mv cases/case.h5 kept.h5 && cp other.h5 cases/case.h5
expect 0 "another case in its place" report run --quiet
holds "another case in its place" run/report.html 'any("is not the case" in n for n in d["notes"]) and "images" not in d'
mv kept.h5 cases/case.h5
cp -r run partial && rm partial/metrics.json partial/model.h5 partial/report.html
printf '40,1,40,0.0' >>partial/log.csv  # a line that is being written
expect 0 "partial run" report partial --case cases/case.h5 --quiet
holds "partial run" partial/report.html 'not d["finished"] and d["scores"] is None and d["log"]["step"][-1]==20 and "volume" not in d'
holds "partial run" partial/report.html 'any("no error bars" in n for n in d["notes"]) and "error_bars" not in d["images"]'
# Densities of which a render is a number, and its square none.
cp -r run bright
with_h5py=$(. "$here/../support/find_python.sh"; find_python h5py >&2; echo "$python")
if [ -n "$with_h5py" ]; then
  "$with_h5py" -c 'import h5py; h5py.File("bright/model.h5", "r+")["field"].attrs["density_scale_per_mm"] *= 1e26'
  expect 0 "no error bars" report bright --quiet
  holds "no error bars" bright/report.html 'any(n.startswith("There are no error bars: ") and "no number" in n for n in d["notes"]) and "error_bars" not in d["images"] and "volume" in d and d["images"]["views"][0]["rendered"]'
fi

# ---- size ---------------------------------------------------------------------------------------------------------------------
expect 0 "small" report run --output small.html --images 3 --frames 2 --voxels 16 --image-px 64 --quiet
holds "small" small.html 'len(d["images"]["views"]) in (3,4) and d["volume"]["times_s"]==[0,5] and d["volume"]["size"]==[16,16,16]'
expect 2 "too small a limit" report run --max-mib 0.01 --quiet
says "too small a limit" '--max-mib: expected more for this run, whose report takes [0-9.]+ MiB without pictures, found 0.01'
limit=$(python3 -c "print(($(stat -c %s first.html) + $(stat -c %s small.html))/2/2**20)")
expect 0 "limit" report run --output limited.html --max-mib "$limit" --quiet
python3 -c "import sys; sys.exit($(stat -c %s limited.html) > $limit*2**20)" || report "limit: $(stat -c %s limited.html) bytes"
holds "limit" limited.html 'any("of the usual size" in n for n in d["notes"])'
# Where nothing but the measurement is known.
expect 0 "case without truth" render run/model.h5 --case cases/case.h5 --views all --output plain.h5 --quiet
expect 0 "run without truth" reconstruct plain.h5 --output plain --steps 5 "${small[@]}" --train-views 12 --report --quiet
holds "run without truth" plain/report.html 'd["scores"]["high"] is None and d["scores"]["set"]=="train" and not d["images"]["views"][0]["reference"]'
holds "nothing to hold error bars against" plain/report.html 'd["images"]["error_bars"]["deviation_percent"]>0 and d["images"]["error_bars"]["within_percent"] is None'
expect 0 "measurements held out" reconstruct plain.h5 --output measured --steps 5 "${small[@]}" --train-views 6 --report --quiet
bars_hold "measurements held out" measured/report.html measured/model.h5 plain.h5 /projections
holds "measurements held out" measured/report.html 'd["images"]["error_bars"]["against"]=="measured"'
expect 0 "finer truth" simulate --output finer.h5 --views 12 --size 60 52 --pitch-mm 4.8 --scale 2 --grid-size 16 --grid-spacing-mm 9 \
  --train-views 6 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --quiet
expect 0 "finer truth" reconstruct finer.h5 --output finer --steps 20 "${small[@]}" --report --quiet
bars_hold "finer truth" finer/report.html finer/model.h5 finer.h5 /reference/projections

# ---- what is refused ------------------------------------------------------------------------------------------------------------
expect 2 "no run" report cases
says "no run" '^dsasrgs: error: RUN: expected a folder that .dsasrgs reconstruct. made, found no config.toml in cases'
echo mine >notes.html
expect 2 "over another file" report run --output notes.html
says "over another file" '--output: expected a new file or an earlier report, found something else at notes.html'
[ "$(cat notes.html)" = mine ] || report "notes.html was changed"
for input in run/model.h5 run/metrics.json cases/case.h5; do
  expect 2 "over $input" report run --output $input
  says "over $input" 'expected a file named .html, found '
done
cp -r run own && echo mine >own/report.html
expect 2 "report.html of one's own" report own
expect 2 "report.html of one's own, --force" reconstruct cases/case.h5 --output own --force --steps 20 "${small[@]}" --report
[ "$(cat own/report.html)" = mine ] || report "own/report.html was changed"
# damaged NAME FIELD: run/NAME with what stdin has is refused in one line.
damaged() {
  cp -r run broken && cat >broken/"$1"
  expect 2 "damaged $1" report broken
  says "damaged $1" "broken/$1: $2: expected "
  rm -r broken
}
echo '{' | damaged metrics.json content
echo '[1]' | damaged metrics.json content
echo '{"format": "other"}' | damaged metrics.json format
echo 'a,b' | damaged log.csv 'first line'
head -c 2000000 /dev/zero | damaged config.toml size
# What is of another type than it should be is left out.
cp -r run odd
echo '{"format": "dsasrgs.metrics", "case": 7, "run": [], "low_resolution": {"views": {"a": 1}, "mean": 3, "blank_views": 1}}' >odd/metrics.json
expect 0 "odd metrics" report odd --quiet
cp -r run deep && python3 -c "print('{\"format\": \"dsasrgs.metrics\", \"run\": ' + '['*1000000 + ']'*1000000 + '}')" >deep/metrics.json
expect 0 "deep metrics" report deep --quiet
rm run/log.csv && mkfifo run/log.csv
timeout 20 "$program" report run >out.txt 2>err.txt
[ $? -eq 2 ] || report "a pipe: $(cat err.txt)"
says "a pipe" 'run/log.csv: type: expected a file, found a folder, device or pipe'
exit $((failures > 0))

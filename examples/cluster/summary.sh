#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes RESULTS/summary.csv and RESULTS/summary.md of the cases in a folder of results, and prints the latter: a line for each
# case with its state and, where it is finished, its scores of views that were not trained on. Exit code 1 if one is not finished.
# usage: summary.sh RESULTS_FOLDER
set -euo pipefail
[ $# -eq 1 ] && [ -d "$1" ] || { echo "usage: bash $0 RESULTS_FOLDER" >&2; exit 2; }
results=$(realpath "$1")
cd "$results"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shopt -s nullglob

# One JSON object a line: the columns of the table.
for status in *.status; do  # names may begin with a dash
  name=${status%.status}
  if [ -e "$name/metrics.json" ]; then
    jq -c --arg case "$name" '{case: $case, state: "finished", message: "", views: (.run.train_views | length), steps: .run.steps,
      resumed_from_step: .run.resumed_from_step, gaussians: .run.gaussians, psnr_fixed_db: .low_resolution.mean.fixed.psnr_db,
      ssim_fixed: .low_resolution.mean.fixed.ssim, psnr_4drgs_db: .low_resolution.mean["4drgs"].psnr_db,
      ssim_4drgs: .low_resolution.mean["4drgs"].ssim, training_s: .run.seconds.training}' "./$name/metrics.json"
  else
    line=$(head -n 1 "./$status")
    # What runs has its lock.
    if [[ $line == running* ]] && flock --nonblock ".$name.lock" true; then line="killed (${line#running (}"; fi
    jq -cn --arg case "$name" --arg line "$line" '$line | capture("^(?<state>[a-z]+) \\((?<message>.*)\\)$") | {case: $case} + .'
  fi
done >"$work/cases"
jq -rs '["case", "state", "views", "steps", "resumed_from_step", "gaussians", "psnr_fixed_db", "ssim_fixed", "psnr_4drgs_db",
  "ssim_4drgs", "training_s", "message"] as $columns | $columns, (.[] | [.[$columns[]]]) | @csv' "$work/cases" >"$work/summary.csv"
jq -rs '
  def fixed($digits): if . == null then "" else . * pow(10; $digits) | round / pow(10; $digits) | tostring end;
  def mean(f): map(f | values) | if length == 0 then null else add / length end;
  def row: "| \(.case | gsub("\\|"; "\\|")) | \(.state) | \(.views // "") | \(.steps // "") | \(.gaussians // "" | tostring) | \(.psnr_fixed_db | fixed(2)) | \(.ssim_fixed | fixed(4)) | \(.psnr_4drgs_db | fixed(2)) | \(.ssim_4drgs | fixed(4)) | \(.training_s | fixed(1)) |";
  map(select(.state == "finished")) as $finished |
  "| case | state | views | steps | Gaussians | PSNR fixed, dB | SSIM fixed | PSNR 4drgs, dB | SSIM 4drgs | training, s |",
  "|---|---|---|---|---|---|---|---|---|---|", (.[] | row),
  ({case: "mean", state: "\($finished | length) of \(length) finished"} + ($finished |
    {psnr_fixed_db: mean(.psnr_fixed_db), ssim_fixed: mean(.ssim_fixed), psnr_4drgs_db: mean(.psnr_4drgs_db),
     ssim_4drgs: mean(.ssim_4drgs), training_s: mean(.training_s)}) | row)' "$work/cases" >"$work/summary.md"
for table in summary.csv summary.md; do
  cp "$work/$table" ".$table"
  mv ".$table" "$table"
done
cat summary.md
[ -z "$(jq -r 'select(.state != "finished") | .case' "$work/cases")" ]

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The report in a real browser: browser.mjs uses every control of it. 77 (Skipped) where node, playwright-core or Chromium is
# not installed: nothing is downloaded.
# usage: browser.sh SOURCE_FOLDER DSASRGS_PROGRAM
set -euo pipefail
modules=$1/examples/report/node_modules
skip() { echo "skipped: $1"; exit 77; }
command -v node >/dev/null || skip "there is no node"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] || skip "node $(node --version) is older than 18"
[ -d "$modules/playwright-core" ] || skip "npm ci was not run in examples/report"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "there is no Chromium (Debian: chromium)"
source "$1/tests/program/checks.sh" "$2"
cp "$1"/tests/report/*.mjs .
ln -s "$modules" node_modules

# Names and texts that would be markup where they are not escaped. Views are not square, so that nothing is turned unseen.
folder='<' && mkdir "$folder"
case="$folder/script><img src=x onerror=hacked()>.h5"
expect 0 simulate simulate --output "$case" --views 20 --size 40 32 --pitch-mm 7.2 --scale 2 --grid-size 36 32 40 \
  --grid-spacing-mm 4.5 --train-views 8 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --photons 1000000 --quiet
expect 0 reconstruct reconstruct "$case" --output run --preset 4drgs --steps 150 --quiet --report --log-every 5 \
  --set gaussians.initial=800 --set field.grid3d.log2_entries=12 --set field.grid4d.log2_entries=12 \
  --set field.width=16 --set training.clip_negative=false --set density_control.last_step=0
there run/report.html
echo '# </script><img src=x onerror=hacked()>' >>run/config.toml
expect 0 report report run --quiet

# What the page must show, from other ways out of the program and from outside of it.
expect 0 render render run/model.h5 --case "$case" --views all --scale 2 --output renders.h5 --quiet
expect 0 voxelize voxelize run/model.h5 --frames 12 --output frames.nii --quiet
for file in "$case" renders.h5; do
  h5dump -b LE -o "$([ "$file" = renders.h5 ] && echo rendered || echo measured).bin" -d /projections "$file" >/dev/null
done
expect 0 render render run/model.h5 --case "$case" --views all --uncertainty --output bars.h5 --quiet
h5dump -b LE -o bars.bin -d /uncertainty bars.h5 >/dev/null

[ $failures -eq 0 ] || exit 1
REPORT_SOURCE=$1/examples/report node browser.mjs "$browser" "$work"

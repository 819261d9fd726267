#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make.sh PROGRAM FOLDER: a small case and model, and every kind of file that is made of them, for the other tests here.
set -euo pipefail
program="$(realpath "$1")" folder="$2"
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
"$program" simulate --output case.h5 --views 24 --size 40 32 --pitch-mm 8 9 --grid-size 20 24 28 --grid-spacing-mm 7 6 5 \
  --train-views 8 --samples-per-pixel 1 --seed 3 --tree-min-radius-mm 0.8 --secondary-rad 0.2 --offset-u-mm 3 --quiet
"$program" reconstruct case.h5 --output run --preset togs --steps 30 --quiet --set gaussians.initial=300
cp run/model.h5 model.h5
time=2  # s, within the sweep
for name in one.nii one.nii.gz one.nrrd one.mha one.dcm; do "$program" voxelize model.h5 --output $name --time $time --quiet; done
for name in four.nii.gz four.seq.nrrd four.mha four.dcm; do "$program" voxelize model.h5 --output $name --frames 4 --quiet; done
for end in stl ply obj; do "$program" export surface model.h5 surface.$end --time $time --quiet --threshold-per-mm 2e-5; done
"$program" export gaussians model.h5 gaussians.ply --quiet
"$program" export gaussians model.h5 viewer.ply --viewer-ply --time $time --quiet
"$program" export geometry case.h5 geometry.xml --projections projections.mha --quiet
"$program" import gaussians gaussians.ply back.h5 --quiet
cmp model.h5 back.h5
"$program" render model.h5 --case case.h5 --views all --output pictures --quiet

# SPDX-License-Identifier: Apache-2.0
# Part of program_test.sh, which sources it: error bars of renders and volumes. Uses its functions, case.h5 and run/.

expect 0 "render with uncertainty" render run/model.h5 --case case.h5 --uncertainty --output sure.h5
says "render with uncertainty" '^wrote [0-9]+ renders of 32 x 32 pixels, with standard deviations, to sure.h5$' out.txt
extents() { h5dump -H -d "$1" sure.h5 | grep -o 'SIMPLE { ( [0-9, ]* )'; }
[ -n "$(extents /uncertainty)" ] && [ "$(extents /uncertainty)" = "$(extents /projections)" ] ||
  report "render --uncertainty: found $(extents /uncertainty) beside $(extents /projections)"
h5dump -d /uncertainty -y sure.h5 | awk -F '[ ,]+' '/^ +[-0-9]/ { for (i = 2; i <= NF; ++i) if ($i != "") { n++; if ($i < 0) bad = 1; if ($i > 0) some = 1 } }
  END { exit n < 1024 || bad || !some }' || report "render --uncertainty: expected standard deviations"
expect 0 "what it wrote is an acquisition" inspect sure.h5
expect 0 "render pictures with uncertainty" render run/model.h5 --case case.h5 --views 1,4 --uncertainty --output sure --quiet
there sure/view_0001.png sure/view_0001_uncertainty.png sure/view_0004_uncertainty.png
cmp -s sure/view_0001.png sure/view_0001_uncertainty.png && report "render --uncertainty: the same picture twice"
expect 0 "render a picture with uncertainty" render run/model.h5 --case case.h5 --views 4 --uncertainty --output bars.png --quiet
there bars.png bars_uncertainty.png
cp bars_uncertainty.png more_bars_uncertainty.png
expect 2 "an uncertainty that is there" render run/model.h5 --case case.h5 --views 4 --uncertainty --output more_bars.png --quiet
says "an uncertainty that is there" 'found one that is there: more_bars_uncertainty.png'
absent more_bars.png
expect 2 "uncertainty of a film" render run/model.h5 --case case.h5 --uncertainty --output sure.mp4
says "uncertainty of a film" '--uncertainty: expected --output FILE.h5, FILE.png or a folder with it, found sure.mp4'
expect 2 "uncertainty without a case" render run/model.h5 --time 1 --uncertainty --output sure_too.h5
says "uncertainty without a case" '--uncertainty requires --case'
expect 2 "uncertainty by another case" render run/model.h5 --case raw.h5 --uncertainty --output sure_too.h5
says "uncertainty by another case" 'raw.h5: /projections: expected the views that the model was trained on, found other values'
absent sure_too.h5

expect 0 "voxelize with uncertainty" voxelize run/model.h5 --output bars.nii.gz --uncertainty --case case.h5
says "voxelize with uncertainty" '^wrote bars_uncertainty.nii.gz$' out.txt
there bars.nii.gz bars_uncertainty.nii.gz
expect 0 "frames with uncertainty" voxelize run/model.h5 --output bars.nii --frames 3 --uncertainty --case case.h5 --quiet
[ "$(stat -c %s bars_uncertainty.nii)" -eq "$(stat -c %s bars.nii)" ] || report "voxelize --frames --uncertainty: other sizes"
cmp -s bars.nii bars_uncertainty.nii && report "voxelize --uncertainty: the same volume twice"
expect 2 "voxelize with uncertainty, without a case" voxelize run/model.h5 --output new.nii --uncertainty
says "voxelize with uncertainty, without a case" '--uncertainty requires --case'
expect 2 "voxelize with a case alone" voxelize run/model.h5 --output new.nii --case case.h5
says "voxelize with a case alone" '--case: expected --uncertainty or --support with it, found neither'
expect 2 "a volume's uncertainty by renders" voxelize run/model.h5 --output bars.seq.nrrd --uncertainty --case sure.h5
says "a volume's uncertainty by renders" 'sure.h5: /projections: expected '
expect 0 "voxelize with support" voxelize run/model.h5 --output seen.nii --spacing-mm 26 --support --case case.h5 --quiet
# The middle of the volume is seen by all 8 training views; the sweep's 200 degrees hold all lines of its plane.
middle() { od -An -tf4 -j$((352 + 4 * (3 * 36 + 3 * 6 + 3))) -N4 "$1" | tr -d ' '; }
[ "$(middle seen_views.nii)" = 8 ] || report "voxelize --support: $(middle seen_views.nii) views in the middle"
awk -v found="$(middle seen_spread.nii)" 'BEGIN { exit !(found > 150 && found <= 180) }' ||
  report "voxelize --support: spread over $(middle seen_spread.nii) degrees in the middle"
expect 2 "support as NRRD" voxelize run/model.h5 --output seen.nrrd --support --case case.h5
says "support as NRRD" '--support: expected --output FILE.nii or FILE.nii.gz with it, found seen.nrrd'
absent seen.nrrd seen_views.nrrd
absent new.nii bars.seq.nrrd bars_uncertainty.seq.nrrd

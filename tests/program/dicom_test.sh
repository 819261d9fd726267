#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dicom_test.sh PATH_OF_BINARY: `dsasrgs import dicom` from outside, on a run that DCMTK's dump2dcm writes. Skipped (exit code
# 77) without dump2dcm; in a build without DCMTK the error says which package to install.
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
command -v dump2dcm >/dev/null || { echo "Skipped: there is no dump2dcm (Debian: dcmtk)"; exit 77; }

# 5 frames of 16 x 16 pixels: 4000 counts, and from frame 2 on a square of 2000.
for frame in 1 2 3 4 5; do
  for row in {0..15}; do
    for column in {0..15}; do
      if [ $frame -gt 1 ] && [ $row -ge 6 ] && [ $row -lt 10 ] && [ $column -ge 6 ] && [ $column -lt 10 ]; then
        printf '\xd0\x07'
      else
        printf '\xa0\x0f'
      fi
    done
  done
done >pixels.raw
sed 's/@FRAMES@/5/; s/@ROWS@/16/; s/@COLUMNS@/16/; s/@PITCH@/5/g; s/@STEP@/15/' "$here/../support/rotational_run.dump" >run.dump
dump2dcm run.dump run.dcm || report "dump2dcm"

expect 2 "no output" import dicom run.dcm
"$program" import dicom run.dcm case.h5 >out.txt 2>err.txt
if grep -q libdcmtk-dev err.txt; then
  expect 1 "a build without DCMTK" import dicom run.dcm case.h5
  says "a build without DCMTK" "apt-get install libdcmtk-dev"
  absent case.h5
  exit $((failures > 0))
fi
expect 2 "a missing tag" import dicom run.dcm case.h5
says "a missing tag" "run.dcm: \(0018,1111\) DistanceSourceToPatient: .*sod_mm.* found no such tag"
absent case.h5
expect 2 "a file that is not there" import dicom absent.dcm case.h5
expect 2 "a setting that is none" import dicom run.dcm case.h5 --set sod=750
says "a setting that is none" "expected one of .*sod_mm"
expect 2 "a setting of text" import dicom run.dcm case.h5 --set sod_mm=far
expect 2 "a setting of another file" import dicom run.dcm case.h5 --set other.dcm:sod_mm=750
expect 2 "a setting given twice" import dicom run.dcm case.h5 --set sod_mm=750 --set sod_mm=760
says "a setting given twice" "--set sod_mm=760: expected sod_mm once for all files, found it twice"
expect 2 "--duration-s" import dicom run.dcm case.h5 --set sod_mm=750 --duration-s 3
says "--duration-s" "--duration-s: expected without"
expect 2 "mask frames and the background" import dicom run.dcm case.h5 --set sod_mm=750 --set mask_frames=1 --subtraction background
says "mask frames and the background" "--set mask_frames: expected without --subtraction background, found both"
expect 2 "mask frames and a mask run" import dicom run.dcm case.h5 --set sod_mm=750 --set run.dcm:mask_frames=1 --mask-run run.dcm
says "mask frames and a mask run" "--set run.dcm:mask_frames: expected without --mask-run, found both"
expect 2 "a mask run and the background" import dicom run.dcm case.h5 --mask-run run.dcm --subtraction background
expect 2 "a distance by hand" import dicom run.dcm case.h5 --set sod_mm=-1
says "a distance by hand" "run.dcm: --set sod_mm: expected a length in mm above 0, found -1$"
absent case.h5
expect 2 "the output is the input" import dicom run.dcm run.dcm --set sod_mm=750 --force

expect 0 "by hand" import dicom run.dcm case.h5 --set sod_mm=750 --volume-size 16 16 16 --volume-spacing-mm 3 3 3
says "by hand" "^positioner primary angle \(LAO positive\): -30 to 30 degrees" out.txt
says "by hand" "frames that are no views .*: 1$" out.txt
says "by hand" "^line integrals: 0 to 0.693$" out.txt
cp out.txt child.txt && cp case.h5 child.h5
DSASRGS_READ_DIRECTLY=1 expect 0 "in one process" import dicom run.dcm case.h5 --set sod_mm=750 --volume-size 16 16 16 \
  --volume-spacing-mm 3 3 3 --force
cmp -s out.txt child.txt || report "in one process: other lines than of a second one"
cmp -s case.h5 child.h5 || report "in one process: another case than of a second one"
expect 2 "nothing counts" import dicom run.dcm none.h5 --set sod_mm=750 --set saturation=0
says "nothing counts" "pixels: expected some that count, found none: all are hidden, saturated or without a mask$"
absent none.h5
grep -q Jane out.txt err.txt case.h5 && report "a patient's name is copied"
expect 2 "no --force" import dicom run.dcm case.h5 --set run.dcm:sod_mm=750
expect 0 "inspect" inspect case.h5
says "inspect" "^views +4$" out.txt
under_limits "DICOM under limits" import dicom run.dcm limited.h5 --set sod_mm=750 --force --quiet
mkdir folder && cp run.dcm folder/ && echo notes >folder/notes.txt
expect 0 "a folder" import dicom folder case.h5 --set sod_mm=750 --force --first-frame 3 --set mask_frames=1-1
says "a folder" "left alone: 1" out.txt
says "a folder" "^views: 3$" out.txt
head -c 100 run.dcm >folder/cut.dcm && mkdir folder/more
expect 0 "a file cut short" import dicom folder case.h5 --set sod_mm=750 --force --first-frame 3 --set mask_frames=1-1
says "a file cut short" "^warning: folder/cut.dcm: expected a DICOM file, as its name says, found another, which is left out$"
says "a folder in the folder" "^warning: folder: expected files, found the folder more too, which is not looked into$"
expect 0 "reconstruct" reconstruct case.h5 --output run --preset static --steps 5 --set gaussians.initial=50 --quiet
there run/model.h5
expect 2 "another program's DICOM file" voxelize run/model.h5 --output folder/run.dcm --spacing-mm 20 --force --quiet
says "another program's DICOM file" "^dsasrgs: error: --output: expected a new file, or with --force one that dsasrgs wrote, found another: folder/run.dcm$"
cmp -s run.dcm folder/run.dcm || report "another program's DICOM file was replaced"

# A head that moved by 1.5 columns and -0.75 rows between frame 1, the mask, and frames 2 and 3, which show a vessel, too.
awk 'function bone(x, y) { return 9 - 0.9 * exp(-((x - 20)^2 + (y - 26)^2) / 18) - 0.6 * exp(-((x - 32)^2 + (y - 18)^2) / 8) }
  BEGIN {
    for (f = 1; f <= 3; f++) for (y = 0; y < 48; y++) for (x = 0; x < 48; x++) {
      n = int(exp(f == 1 ? bone(x, y) : bone(x + 1.5, y - 0.75) - 0.4 * exp(-(x - 38)^2 / 4)) + 0.5)
      printf "\\x%02x\\x%02x", n % 256, int(n / 256)
    }
  }' >pixels.txt
printf "$(cat pixels.txt)" >pixels.raw
sed 's/@FRAMES@/3/; s/@ROWS@/48/; s/@COLUMNS@/48/; s/@PITCH@/5/g; s/@STEP@/15/; s/US 12$/US 16/; s/US 11$/US 15/' \
  "$here/../support/rotational_run.dump" >moved.dump
dump2dcm moved.dump moved.dcm || report "dump2dcm of a head that moved"
from=(import dicom moved.dcm)
by_hand=(--set sod_mm=750 --train-views 1)
expect 0 "a head that moved" "${from[@]}" aligned.h5 --align-masks "${by_hand[@]}"
says "a head that moved" '^moved the masks of 2 of 2 views, their corners by 1\.[67][0-9]* pixels on average and 1\.[67][0-9]* at the most .* took away a residue of 0\.[0-9]*' out.txt
says "a head that moved" 'expected another image in every view'
grep -q 'pixels at the maximum' err.txt && report "a head that moved: a warning of images that are others now"
expect 0 "inspect a head that moved" inspect aligned.h5
says "inspect a head that moved" '^masks_moved +in 2 views, by up to 1\.[67][0-9]* pixels$' out.txt
expect 0 "inspect a head that moved, as JSON" inspect aligned.h5 --json
says "inspect a head that moved, as JSON" '"largest_px": 1\.[67]' out.txt
expect 0 "intensities" "${from[@]}" masked.h5 --save-intensity "${by_hand[@]}" --quiet
expect 0 "align later" align masked.h5 --output later.h5
says "align later" '^moved the masks of 2 of 2 views, their corners by 1\.[67][0-9]* pixels' out.txt
expect 0 "inspect masks that lie where they lay" inspect masked.h5
grep -q masks_moved out.txt && report "inspect: masks that were not moved"
expect 0 "a moved head as it is" "${from[@]}" plain.h5 "${by_hand[@]}"
says "a moved head as it is" 'pixels at the maximum'
for file in masked plain; do
  "$program" inspect $file.h5 --json 2>/dev/null | grep -A 3 line_integral_range | tr -d '\n' | sed 's/\(\.[0-9]\{4\}\)[0-9]*/\1/g' >$file.txt
done
cmp -s masked.txt plain.txt || report "intensities: $(cat masked.txt) as line integrals, without them $(cat plain.txt)"
expect 2 "a mask that is far away" "${from[@]}" none.h5 --align-masks --largest-px 1 "${by_hand[@]}"
says "a mask that is far away" '^dsasrgs: error: moved.dcm: mask: expected a mask that fits its view when its corners move by at most 1 pixels, found view 0'
for option in --leave-out --largest-px; do
  expect 2 "$option alone" "${from[@]}" none.h5 $option 1 "${by_hand[@]}"
  says "$option alone" "^dsasrgs: error: $option: expected with --align-masks, found without$"
done
for option in --align-masks --save-intensity; do
  expect 2 "$option of the background" "${from[@]}" none.h5 $option --subtraction background "${by_hand[@]}"
  says "$option of the background" "^dsasrgs: error: $option: expected without --subtraction background, which has no masks, found both$"
done
expect 2 "aligned intensities" "${from[@]}" none.h5 --align-masks --save-intensity "${by_hand[@]}"
says "aligned intensities" "^dsasrgs: error: --save-intensity: expected without --align-masks, found both"
expect 2 "logarithms without a scale" "${from[@]}" none.h5 --align-masks --set relationship=LOG "${by_hand[@]}"
says "logarithms without a scale" '^dsasrgs: error: moved.dcm: --set log_scale: expected the scale of logarithmic values, where --align-masks is asked for, found none'
expect 2 "intensities of logarithms" "${from[@]}" none.h5 --save-intensity --set relationship=LOG --set log_scale=0.001 "${by_hand[@]}"
says "intensities of logarithms" 'PixelIntensityRelationship: expected LIN, .* where --save-intensity is asked for, found LOG'
absent none.h5
exit $((failures > 0))

# SPDX-License-Identifier: Apache-2.0
# Part of program_test.sh, which sources it: implausible cases are warned of, and refused with --strict.

# warns NAME PATTERN: stderr has one warning, and it is this one.
warns() {
  [ "$(grep -c '^warning: ' err.txt)" -eq 1 ] || report "$1: expected one warning: $(cat err.txt)"
  grep -qE -- "$2" err.txt || report "$1: expected '$2' in: $(cat err.txt)"
}

# A detector of 32 mm, as if its pitch had been given in cm; a tree so small that it is seen.
expect 0 "simulate a pitch in cm" simulate --output cm.h5 --quiet --views 24 --size 32 32 --pitch-mm 0.96 --grid-size 24 \
  --grid-spacing-mm 0.65 --train-views 8 --samples-per-pixel 1 --tree-half-axes-mm 7 8 6 --tree-inlet-radius-mm 1 \
  --tree-min-radius-mm 0.3
pitch='pixel_pitch_mm: expected .* 2 to 60 degrees, found 1.47 degrees: 30.7 mm, 1200 mm away'

for f in case.h5 raw.h5 swc.h5; do
  expect 0 "inspect $f strictly" inspect $f --strict
  [ -s err.txt ] && report "inspect $f: warned: $(cat err.txt)"
done
expect 0 "inspect --json of a plausible case" inspect case.h5 --json
grep -q '"findings": \[\]' out.txt || report "inspect --json: no empty list of findings"
expect 0 "reconstruct a plausible case strictly" reconstruct case.h5 --output plausible --strict --quiet --preset static \
  --steps 5 --set gaussians.initial=200

expect 0 "inspect a pitch in cm" inspect cm.h5
warns "inspect a pitch in cm" "^warning: cm.h5: /geometry@$pitch"
grep -q '^views *24$' out.txt || report "inspect a pitch in cm: no line 'views 24'"
expect 0 "inspect --json of a pitch in cm" inspect cm.h5 --json
grep -q '"kind": "detector_size"' out.txt || report "inspect --json: no finding: $(cat out.txt)"
[ "$(number out.txt limit)" = 2.0 ] || report "inspect --json: limit $(number out.txt limit), expected 2.0"
expect 2 "inspect a pitch in cm strictly" inspect cm.h5 --strict
says "inspect a pitch in cm strictly" "cm.h5: --strict: expected nothing implausible, found 1 finding: .*$pitch"
[ -s out.txt ] && report "inspect --strict printed: $(cat out.txt)"
expect 2 "inspect a checkpoint strictly" inspect run/checkpoint.h5 --strict
says "inspect a checkpoint strictly" '--strict: expected an acquisition file to go with it, found run/checkpoint.h5 of the format dsasrgs.checkpoint$'

expect 0 "reconstruct a pitch in cm" reconstruct cm.h5 --output cm --preset static --steps 5 --set gaussians.initial=200
warns "reconstruct a pitch in cm" "^warning: cm.h5: .*$pitch"
there cm/metrics.json cm/model.h5
expect 0 "reconstruct a pitch in cm quietly" reconstruct cm.h5 --output cm_quiet --preset static --steps 5 --quiet \
  --set gaussians.initial=200
[ -s out.txt ] || [ -s err.txt ] && report "reconstruct --quiet printed: $(cat out.txt err.txt)"
for quiet in "" --quiet; do
  expect 2 "reconstruct a pitch in cm strictly $quiet" reconstruct cm.h5 --output cm_strict --preset static --steps 5 \
    --strict $quiet
  says "reconstruct a pitch in cm strictly $quiet" "$pitch"
  [ -s out.txt ] && report "reconstruct --strict printed: $(cat out.txt)"
done
absent cm_strict
cp -r plausible untouched
expect 2 "a strict refusal over an earlier run" reconstruct cm.h5 --output untouched --force --preset static --steps 5 --strict
diff -r plausible untouched >diff.txt || report "reconstruct --force --strict changed an earlier run: $(cat diff.txt)"

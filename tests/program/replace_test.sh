# SPDX-License-Identifier: Apache-2.0
# Sourced by program_test.sh: outputs that are there already, what outputs are named, and what they say they are.

# ---- nothing is replaced unasked, and with --force nothing that another program wrote -----------------------------------------------------
mkdir replaced
# replaces NAME FILE ARGUMENTS...: ARGUMENTS make FILE.
replaces() {
  local name=$1 file=$2
  shift 2
  expect 0 "$name: new" "$@" --quiet
  expect 2 "$name: there" "$@" --quiet
  says "$name: there" '^dsasrgs: error: (--)?output: expected a new file \(or --force\), found one that is there: '
  expect 0 "$name: --force" "$@" --quiet --force
  case $file in  # the same of another program
    *.gz) gzip -dc "$file" | LC_ALL=C sed 's/dsasrgs/another/gI' | gzip ;;
    *) LC_ALL=C sed 's/dsasrgs/another/gI' "$file" ;;
  esac >replaced/foreign
  cp replaced/foreign "$file"
  expect 2 "$name: another program's" "$@" --quiet --force
  says "$name: another program's" '^dsasrgs: error: (--)?output: expected a new file, or with --force one '
  cmp -s replaced/foreign "$file" || report "$name: replaced another program's file"
  echo "a letter" >"$file"
  expect 2 "$name: another kind" "$@" --quiet --force
  says "$name: another kind" '^dsasrgs: error: (--)?output: expected a new file, or with --force one '
  [ "$(cat "$file")" = "a letter" ] || report "$name: replaced a letter"
}
model=run/model.h5
for end in nii.gz nrrd mha dcm; do
  replaces "voxelize .$end" replaced/v.$end voxelize $model --output replaced/v.$end --time 1 --spacing-mm 20
done
expect 0 "a whole name in capitals" voxelize $model --output replaced/w.NII.GZ --time 1 --spacing-mm 20 --quiet
[ "$(head -c 2 replaced/w.NII.GZ | od -An -tx1 | tr -d ' ')" = 1f8b ] || report ".NII.GZ: not compressed"
for end in STL obj; do
  replaces "export surface .$end" replaced/s.$end export surface $model replaced/s.$end --time 2 --threshold-per-mm 1e-6
done
replaces "export gaussians" replaced/g.ply export gaussians $model replaced/g.ply
replaces "export geometry" replaced/g.xml export geometry case.h5 replaced/g.xml
expect 0 "export projections" export geometry case.h5 replaced/p.XML --projections replaced/p.mha --quiet
expect 2 "export projections: there" export geometry case.h5 replaced/q.xml --projections replaced/p.mha --quiet
says "export projections: there" '^dsasrgs: error: --projections: expected a new file'
absent replaced/q.xml
replaces "render .h5" replaced/r.h5 render $model --time 1 --size 8 8 --output replaced/r.h5
replaces "render .png" replaced/r.png render $model --time 1 --size 8 8 --output replaced/r.png
replaces "render pictures" replaced/pictures/view_0001.png render $model --frames 2 --size 8 8 --output replaced/pictures
replaces "simulate" replaced/case.h5 simulate --output replaced/case.h5 --views 4 --size 8 8 --pitch-mm 38 --grid-size 8 --grid-spacing-mm 20
echo "a letter" >replaced/scores.json
expect 2 "evaluate: a letter for JSON" evaluate $model --case case.h5 --json replaced/scores.json
says "evaluate: a letter for JSON" '--json: expected a new file or one that evaluate wrote, found another'
cp run/metrics.json replaced/metrics.json
expect 2 "evaluate: a run's numbers" evaluate $model --case case.h5 --json replaced/metrics.json
says "evaluate: a run's numbers" '--json: expected a new file or one that evaluate wrote, found another'
cmp -s run/metrics.json replaced/metrics.json || report "evaluate: replaced a run's numbers"
echo '{"a": 1}' >replaced/other.json
expect 2 "evaluate: other JSON" evaluate $model --case case.h5 --json replaced/other.json
for again in 1 2; do expect 0 "evaluate: its own" evaluate $model --case case.h5 --json replaced/own.json --quiet; done
ln -s nowhere replaced/link.nrrd
expect 2 "a link to nothing" voxelize $model --output replaced/link.nrrd --time 1 --spacing-mm 20 --quiet --force
says "a link to nothing" 'found a link to nothing'
[ -L replaced/link.nrrd ] || report "a link to nothing was replaced"
expect 0 "a moment beyond the sweep" voxelize $model --output late.nrrd --time 99 --spacing-mm 20
grep -aq '^time_s:=99' <(head -n 20 late.nrrd | tr -d '\0') && report "late.nrrd says that it is of 99 s"

# ---- names --------------------------------------------------------------------------------------------------------------------
for name in p.mp4x p.jpeg p.h5x; do
  expect 2 "render $name" render $model --time 1 --output $name
  says "render $name" '--output: expected FILE.h5, FILE.png, FILE.mp4, FILE.webp or a folder'
  absent $name
done
expect 0 "a folder with a point" render $model --time 1 --size 8 8 --output pictures.v2/
says "a folder with a point" '^wrote 1 render of 8 x 8 pixels to pictures.v2/$' out.txt
expect 2 "a report for another program" report run --output rep.pdf
says "a report for another program" '--output: expected a file named .html, found rep.pdf'
expect 2 "no name" simulate --output ""
says "no name" '--output: expected a file, found an empty name'
absent rep.pdf

# ---- options that the output does not heed -------------------------------------------------------------------------------------
expect 2 "frames per second of an acquisition" render $model --time 1 --output new.h5 --fps 5
says "frames per second of an acquisition" '--fps: expected --output FILE.mp4 or FILE.webp with it, found new.h5'
expect 2 "frames per second of pictures" render $model --time 1 --output new --fps 5
expect 2 "window of an acquisition" render $model --time 1 --output new.h5 --window 2
says "window of an acquisition" '--window: expected --output of pictures or a film with it, found new.h5'
for rate in 0 -1 nan 1e-9 1001 1e300; do expect 2 "$rate frames per second" render $model --time 1 --output new.mp4 --fps $rate; done
for pitch in 0 -1 nan 1e-9 1e10; do
  expect 2 "a pitch of $pitch" render $model --time 1 --output new.h5 --pitch-mm $pitch
  says "a pitch of $pitch" '^dsasrgs: error: --pitch-mm: expected '
done
for size in "0 8" "8 -1" "2000000 8" "8 1e3" "8"; do
  expect 2 "a size of $size" render $model --time 1 --output new.h5 --size $size
  says "a size of $size" '^dsasrgs: error: --size: expected '
done
absent new new.h5 new.mp4

# ---- what a volume and projections say that they are ---------------------------------------------------------------------------
last=$(h5dump -d /time_s -y case.h5 | tr -s ", " "\n" | grep -E "^[0-9.]+$" | tail -n 1)
for end in nrrd mha nii dcm; do expect 0 "a mean .$end" voxelize $model --output mean.$end --spacing-mm 20 --quiet; done
says "a mean .nrrd" "^mean_from_s:=0(\.0)?$" <(head -n 20 mean.nrrd | tr -d '\0')
says "a mean .nrrd" "^mean_until_s:=$last" <(head -n 20 mean.nrrd | tr -d '\0')
says "a mean .mha" "^MeanUntil_s = $last" <(head -n 20 mean.mha | tr -d '\0')
for f in mean.nrrd mean.mha; do
  head -n 20 $f | grep -aE '^time_s:=|AcquisitionTime_s' >/dev/null && report "$f: a mean says that it is of a moment"
done
description() { head -c 228 | tail -c 80 | tr -d '\0'; }  # NIfTI-1: descrip
grep -aqE "Mean from 0(\.0)? to $last(\.0)? s\." mean.dcm || report "mean.dcm: it does not say that it is a mean"
says "a mean .nii" "^dsasrgs: mean from 0(\.0)? to $last" <(description <mean.nii)
says "a run's volume" "^dsasrgs: mean from 0(\.0)? to $last" <(gzip -dc run/volume.nii.gz | description)
head -n 4 replaced/p.mha | tr -d '\0' >header.txt
says "projections" '^Comment = dsasrgs: line integrals' header.txt
grep -qE 'AcquisitionTime|attenuation' header.txt && report "projections: $(cat header.txt)"

# ---- a metrics.json that somebody changed ---------------------------------------------------------------------------------------
cp -r run changed
sed '0,/"format"/s//"case": "x", "format"/' run/metrics.json >changed/metrics.json
expect 2 "a name twice" report changed --output changed/new.html
says "a name twice" 'changed/metrics.json: content: expected a JSON object, found case: expected one value, found two in one object'

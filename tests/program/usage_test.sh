# SPDX-License-Identifier: Apache-2.0
# Sourced by program_test.sh: what is refused, arguments that cannot be and files that are broken with dd and truncate; wrong fields
# inside HDF5 files are tested in tests/lib.

# ---- bad usage: exit 2, nothing written -----------------------------------------------------------------------------
expect 2 "no subcommand"
expect 2 "unknown subcommand" rebuild
expect 2 "unknown option" inspect case.h5 --colour
expect 2 "no case" reconstruct --output new
expect 2 "no output" reconstruct case.h5
expect 2 "text for a number" reconstruct case.h5 --output new --steps many
expect 2 "negative threads" reconstruct case.h5 --output new --threads -1
expect 2 "unknown device" reconstruct case.h5 --output new --device tpu
expect 2 "unknown preset" reconstruct case.h5 --output new --preset 5drgs
says "unknown preset" '--preset.*expected 4drgs.*found 5drgs'
expect 2 "unknown field" reconstruct case.h5 --output new --set training.stepps=3
says "unknown field" 'training.stepps'
expect 2 "value out of range" reconstruct case.h5 --output new --set training.ssim_weight=2
says "value out of range" 'training.ssim_weight.*expected.*found'
expect 2 "wrong type" reconstruct case.h5 --output new --set training.steps=abc
expect 2 "no steps" reconstruct case.h5 --output new --steps 0
expect 2 "not a number" reconstruct case.h5 --output new --set training.ssim_weight=nan
expect 2 "no assignment" reconstruct case.h5 --output new --set training.steps
echo 'training = 3' >bad.toml
expect 2 "wrong TOML" reconstruct case.h5 --output new --config bad.toml
says "wrong TOML" 'bad.toml.*training.*expected.*found'
echo '[training' >bad.toml
expect 2 "broken TOML" reconstruct case.h5 --output new --config bad.toml
expect 2 "no TOML" reconstruct case.h5 --output new --config none.toml
expect 2 "too many training views" reconstruct case.h5 --output new --train-views 25
says "too many training views" '--train-views: expected 1 to 24, found 25$'
expect 2 "too few views for FDK" reconstruct case.h5 --output new --hold-out 0,3,6,9,15,18,21 --steps 5
says "too few views for FDK" 'case.h5: training views: expected 2 or more where gaussians.init = fdk, found 1$'
expect 2 "held-out test view" reconstruct case.h5 --output new --hold-out 3,4
says "held-out test view" '^dsasrgs: error: --hold-out: expected training views of .*case.h5, found view 4, which is none$'
expect 2 "all held out" reconstruct case.h5 --output new --hold-out 0,3,6,9,12,15,18,21
expect 2 "no such view held out" reconstruct case.h5 --output new --hold-out 24
says "no such view held out" '--hold-out: expected views of 0 to 23'
expect 2 "nothing named to hold out" reconstruct case.h5 --output new --hold-out "" --steps 5
says "nothing named to hold out" '--hold-out: expected a value, found an empty one'
expect 2 "labels without a name" reconstruct case.h5 --output new --labels "" --steps 5
expect 2 "configuration without a name" reconstruct case.h5 --output new --config "" --steps 5
says "configuration without a name" '--config: expected a value'
expect 2 "views without a list" evaluate run/model.h5 --case case.h5 --views ""
expect 2 "labels that nothing uses" reconstruct case.h5 --output new --labels labels_bicubic.h5 --steps 5
says "labels that nothing uses" '--labels: expected super_resolution.target = .*found super_resolution.target = none'
for threshold in nan -1 0 inf; do
  expect 2 "surface threshold $threshold" reconstruct case.h5 --output new --steps 5 --surface-threshold-per-mm $threshold
  says "surface threshold $threshold" "--surface-threshold-per-mm: expected a positive number, found $threshold"
  expect 2 "evaluate: surface threshold $threshold" evaluate run/model.h5 --case case.h5 \
    --surface-threshold-per-mm $threshold
done
expect 2 "no training views" reconstruct case.h5 --output new --train-views 0
expect 2 "finished run" reconstruct case.h5 --output run --steps 5
says "finished run" 'finished run'
says "finished run" 'force replaces it'
expect 2 "nothing to resume" reconstruct case.h5 --output new --resume
expect 2 "view out of range" evaluate run/model.h5 --case case.h5 --views 24
expect 2 "backward range" evaluate run/model.h5 --case case.h5 --views 5-3
for list in x 1, -1; do expect 2 "views $list" evaluate run/model.h5 --case case.h5 "--views=$list"; done
expect 2 "not a view" render run/model.h5 --case case.h5 --views first --output new
expect 2 "neither case nor pose" render run/model.h5 --output new
expect 2 "case and pose" render run/model.h5 --case case.h5 --primary-rad 1 --output new
expect 2 "degrees as radians" render run/model.h5 --primary-rad 90 --time 1 --output new
expect 2 "SDD below SOD" render run/model.h5 --sod-mm 800 --sdd-mm 700 --time 1 --output new
expect 2 "source inside the volume" render run/model.h5 --sod-mm 50 --time 1 --output new
expect 2 "empty detector" render run/model.h5 --size 0 10 --time 1 --output new
expect 2 "time is NaN" render run/model.h5 --time nan --output new.h5
expect 2 "scale 0" render run/model.h5 --case case.h5 --scale 0 --output new
expect 2 "time and mean" voxelize run/model.h5 --output new.nii --time 1 --mean
expect 2 "no name of a volume" voxelize run/model.h5 --output new.mhd
says "no name of a volume" '--output: expected a file named .nii, .nii.gz, .nrrd, .seq.nrrd, .mha or .dcm, found new.mhd'
expect 2 "export: no kind" export run/model.h5 new.stl
expect 2 "export: no name of a surface" export surface run/model.h5 new.off
says "export: no name of a surface" 'output: expected a file named .stl, .ply or .obj, found new.off'
expect 2 "export: a threshold above all" export surface run/model.h5 new.stl --threshold-per-mm 1e6
says "export: a threshold above all" '--threshold-per-mm: expected less than the largest attenuation, [0-9.e-]+ 1/mm, found 1e\+06'
for threshold in nan 0 -1; do expect 2 "export: threshold $threshold" export surface run/model.h5 new.stl --threshold-per-mm $threshold; done
expect 2 "export: time and mean" export surface run/model.h5 new.stl --time 1 --mean
expect 2 "export: time of no moment" export gaussians run/model.h5 new.ply --time 1
expect 2 "export: time is NaN" export gaussians run/model.h5 new.ply --viewer-ply --time nan
expect 2 "export: gaussians of a case" export gaussians case.h5 new.ply
expect 2 "export: no name of a PLY" export gaussians run/model.h5 new.txt
expect 2 "export: geometry of a model" export geometry run/model.h5 new.xml
expect 2 "export: geometry and projections elsewhere" export geometry case.h5 new.xml --projections new/p.mha
expect 2 "import: no PLY of ours" import gaussians tree.swc new.h5
says "import: no PLY of ours" '^dsasrgs: error: tree.swc: line 1: expected ply, found 1 0 0 -40 0 2 -1$'
mkfifo pipe.ply
expect 2 "import: a pipe" import gaussians pipe.ply new.h5
expect 2 "render: a film of no rate" render run/model.h5 --time 1 --output new.mp4 --fps 0
expect 2 "render: times and frames" render run/model.h5 --time 1 --frames 3 --output new
absent new new.*
expect 2 "no frames" voxelize run/model.h5 --output new.nii --frames 0
expect 2 "zero spacing" voxelize run/model.h5 --output new.nii --spacing-mm 0
expect 2 "huge volume" voxelize run/model.h5 --output new.nii --spacing-mm 0.001
expect 2 "simulate: SDD below SOD" simulate --output new.h5 --sod-mm 1200 --sdd-mm 750
expect 2 "simulate: degrees" simulate --output new.h5 --secondary-rad 30
expect 2 "simulate: source inside the volume" simulate --output new.h5 "${case_options[@]}" --sod-mm 50
expect 2 "simulate: no views" simulate --output new.h5 --views 0
expect 2 "simulate: zero size" simulate --output new.h5 --size 0 32
expect 2 "simulate: zero pitch" simulate --output new.h5 --pitch-mm 0
expect 2 "simulate: negative photons" simulate --output new.h5 --photons -5 "${case_options[@]}"
expect 2 "simulate: negative seed" simulate --output new.h5 --views 4 --train-views 2 --size 8 8 --seed -1
says "simulate: negative seed" '--seed.*-1'
expect 2 "simulate: two grid sizes" simulate --output new.h5 --grid-size 3 4
expect 2 "simulate: unknown vessels" simulate --output new.h5 --vessels vessels.obj
expect 2 "simulate: volume without threshold" simulate --output new.h5 --vessels brain.nii
printf '1 2 0 0 -40 2 -1\n2 2 0 0 0 0 1\n' >zero.swc
expect 2 "simulate: a radius of zero" simulate --output new.h5 --vessels zero.swc "${sweep_options[@]}"
says "simulate: a radius of zero" 'zero.swc: line 2: radius: expected a positive length'
expect 0 "simulate: a radius of zero repaired" simulate --output repaired.h5 --vessels zero.swc --min-radius-mm 0.5 \
  "${sweep_options[@]}" --arrival-s 1000
says "simulate: contrast too late" '^warning: repaired.h5: expected vessels in some view, found none'
expect 2 "simulate: smallest radius of no file" simulate --output new.h5 --min-radius-mm 0.5 "${case_options[@]}"
says "simulate: smallest radius of no file" '--min-radius-mm: expected --vessels FILE.swc with it, found --vessels tree$'
expect 2 "simulate: too many views" simulate --output new.h5 --views 2000000000 --train-views 2
says "simulate: too many views" '--views: expected 1 to 1048576, found 2000000000$'
if (ulimit -v 4000000 && "$program" --version) >out.txt 2>&1; then  # a sanitizer needs more
  (ulimit -v 4000000 && exec "$program" simulate --output new.h5 --threads 1000) >out.txt 2>err.txt
  [ $? = 2 ] || report "simulate: more threads than can be started: $(cat err.txt)"
  says "simulate: more threads than can be started" 'threads: expected no more than the system starts'
fi
expect 2 "simulate: raw volume without size" simulate --output new.h5 --vessels brain.raw --vessel-threshold 9
expect 2 "labels: unknown method" labels case.h5 --method esrgan --output new.h5
expect 2 "labels: scale 0" labels case.h5 --method bicubic --scale 0 --output new.h5
expect 2 "labels: no truth of that scale" labels case.h5 --method oracle --scale 4 --output new.h5
says "labels: no truth of that scale" 'reference projections of scale 4.*found scale 2'
expect 2 "labels: bad strength" labels case.h5 --method oracle --scale 2 --missing-strength 2 --output new.h5
expect 2 "labels: negative seed" labels case.h5 --method oracle --scale 2 --seed -1 --output new.h5
says "labels: negative seed" '--seed.*-1'
expect 2 "labels: too many branches" labels case.h5 --method oracle --scale 2 --false-branches 1001 --output new.h5
says "labels: too many branches" '--false-branches'
expect 2 "labels: too many missing" labels case.h5 --method oracle --scale 2 --missing-branches 1001 --output new.h5
expect 2 "labels: options of the oracle" labels case.h5 --method bicubic --scale 2 --false-branches 3 --output new.h5
says "labels: options of the oracle" '--false-branches: expected --method oracle.*found --method bicubic'
expect 2 "labels: seed of the oracle" labels case.h5 --method lanczos --scale 2 --seed 3 --output new.h5
expect 2 "labels: view out of range" labels case.h5 --method bicubic --views 24 --output new.h5
absent new new.h5 new.nii

# ---- bad input ----------------------------------------------------------------------------------------------------------
head -c 100 /dev/zero >zeros.h5
head -c 5000 case.h5 >short.h5
cp case.h5 cut.h5 && truncate -s -4000 cut.h5
: >empty.h5
for f in zeros.h5 short.h5 cut.h5 empty.h5; do
  expect 2 "inspect $f" inspect $f
  says "inspect $f" "$f.*expected.*found"
  expect 2 "reconstruct $f" reconstruct $f --output new --steps 5
  expect 2 "evaluate $f" evaluate $f --case case.h5 --json new.json
done
cp run/model.h5 cut_model.h5 && truncate -s -3000 cut_model.h5
expect 2 "truncated model" render cut_model.h5 --case case.h5 --output new.h5
cp case.h5 header.h5 && dd if=/dev/zero of=header.h5 bs=1 seek=100 count=700 conv=notrunc status=none
expect 2 "overwritten header" inspect header.h5
expect 2 "model for a case" reconstruct run/model.h5 --output new
says "model for a case" 'format.*dsasrgs.acquisition.*dsasrgs.model'
expect 2 "case for a model" voxelize case.h5 --output new.nii
printf '1 0 0 0 0 0 -1\n2 0 9 0 0 1 1\n' >bad.swc
expect 2 "zero radius" simulate --vessels bad.swc --output new.h5
says "zero radius" 'bad.swc: line 1: radius: expected .*found 0'
printf '1 0 0 0 0 1 -1\n2 0 9 0 0 1 7\n' >bad.swc
expect 2 "unknown parent" simulate --vessels bad.swc --output new.h5
printf '1 0 0 0 0 1\n' >bad.swc
expect 2 "missing field" simulate --vessels bad.swc --output new.h5
head -c 999 /dev/zero >bad.raw
expect 2 "wrong number of voxels" simulate --vessels bad.raw --volume-size 10 10 10 --volume-spacing-mm 1 1 1 \
  --vessel-threshold 1 --output new.h5
says "wrong number of voxels" '1000.*999'
head -c 999 /dev/zero >bad.nii
expect 2 "not NIfTI" simulate --vessels bad.nii --vessel-threshold 1 --output new.h5
absent new new.h5 new.nii new.json

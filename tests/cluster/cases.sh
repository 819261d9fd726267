# SPDX-License-Identifier: Apache-2.0
# Small cases for the tests of examples/cluster, which source it in an empty folder: cases COUNT. Leaves cases/, small.toml and
# the model of each in whole/, as one process makes it that nothing disturbs.
export DSASRGS OMP_WAIT_POLICY=passive DSASRGS_READ_DIRECTLY=1
failures=0
report() { echo "FAILED: $*" >&2; failures=$((failures + 1)); }
says() { grep -qE -- "$2" "$1" || report "expected '$2' in $1: $(cat "$1")"; }

make_cases() {  # COUNT STEPS
  local k
  mkdir cases whole
  for ((k = 1; k <= $1; k++)); do
    "$DSASRGS" simulate --output "cases/case $k.h5" --views 24 --size 32 32 --pitch-mm 9.6 --grid-size 24 --grid-spacing-mm 6.5 \
      --train-views 8 --samples-per-pixel 1 --seed "$k" --tree-min-radius-mm 0.8 --quiet
  done
  cat >small.toml <<END
preset = "4drgs"
training.steps = $2
gaussians.initial = 400
field = { width = 16, grid3d = { levels = 4, log2_entries = 10 }, grid4d = { levels = 4, log2_entries = 10 } }
density_control = { first_step = 10, every = 10, last_step = 60 }
END
}
# The run of a case is the one that nothing disturbed.
same_as_whole() {  # NAME
  "$DSASRGS" reconstruct "cases/$1.h5" --config small.toml --threads 1 --quiet --output "whole/$1" || report "whole/$1"
  cmp "results/$1/model.h5" "whole/$1/model.h5" || report "$1: another model"
}
wait_for() {  # SECONDS COMMAND...: until it succeeds
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || { report "waited in vain for: $*"; return 1; }
    sleep 0.05
  done
}

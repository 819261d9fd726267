# SPDX-License-Identifier: Apache-2.0
# What parallel.sh and slurm.sh have in common; they source it with their own arguments, CASES RESULTS CONFIG.toml [OPTIONS...].
# Leaves `results`, and `left`, the cases that are not finished.
if [ $# -lt 3 ]; then
  echo "usage: bash $0 CASES_FOLDER RESULTS_FOLDER CONFIG.toml [OPTIONS OF dsasrgs reconstruct...]" >&2
  exit 2
fi
fail() { echo "$(basename "$0"): $*" >&2; exit 2; }
cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -d "$1" ] || fail "expected a folder of acquisitions, found none: $1"
[ -f "$3" ] || fail "expected a configuration, found none: $3"
for tool in flock jq; do
  command -v $tool >/dev/null || fail "expected the program $tool, found none (Debian: util-linux, jq)"
done
program=${DSASRGS:-$(command -v dsasrgs || true)}
[ -x "$program" ] || fail "expected the program dsasrgs in PATH, or its path in the variable DSASRGS, found none"
program=$(realpath "$program")
cases=$(realpath "$1")
mkdir -p "$2"
results=$(realpath "$2")
[ "$results" != "$cases" ] || fail "expected another folder for the results, found that of the cases: $results"
# A run goes on with the configuration that it began with, so all that are begun here have the same.
if [ -e "$results/config.toml" ] && ! cmp -s "$3" "$results/config.toml"; then
  fail "expected the configuration that the results were begun with, $results/config.toml, found another: $3"
fi
[ -e "$results/config.toml" ] || cp "$3" "$results/config.toml"
shift 3
printf '%s\n' "$program" "$@" >"$results/command"

left=()
finished=0
for case in "$cases"/*.h5; do
  [ -e "$case" ] || fail "expected acquisitions (*.h5), found none in $cases"
  [[ $case != *$'\n'* ]] || fail "expected names of one line, found $(printf %q "$case")"
  if [ -e "$results/$(basename "$case" .h5)/metrics.json" ]; then
    finished=$((finished + 1))
  else
    left+=("$case")
  fi
done
echo "$((finished + ${#left[@]})) cases, $finished of them finished earlier"

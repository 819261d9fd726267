# SPDX-License-Identifier: Apache-2.0
# What parallel.sh and slurm.sh have in common; they source it with their own arguments, CASES RESULTS CONFIG.toml [OPTIONS...].
# Leaves `results`, and `left`, the cases that are not finished.
if [ $# -lt 3 ]; then
  echo "usage: bash $0 CASES_FOLDER RESULTS_FOLDER CONFIG.toml [OPTIONS OF dsasrgs reconstruct...]" >&2
  exit 2
fi
fail() { echo "$(basename "$0"): $*" >&2; exit 2; }
cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# A name with blanks that is not quoted, or cases/*.h5, comes as several words.
quotes="(one folder of cases; names with blanks need quotes)"
[ -d "$1" ] || fail "expected a folder of acquisitions, found none: $1 $quotes"
[ ! -e "$2" ] || [ -d "$2" ] || fail "expected a folder for the results, found a file: $2 $quotes"
[ -f "$3" ] || fail "expected a configuration, found none: $3 $quotes"
[[ ${4:--} == -* ]] || fail "expected options of dsasrgs reconstruct behind the configuration, found: $4 $quotes"
for tool in flock jq; do
  command -v $tool >/dev/null || fail "expected the program $tool, found none (Debian: util-linux, jq)"
done
program=${DSASRGS:-$(command -v dsasrgs || true)}
[ -x "$program" ] || fail "expected the program dsasrgs in PATH, or its path in the variable DSASRGS, found none"
program=$(realpath "$program")
cases=$(realpath "$1")
mkdir -p "$2" || fail "expected a folder for the results that can be made, found another: $2"
results=$(realpath "$2")
[ "$results" != "$cases" ] || fail "expected another folder for the results, found that of the cases: $results"
# A run goes on with the configuration that it began with, so all that are begun here have the same. Where none got as far as a
# checkpoint (a configuration with a mistake) and none is under way, it may still be another.
is_begun() {
  local file
  for file in "$results"/*/checkpoint.h5 "$results"/*/metrics.json; do [ ! -e "$file" ] || return 0; done
  for file in "$results"/.*.lock; do
    [ ! -e "$file" ] || flock --nonblock "$file" true || return 0
  done
  return 1
}
if [ -e "$results/config.toml" ] && ! cmp -s "$3" "$results/config.toml" && is_begun; then
  fail "expected the configuration that the results were begun with, $results/config.toml, found another: $3"
fi
cmp -s "$3" "$results/config.toml" || cp "$3" "$results/config.toml"
shift 3
printf '%s\n' "$program" "$@" >"$results/command"

left=()
finished=0
for case in "$cases"/*.[hH]5; do
  [ -e "$case" ] || fail "expected acquisitions (*.h5), found none in $cases"
  name=$(basename "$case")
  name=${name%.[hH]5}
  [ ! -e "$cases/$name.h5" ] || [ ! -e "$cases/$name.H5" ] || [ "$cases/$name.h5" -ef "$cases/$name.H5" ] ||
    fail "expected another name for each case, found $name.h5 and $name.H5 in $cases"
  case $name in  # what else is in the folder of the results
    command | config.toml | slurm.log | summary.* | cases.* | *.log | *.status | *.lock)
      fail "expected names that are not those of the results' own files, found $case" ;;
  esac
  [[ $case != *$'\n'* ]] || fail "expected names of one line, found $(printf %q "$case")"
  if [ -e "$results/$name/metrics.json" ]; then
    finished=$((finished + 1))
  else
    left+=("$case")
  fi
done
echo "$((finished + ${#left[@]})) cases, $finished of them finished earlier"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds what documents and comments say against the repository:   check.sh ROOT [TEST_NAMES [PROGRAM [STUDY_PROGRAM]]]
# TEST_NAMES: a file with the names of the ctest tests, one a line. PROGRAM: the built dsasrgs. What needs one that is not
# given is not checked. Prints FILE:LINE: FAULT for each fault; exit code 1 if there is one. Needs bash, grep, sed, awk
# and, in a git checkout, git.
set -euo pipefail
export LC_ALL=C
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$1"
# shellcheck disable=SC2034  # for the parts
test_names="${2:-}" program="${3:-}" study_program="${4:-}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

fault() { echo "$1:$2: $3"; : >"$work/failed"; }

# Files of the repository, new ones included, and what they say: without the history and the faults that this test plants.
if [ "$(git rev-parse --show-toplevel 2>"$work/null" || true)" = "$PWD" ]; then
  git ls-files -co --exclude-standard
else
  find . -type f -not -path './build*/*' -not -path './out/*' | sed 's|^\./||'
fi | sort -u | while read -r f; do [ ! -f "$f" ] || echo "$f"; done >"$work/files"
sed 's|.*/||; s|\.in$||' "$work/files" | sort -u >"$work/names"
while read -r f; do
  while [ "$f" != "${f%/*}" ]; do f="${f%/*}"; echo "$f"; done
done <"$work/files" | sort -u >"$work/folders"
sort -u "$work/files" "$work/folders" >"$work/paths"
grep -E '\.(md|hpp|cpp|cu|cuh|js|in|sh|cmake|toml|py)$|CMakeLists\.txt$' "$work/files" | grep -vE '^(CHANGELOG\.md$|tests/text/)' |
  tr '\n' '\0' | xargs -0 awk -f "$here/prose.awk" >"$work/prose"
grep -E '^[^	]*\.md	' "$work/prose" >"$work/docs" || true

# Matches of a regular expression:   each REGEX <PROSE  prints FILE \t LINE \t MATCH. A match may go on in the next line.
each() {
  awk -F '\t' -v regex="$1" '{
    here = index($3, "\001"); text = $3; sub(/\001/, " ", text); base = 0
    while (match(text, regex) && base + RSTART < here) {
      print $1 "\t" $2 "\t" substr(text, RSTART, RLENGTH)
      base += RSTART + RLENGTH - 1; text = substr(text, RSTART + RLENGTH)
    }
  }'
}
# Is there a line like PATTERN (with * for anything but a slash) in the list FILE?
declare -A lines
is_in() {
  local line
  if [ -z "${lines[$2]:-}" ]; then
    lines[$2]=1
    while read -r line; do lines["$2:$line"]=1; done <"$2"
  fi
  if [[ $1 == *'*'* ]]; then
    line="${1//./\\.}"
    grep -qx -- "${line//\*/[^/]*}" "$2"
  else
    [ -n "${lines["$2:$1"]:-}" ]
  fi
}

source "$here/names.sh"
source "$here/commands.sh"
check_sections
check_paths
check_configuration
check_build_names
check_operators
check_counts
check_tests
check_snippets
check_commands
check_pipes
[ ! -e "$work/failed" ]

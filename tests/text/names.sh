# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Part of check.sh: sections, paths, configuration fields, operators, tests.

# "method.md section 2", "docs/method.md, sections 2, 3 and 5": the document has headings of these numbers.
check_sections() {
  local list='[0-9]+((, | and |-|–)[0-9]+)*' file line match document number
  { each "[a-z-]+\.md,? sections? $list" <"$work/prose"
    # In a document with numbered sections "section 3" is one of its own.
    awk -F '\t' '$3 ~ /^## [0-9]+\./ { print $1 }' "$work/docs" | sort -u | while read -r file; do
      awk -F '\t' -v file="$file" '$1 == file' "$work/docs" | each "[( ]sections? $list" | sed "s|	[( ]|	$file |"
    done
  } | while IFS=$'\t' read -r file line match; do
    document="${match%%.md*}.md"
    document="docs/${document##*/}"
    for number in $(sed 's/.*section//; s/[^0-9]/ /g' <<<"$match"); do
      grep -qs "^## $number\. " "$document" || fault "$file" "$line" "$document has no section $number"
    done
  done
}

# Paths below a folder of the repository, and names of sources, exist. <op> and * stand for anything.
check_paths() {
  local part='[A-Za-z0-9_.<>*~$-]+' file line match path folder found
  while IFS=$'\t' read -r file line match; do
    path="${match#<}"
    while [[ $path == *[./] || $path == *[a-z]'>' ]] && [[ $path != *'<'*'>' ]]; do path="${path%?}"; done
    while [[ $path =~ \<[a-z_]*\> ]]; do path="${path/"${BASH_REMATCH[0]}"/*}"; done
    if is_in "${path%%/*}" "$work/folders"; then
      is_in "$path" "$work/paths" || fault "$file" "$line" "there is no $path"
    elif [[ $path =~ ^[a-z_*]+(/[a-z_*-]+)+\.(hpp|cpp|cu|cuh)$ ]]; then
      found=0
      for folder in kernels libdsasrgs include examples tests; do
        is_in "$folder/$path" "$work/paths" && found=1 && break
      done
      [ $found -eq 1 ] || fault "$file" "$line" "there is no $path in kernels/, libdsasrgs/, include/, examples/ or tests/"
    fi
  done < <(each "$part(/$part)+/?" <"$work/prose")
  while IFS=$'\t' read -r file line match; do
    [[ $match =~ ([A-Za-z0-9_.*/-]+\.(cuh|cu|hpp|cpp|cmake|sh|md))([^A-Za-z0-9_./-]|\.?$|\.[^A-Za-z0-9]) ]] || continue
    match="${BASH_REMATCH[1]}"
    case "$match" in */* | catch.hpp | tables.md | summary.md) continue ;; esac  # Catch2's, a study's, many cases'
    is_in "$match" "$work/names" || fault "$file" "$line" "there is no file $match"
  done < <(each '(<op>)?[A-Za-z0-9_.*/-]+\.(cuh|cu|hpp|cpp|cmake|sh|md)([^A-Za-z0-9_/-]|$)' <"$work/prose" | sed 's/<op>/*/')
  # Links of documents: relative to the document.
  each '\]\([^)#]+' <"$work/docs" | while IFS=$'\t' read -r file line match; do
    path="${match#](}"
    [[ $path == *://* ]] && continue
    folder=.
    [ "$file" = "${file%/*}" ] || folder="${file%/*}"
    [ -e "$folder/$path" ] || fault "$file" "$line" "the link's $path is not there"
  done
}

# "training.steps": a field that visit_fields names.
check_configuration() {
  [ -f libdsasrgs/config_fields.hpp ] || return 0
  awk '
    /v\.section\("/ { split($0, q, "\""); prefix = prefix q[2] "."; depth++; length_of[depth] = length(q[2]) + 1 }
    /const auto grid/ { in_grid = 1 }
    /^    };/ { in_grid = 0 }
    /v\.field\("/ { split($0, q, "\""); if (in_grid) grid[q[2]] = 1; else print prefix q[2] }
    /^    grid\("/ { split($0, q, "\""); for (name in grid) print prefix q[2] "." name; print prefix q[2] }
    /^ *}\);/ && depth && !in_grid { prefix = substr(prefix, 1, length(prefix) - length_of[depth]); depth-- }
  ' libdsasrgs/config_fields.hpp | sort -u >"$work/fields"
  local sections file line match
  sections="$(sed -n 's/\..*//p' "$work/fields" | sort -u | paste -sd '|')"
  each "(^|[^A-Za-z0-9_./-])($sections)\.[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?" <"$work/docs" |
    while IFS=$'\t' read -r file line match; do
      match="$(sed 's/^[^a-z]*//' <<<"$match")"
      [[ $match != *.json ]] || continue  # a file
      grep -qxF -- "$match" "$work/fields" || fault "$file" "$line" "the configuration has no field $match"
    done
}

# CMake options, presets, targets and tags of Catch2 tests that documents name.
check_build_names() {
  local file line match
  grep -vE '\.md$' "$work/files" | tr '\n' '\0' | xargs -0 grep -ohE 'DSASRGS_[A-Z_]+' | sort -u >"$work/options"
  each 'DSASRGS_[A-Z_]+' <"$work/docs" | while IFS=$'\t' read -r file line match; do
    grep -qxF -- "$match" "$work/options" || fault "$file" "$line" "nothing but documents knows $match"
  done
  each 'cmake (--build )?--preset [a-z]+' <"$work/docs" | while IFS=$'\t' read -r file line match; do
    grep -qsF "{\"name\": \"${match##* }\"" CMakePresets.json || fault "$file" "$line" "CMakePresets.json has no ${match##* }"
  done
  grep -E 'CMakeLists\.txt$|\.cmake$' "$work/files" | tr '\n' '\0' |
    xargs -0r grep -ohE '(add_custom_target|add_executable|add_library|add_test_binary|add_flavour)\([a-z_-]+' | sed 's/.*(//' >"$work/targets" || true
  { cat "$work/targets"
    grep -E 'CMakeLists\.txt$|\.cmake$' "$work/files" | tr '\n' '\0' |
      xargs -0r grep -ohE 'OUTPUT_NAME [a-z_-]+' | sed 's/.* //' || true
  } >"$work/programs"
  each 'build/(bench|tests|examples)/[a-z_/-]+' <"$work/prose" | while IFS=$'\t' read -r file line match; do
    is_in "${match##*/}" "$work/programs" || fault "$file" "$line" "CMake makes no program ${match##*/}"
  done
  each '--target [a-z_-]+' <"$work/docs" | while IFS=$'\t' read -r file line match; do
    is_in "${match##* }" "$work/targets" ||
      fault "$file" "$line" "CMake has no target ${match##* }"
  done
  grep -E '^tests/.*\.(cpp|cu|sh)$' "$work/files" | tr '\n' '\0' | xargs -0r grep -ohE '\[[a-z0-9_]+\]' | sort -u >"$work/tags"
  each '[`"~]\[[a-z0-9_]+\]["`]' <"$work/docs" | while IFS=$'\t' read -r file line match; do
    match="[$(tr -d '[]"`~' <<<"$match")]"
    grep -qxF -- "$match" "$work/tags" || fault "$file" "$line" "no test has the tag $match"
  done
}

# Rows of the table whose head's first cell is NAME, in FILE:   rows NAME FILE  prints LINE \t FIRST CELL \t LAST CELL.
rows() {
  awk -v name="$1" '
    !/^\|/ { inside = 0; next }
    { n = split($0, cell, /[ ]*\|[ ]*/) }
    cell[2] == name { inside = 1; next }
    inside && $0 !~ /^\|-/ { gsub(/`/, "", cell[2]); print FNR "\t" cell[2] "\t" cell[n - 1] }
  ' "$2"
}

# docs/operators.md has a row for each operator, and its formulas' files exist there.
check_operators() {
  local document=docs/operators.md line name formulas formula folder
  [ -f $document ] || return 0
  rows operator $document >"$work/operators"
  while IFS=$'\t' read -r line name formulas; do
    grep -qxF -- "kernels/$name" "$work/folders" || fault $document "$line" "there is no operator $name"
    for formula in ${formulas//,/ }; do
      [[ $formula == *.hpp ]] || continue
      [ -f "kernels/$name/$formula" ] || [ -f "kernels/$formula" ] ||
        fault $document "$line" "$formula is neither in kernels/$name/ nor in kernels/"
    done
  done <"$work/operators"
  for folder in $(sed -n 's|^kernels/\([a-z_]*\)$|\1|p' "$work/folders"); do
    [ "$folder" = common ] || cut -f 2 "$work/operators" | grep -xF -- "$folder" >"$work/null" ||
      fault $document 1 "no row for the operator $folder"
  done
}

# Counts in words: "a 15-line Python writer" is the first Python of docs/data-format.md.
check_counts() {
  local file line match count
  while IFS=$'\t' read -r file line match; do
    count="$(awk '/^```python/ { inside = 1; next } inside && /^```/ { exit } inside' docs/data-format.md | wc -l)"
    [ "$count" -eq "${match%%-*}" ] || fault "$file" "$line" "the first Python of docs/data-format.md has $count lines"
  done < <(each '[0-9]+-line Python writer' <"$work/docs")
}

# The tests that docs/testing.md lists are those that ctest knows.
check_tests() {
  local document=docs/testing.md line name rest
  [ -f $document ] && [ -n "$test_names" ] || return 0
  rows test $document >"$work/tests"
  while IFS=$'\t' read -r line name rest; do
    is_in "$name" "$test_names" || fault $document "$line" "ctest has no test $name"
  done <"$work/tests"
  while read -r name; do
    # shellcheck disable=SC2053  # planted_* is a pattern
    cut -f 2 "$work/tests" | { while read -r rest; do [[ $name != $rest ]] || exit 0; done; exit 1; } ||
      fault $document 1 "no row for the test $name"
  done <"$test_names"
}

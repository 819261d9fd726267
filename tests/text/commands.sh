# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Part of check.sh: pieces of C++ and command lines in documents, and what scripts must not do.

# Each ```cpp block of a document is, word for word, part of a source in examples/, which is built and run.
check_snippets() {
  local document start block source found
  for document in $(grep -E '\.md$' "$work/files"); do
    for start in $(grep -n '^```cpp' "$document" | cut -d : -f 1); do
      block="$(awk -v start="$start" 'NR > start { if (/^```/) exit; print }' "$document")"
      found=0
      for source in $(grep -E '^examples/.*\.cpp$' "$work/files"); do
        [[ "$(<"$source")" == *"$block"* ]] && found=1 && break
      done
      [ $found -eq 1 ] || fault "$document" "$start" "this C++ is in no source of examples/"
    done
  done
}

# Options of `dsasrgs SUBCOMMAND`, and of its kinds where it has such (`import`), in $work/SUBCOMMAND.options; fails where there is
# no such subcommand.
options_of() {
  local list="$work/$1.options" kind
  if [ ! -e "$list" ]; then
    if [ "$1" = study ] && [ -n "$study_program" ]; then "$study_program" --help >"$work/help" 2>&1 || return 1
    else "$program" "$1" --help >"$work/help" 2>&1 || return 1; fi
    for kind in $(awk '/^Subcommands:/ { inside = 1; next } inside && /^  [a-z0-9]/ { print $1 }' "$work/help"); do
      "$program" "$1" "$kind" --help >>"$work/help" 2>&1 || return 1
    done
    { grep -oE -- '(^|[ ,])--?[a-z][a-z0-9-]*' "$work/help" || true; } | tr -d ' ,' | sort -u >"$list"
  fi
}

# Command lines of the program, in blocks, in `code` and in comments: subcommands and options exist.
check_commands() {
  [ -n "$program" ] || return 0
  local file line match subcommand option document=docs/program.md name rest
  # A line that ends in \ goes on in the next one.
  awk -F '\t' '{
      text = $3; sub(/\001.*/, "", text); sub(/^ *(\/\/+|#+) /, "", text)
      if (going_on && file == $1) command = command " " text; else { command = text; line = $2; file = $1 }
      going_on = sub(/\\ *$/, "", command)
      if (!going_on) print file "\t" line "\t" command "\001"
    }' "$work/prose" | each '(^|[ `/])dsasrgs(-study)? +[a-z]+[^`|;&#)]*' >"$work/commands"
  while IFS=$'\t' read -r file line match; do
    read -r -a words <<<"${match//\\/ }"
    subcommand="${words[1]}"
    [[ ${words[0]} != *-study ]] || subcommand=study
    [[ $subcommand =~ ^[a-z]+$ ]] || continue
    if ! options_of "$subcommand"; then
      # "dsasrgs takes the labels" is a sentence: a command has an option or a file.
      [[ ! $match =~ \ -|\.(h5|toml) ]] || fault "$file" "$line" "dsasrgs has no subcommand $subcommand"
      continue
    fi
    for option in "${words[@]:1}"; do
      [[ $option =~ ^--[a-z] ]] || continue
      option="$(grep -oE -- '^--[a-z][a-z0-9-]*' <<<"$option")"
      grep -qxF -- "$option" "$work/$subcommand.options" || fault "$file" "$line" "dsasrgs $subcommand has no option $option"
    done
  done <"$work/commands"

  # Every subcommand has its row, and every row its subcommand.
  "$program" --help | awk '/^Subcommands:/ { inside = 1; next } inside && /^  [a-z]/ { print $1 }' >"$work/subcommands"
  if [ -f $document ]; then
    rows subcommand $document >"$work/rows"
    while IFS=$'\t' read -r line name rest; do
      grep -qxF -- "$name" "$work/subcommands" || fault $document "$line" "dsasrgs has no subcommand $name"
    done <"$work/rows"
    while read -r name; do
      cut -f 2 "$work/rows" | grep -xF -- "$name" >"$work/null" || fault $document 1 "no row for the subcommand $name"
      options_of "$name" || fault $document 1 "dsasrgs $name --help fails"
    done <"$work/subcommands"
  fi

  # An option by itself is one of some subcommand, or some script's or tool's of this repository.
  { cat "$work"/*.options
    grep -E '^(tests/.*\.(sh|cpp|py)|cmake/.*|examples/.*\.(sh|js|json)|bench/.*|.*CMakeLists\.txt)$' "$work/files" | tr '\n' '\0' |
      xargs -0r grep -ohE -- '(^|[^A-Za-z0-9-])--[a-z][a-z0-9_-]*' | grep -oE -- '--.*' || true
    printf '%s\n' --preset --build --target --install --prefix --test-dir
  } | sort -u >"$work/all_options"
  each '`--[a-z][a-z0-9_-]*' <"$work/docs" | while IFS=$'\t' read -r file line match; do
    grep -qxF -- "${match#?}" "$work/all_options" || fault "$file" "$line" "nothing has an option ${match#?}"
  done
}

# No script pipes into grep -q: it leaves at its first match, and under pipefail who still writes then fails the script.
check_pipes() {
  { grep -E '\.sh$' "$work/files" | tr '\n' '\0' |
    xargs -0r grep -nE -- '\| *grep +(-[A-Za-z]+ +)*-[A-Za-z]*q' /dev/null || true; } |
    while IFS=: read -r file line match; do
      fault "$file" "$line" "a pipe into grep -q"
    done
}

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SOURCE_DIR [SECONDS [TARGET...]]: builds the fuzz targets (preset fuzz) and fuzzes all, or those named, for SECONDS in
# all, 300 if none are given, on every core. Inputs that reach new code are kept in build-fuzz/corpus. A crash, a leak, an
# input of more than 2 s or 1 GiB ends it with exit code 1 and the path of the input. 77: there is no libFuzzer.
set -euo pipefail
source_dir="$1" seconds="${2:-300}"
shift $(($# < 2 ? $# : 2))
here="$source_dir/tests/fuzz"
. "$here/find_clang.sh"
require_clang

cd "$source_dir"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
build="$PWD/build-fuzz" corpus="$PWD/build-fuzz/corpus"
bash "$here/seeds.sh" "$PWD" "$build" "$corpus"

targets=("$@")
[ ${#targets[@]} -gt 0 ] || for target in "$corpus"/*/; do targets+=("$(basename "$target")"); done
cores="$(nproc)"
each=$((seconds * cores / ${#targets[@]}))
[ "$each" -ge 1 ] || each=1
found="$build/found" logs="$build/fuzz_logs"
mkdir -p "$found" "$logs"
echo "${#targets[@]} targets, $each s each on $cores cores"

# Time is the processor's (harness.cpp); -timeout is for what never ends. malloc_limit_mb: a size that a file only claims.
options=(-timeout=20 -rss_limit_mb=1024 -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1)
export OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1 TMPDIR
TMPDIR="$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" dsasrgs_fuzz.XXXXXX)"  # files in memory
trap 'rm -rf "$TMPDIR"' EXIT

# Faults of every kind are found, and nothing where there is none.
for fault in nothing beyond leak memory error words slow; do
  printf '%s' "$fault" >"$found/planted"
  code=0
  "$build/tests/fuzz/fuzz_planted" "${options[@]}" -artifact_prefix="$found/planted-" "$found/planted" >"$logs/planted" 2>&1 ||
    code=$?
  if [ "$fault" = nothing ] && [ $code -ne 0 ] || [ "$fault" != nothing ] && [ $code -eq 0 ]; then
    echo "A planted fault ($fault) and the exit code is $code: $logs/planted" >&2
    exit 1
  fi
done
rm -f "$found"/planted*

export each corpus found logs build all_options="${options[*]}"
one() {
  local target="$1" runs kept
  # shellcheck disable=SC2086
  if ! "$build/tests/fuzz/fuzz_$target" $all_options -max_total_time="$each" -artifact_prefix="$found/$target-" \
    "$corpus/$target" >"$logs/$target" 2>&1; then
    echo "$target: $(grep -aoE '(Test unit written to|SUMMARY:|fuzz:) .*' "$logs/$target" | tail -n 1); log: $logs/$target" >&2
    return 1
  fi
  runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/$target")"
  kept="$(find "$corpus/$target" -type f | wc -l)"
  echo "$target: $runs inputs read, $kept kept"
}
export -f one
printf '%s\n' "${targets[@]}" | xargs -P "$cores" -I{} bash -c 'one {}' || exit 1

#!/usr/bin/env bash
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
# HDF5 keeps what it opened until it ends, which its child never does.
export OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0 each corpus found logs build
one() {
  local target="$1"
  if ! "$build/tests/fuzz/fuzz_$target" -max_total_time="$each" -timeout=20 -rss_limit_mb=1024 -malloc_limit_mb=512 \
    -artifact_prefix="$found/$target-" -print_final_stats=1 -verbosity=1 "$corpus/$target" >"$logs/$target" 2>&1; then
    echo "$target: $(grep -ohE 'Test unit written to .*' "$logs/$target" | tail -n 1), log $logs/$target" >&2
    return 1
  fi
  local runs kept
  runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/$target")"
  kept="$(find "$corpus/$target" -type f | wc -l)"
  echo "$target: $runs inputs read, $kept kept"
}
export -f one
printf '%s\n' "${targets[@]}" | xargs -P "$cores" -I{} bash -c 'one {}' || exit 1

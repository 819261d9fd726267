#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh SOURCE_DIR BUILD_DIR [all]: clang-tidy 14 with .clang-tidy finds nothing in a few sources of every kind, or in all
# of the library; a planted fault must be found first. Exit code 77 where there is no clang-tidy 14.
set -euo pipefail
source_dir="$1" build_dir="$2"
cd "$source_dir"
. tests/style/find_tool.sh
find_tool clang-tidy

planted="$(mktemp --suffix .cpp)"
trap 'rm -f "$planted"' EXIT
echo '#include <string>
int length(const std::string s) { return static_cast<int>(s.size()); }' >"$planted"
if $tool --quiet --config-file=.clang-tidy "$planted" -- -std=c++20 >/dev/null 2>&1; then
  echo "$tool finds nothing wrong with a string that is copied" >&2
  exit 1
fi

# Sources that CMake puts together to larger units have no command of their own, and clang-tidy takes that of the file with the
# most similar name, which may be a program's: what all of the library is compiled with is added.
includes=()
while read -r flag; do
  for word in $flag; do includes+=("--extra-arg=$word"); done
done < <(grep -m 1 -E '"command":.*dsasrgs_host\.dir' "$build_dir/compile_commands.json" | grep -oE -- '-(I|isystem )[^ ]+' | sort -u)
[ ${#includes[@]} -gt 0 ] || { echo "no command of dsasrgs_host in $build_dir/compile_commands.json" >&2; exit 1; }

few='^(libdsasrgs/(model|train/density_event|files/hdf5_file)|kernels/densify/densify(_cpu)?)\.cpp$'
[ "${3:-}" = all ] && few='\.cpp$'
{
  find libdsasrgs kernels -name '*.cpp' | grep -E "$few"
  # The programs' sources as they are put together; examples/embed is compiled where it is installed, and the tests with
  # GCC's precompiled header.
  if [ "${3:-}" = all ]; then
    sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$build_dir/compile_commands.json" | grep -E '/examples/(dsasrgs|study)/.*\.c(pp|xx)$'
  fi
} | sort -u | tr '\n' '\0' | xargs -0 -n 1 -P 2 $tool -p "$build_dir" --quiet --checks=-bugprone-suspicious-include "${includes[@]}"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# format.sh SOURCE_DIR: every C++ and CUDA source is as clang-format 14 with .clang-format makes it; a spoilt one must be
# found first. Exit code 77 where there is no clang-format 14.
set -euo pipefail
cd "$1"
. tests/style/find_tool.sh
find_tool clang-format

if echo 'int  answer=42;' | $tool --assume-filename=kernels/x.cpp --dry-run -Werror 2>/dev/null; then
  echo "$tool finds nothing wrong with a spoilt line" >&2
  exit 1
fi
{ git ls-files -co --exclude-standard 2>/dev/null || find bench examples include kernels libdsasrgs tests -type f; } |
  grep -E '\.(hpp|cpp|cu|cuh|h)$' | while read -r f; do [ ! -f "$f" ] || echo "$f"; done |
  tr '\n' '\0' | xargs -0 -n 64 -P 2 $tool --dry-run -Werror

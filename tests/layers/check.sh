#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh ROOT: the folders include what the drawing in docs/architecture.md allows (its block ```layers), and no file
# includes itself by way of others. Prints FILE:LINE: FAULT for each fault; exit code 1 if there is one.
set -euo pipefail
export LC_ALL=C
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

awk '/^```layers$/ { inside = 1; next } /^```/ { inside = 0 } inside' docs/architecture.md >"$work/drawing"
[ -s "$work/drawing" ] || { echo "docs/architecture.md has no block \`\`\`layers" >&2; exit 1; }
for folder in include kernels libdsasrgs examples bench tests; do
  [ ! -d "$folder" ] || find "$folder" -type f | grep -v /node_modules/
done | sort >"$work/files"
grep -E '\.(hpp|cpp|cu|cuh|h|in)$' "$work/files" | tr '\n' '\0' |
  xargs -0 grep -noE '^ *# *include +("[^"]+"|<[^>]+>)' /dev/null | sed -E 's/# *include +//; s/: +/:/' >"$work/includes"
awk -v edges="$work/edges" -f "$here/layers.awk" "$work/drawing" "$work/files" "$work/includes" | tee "$work/faults"
if [ -f "$work/edges" ] && ! tsort "$work/edges" >"$work/order" 2>"$work/circle"; then
  echo "circle of includes: $(sed 's/^tsort: //' "$work/circle" | grep -v 'input contains a loop' | tr '\n' ' ')" | tee -a "$work/faults"
fi
[ ! -s "$work/faults" ]

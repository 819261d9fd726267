#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make.sh BUNDLE_DIR TESTS BENCH PROGRAM: collects in one relocatable folder what a machine with a GPU needs to test and
# measure this build: the binaries (stripped), the shared libraries they need except the C library's, the driver's and
# CUDA's, a small simulated case, and run.sh. Fails above 60 MB.
set -euo pipefail
bundle=$1 tests=$2 bench=$3 program=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$bundle"
mkdir -p "$bundle/lib"
for binary in "$tests" "$bench" "$program"; do
  strip -o "$bundle/$(basename "$binary")" "$binary"
  ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
done | sort -u | grep -vE '/(libc|libm|libpthread|libdl|librt|libcuda|libcudart|libnvidia[^/]*)\.so' |
  xargs -r cp -L -t "$bundle/lib"
cp "$here/run.sh" "$here/case.toml" "$bundle/"
"$program" simulate --output "$bundle/case.h5" --quiet --seed 3 --views 60 --size 192 192 --pitch-mm 1.6 --no-reference-volume --photons 20000 --train-views 30
size_mb=$(du -sm "$bundle" | cut -f1)
echo "$bundle: $size_mb MB"
[ "$size_mb" -le 60 ] || { echo "the bundle must stay under 60 MB" >&2; exit 1; }

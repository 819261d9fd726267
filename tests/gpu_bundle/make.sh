#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make.sh BUNDLE_DIR TESTS BENCH PROGRAM: collects in one relocatable folder what a machine with a GPU's driver needs to
# test and measure this build: the binaries (stripped; they look for libraries in lib/ beside them), the shared libraries
# they need except the C library's and the driver's, a small simulated case, and run.sh. Fails above 40 MB.
set -euo pipefail
bundle=$1
shift
program=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$bundle"
mkdir -p "$bundle/lib"
for binary in "$@"; do
  strip -o "$bundle/$(basename "$binary")" "$binary"
  readelf -d "$binary" | grep -q 'RPATH.*\$ORIGIN/lib' || { echo "$binary: it does not look for libraries in lib/ beside it" >&2; exit 1; }
  ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
done | sort -u |
  # The C library's parts belong to the machine that runs them, as the driver's do.
  grep -vE '/(ld-linux[^/]*|lib(c|m|mvec|pthread|dl|rt|resolv|util|anl|nsl|nss_[^/]*|cuda|cudart|nvidia[^/]*))\.so' |
  xargs -r cp -L -t "$bundle/lib"
strip --strip-unneeded "$bundle"/lib/*
cp "$here/run.sh" "$here/case.toml" "$bundle/"
"$program" simulate --output "$bundle/case.h5" --quiet --seed 3 --views 60 --size 192 192 --pitch-mm 1.6 --no-reference-volume --photons 20000 --train-views 30
size_mb=$(du -sm "$bundle" | cut -f1)
echo "$bundle: $size_mb MB"
[ "$size_mb" -le 40 ] || { echo "the bundle must stay under 40 MB" >&2; exit 1; }

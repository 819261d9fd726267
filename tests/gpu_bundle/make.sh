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
declare -A path seen

needed_by() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# stub LIBRARY USER: of the functions that USER asks of LIBRARY, which return 0. HDF5's driver for S3, which nothing here
# opens, would bring 15 MB of libcurl and what that needs.
stub() {
  local functions version
  functions=$(nm -D --undefined-only "$2" | grep -E "@($3)" | sed 's/.* U //; s/@.*//')
  version=$(nm -D --undefined-only "$2" | grep -oE "@($3)" | head -n 1 | tr -d @)
  for function in $functions; do echo "long $function(void) { return 0; }"; done >"$bundle/stub.c"
  echo "$version { global: *; };" >"$bundle/stub.map"
  cc -shared -fPIC -O1 -w -fno-builtin -Wl,-soname,"$1" -Wl,--version-script="$bundle/stub.map" -o "$bundle/lib/$1" "$bundle/stub.c"
  rm "$bundle/stub.c" "$bundle/stub.map"
}

# with_libraries BINARY: what it needs, and what that needs.
with_libraries() {
  local name
  for name in $(needed_by "$1"); do
    [ -z "${seen[$name]:-}" ] || continue
    seen[$name]=1
    case $name in
      # The C library's parts belong to the machine that runs them, as the driver's do.
      ld-linux* | lib[cm].so* | libmvec.so* | libpthread.so* | libdl.so* | librt.so* | libresolv.so* | libutil.so* | libcuda.so* | libnvidia*) ;;
      libcurl.so*) stub "$name" "$1" 'CURL_OPENSSL_[0-9]+' ;;
      libcrypto.so*) stub "$name" "$1" 'OPENSSL_[0-9.]+' ;;
      *)
        cp -L "${path[$name]}" "$bundle/lib/$name"
        strip --strip-unneeded "$bundle/lib/$name"
        with_libraries "${path[$name]}"
        ;;
    esac
  done
}

for binary in "$@"; do
  [[ $(readelf -d "$binary") =~ RPATH.*\$ORIGIN/lib ]] || { echo "$binary: it does not look for libraries in lib/ beside it" >&2; exit 1; }
  while read -r name at; do path[$name]=$at; done < <(ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }')
  strip -o "$bundle/$(basename "$binary")" "$binary"
  with_libraries "$binary"
done
cp "$here/run.sh" "$here/case.toml" "$bundle/"
# With the bundle's libraries, so that one that cannot be loaded is noticed here.
"$bundle/$(basename "$program")" simulate --output "$bundle/case.h5" --quiet --seed 3 --views 60 --size 192 192 --pitch-mm 1.6 --no-reference-volume --photons 20000 --train-views 30
size_mb=$(du -sm "$bundle" | cut -f1)
echo "$bundle: $size_mb MB"
[ "$size_mb" -le 40 ] || { echo "the bundle must stay under 40 MB" >&2; exit 1; }

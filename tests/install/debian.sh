#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packs the programs of BUILD_DIR and the shared library that run.sh left there, installs the packages with dpkg into a root of
# their own (who is not root unpacks them there), builds and runs examples/embed with what is there, and removes them. Exit code
# 77 without Debian's tools.
# usage: debian.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source_dir=$1 build_dir=$2
for tool in dpkg dpkg-deb dpkg-shlibdeps pkg-config; do
  command -v $tool >/dev/null || { echo "skipped: no $tool (Debian: dpkg-dev, pkg-config)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
embed=$source_dir/examples/embed
cd "$work"

(cd "$build_dir" && cpack -B "$work/program" >/dev/null)
(cd "$build_dir/tests/shared_library" && cpack -B "$work/library" >/dev/null)
packages=(program/dsasrgs_*.deb library/libdsasrgs0.1_*.deb library/libdsasrgs-dev_*.deb)
field() { dpkg-deb -f "$1" "$2"; }
for package in "${packages[@]}"; do
  echo "$(basename "$package"): $(field "$package" Depends)"
  dpkg-deb -c "$package" | awk '{ print $6 }' >>contents
done
for file in bin/dsasrgs bin/dsasrgs-study share/dsasrgs/networks/dsasrgs-x4.h5 include/dsasrgs/dsasrgs.h include/dsasrgs/dsasrgs.hpp \
  lib/cmake/dsasrgs/dsasrgsConfig.cmake lib/pkgconfig/dsasrgs.pc lib/libdsasrgs.so lib/libdsasrgs.so.0.1 \
  share/doc/{dsasrgs,libdsasrgs0.1,libdsasrgs-dev}/copyright; do
  grep -qx "./usr/$file" contents || { echo "not in the packages: /usr/$file"; exit 1; }
done
[[ $(field "${packages[0]}" Depends) == *libhdf5* && $(field "${packages[1]}" Depends) == *libhdf5* ]]
[[ $(field "${packages[2]}" Depends) == *"libdsasrgs0.1 (= "* ]]

# What the machine has installed counts for what the packages depend on; nothing of the machine's is touched.
root=$work/root
mkdir -p "$root"/var/lib/dpkg/{info,updates} "$root"/{etc,tmp,usr}
cp /var/lib/dpkg/status "$root/var/lib/dpkg/status"
in_root() { dpkg --root="$root" --no-triggers --log="$work/log" "$@" >dpkg.txt 2>&1 || { cat dpkg.txt; exit 1; }; }
if [ "$(id -u)" -eq 0 ]; then
  for file in /bin/sh /sbin/ldconfig $(ldd /bin/sh | grep -o '/[^ ]*'); do  # what the library's script runs
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
  in_root -i "${packages[@]}"
  /sbin/ldconfig -p -C "$root/etc/ld.so.cache" | grep libdsasrgs
else
  for package in "${packages[@]}"; do dpkg-deb -x "$package" "$root"; done
fi

export LD_LIBRARY_PATH=$root/usr/lib PKG_CONFIG_PATH=$root/usr/lib/pkgconfig
"$root/usr/bin/dsasrgs" simulate --output case.h5 --views 12 --train-views 8 --size 32 32 --quiet
"$root/usr/bin/dsasrgs" labels case.h5 --output labels.h5 --scale 2 --single-orientation --quiet  # with a network of the package
pkg-config --cflags --libs dsasrgs | xargs cc -std=c99 "$embed/reconstruct.c" -o reconstruct -lm
ldd reconstruct | grep "$root/usr/lib/libdsasrgs.so.0.1"
./reconstruct training.steps=10
cmake -S "$embed" -B build -DCMAKE_PREFIX_PATH="$root/usr" >/dev/null
cmake --build build --target embed >/dev/null
./build/embed case.h5 10

[ "$(id -u)" -eq 0 ] || exit 0
in_root --purge dsasrgs libdsasrgs-dev libdsasrgs0.1
left=$(find "$root" -path "*dsasrgs*")
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }

#!/usr/bin/env bash
# Installs the library into a throw-away folder and builds and runs examples/embed against it with find_package.
# usage: run.sh SOURCE_DIR BUILD_DIR PROGRAM
set -euo pipefail
source_dir=$1 build_dir=$2 program=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build_dir" --prefix "$work/prefix" >/dev/null
cmake -S "$source_dir/examples/embed" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$work/build" >/dev/null
"$program" simulate --output "$work/case.h5" --views 16 --train-views 8 --size 48 48 --quiet
"$work/prefix/bin/dsasrgs-study" --help >/dev/null
cd "$work"
./build/embed case.h5 20
test -s view.png
# The example in the README is this program, to the letter.
awk '/^```cpp$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_dir/README.md" > readme.cpp
diff readme.cpp "$source_dir/examples/embed/main.cpp"

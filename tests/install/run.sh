#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs examples/embed against the library in the three ways an application can have it: installed as a static and
# as a shared library, found by find_package or, without CMake, pkg-config, and as sources in a subdirectory of its own build.
# Leaves the shared build in BUILD_DIR/tests/shared_library for debian.sh.
# usage: run.sh SOURCE_DIR BUILD_DIR PROGRAM RENDER_SWEEP_ON_THE_EMULATED_GPU
set -euo pipefail
source_dir=$1 build_dir=$2 program=$3 render_sweep_emulated=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
embed=$source_dir/examples/embed
cache() { sed -n "s/^$1:[A-Z]*=//p" "$build_dir/CMakeCache.txt"; }

# The objects of the library are those of the main build.
export REUSE_FROM=$build_dir
build_options=(-DCMAKE_BUILD_TYPE="$(cache CMAKE_BUILD_TYPE)" -DDSASRGS_CUDA="$(cache DSASRGS_CUDA)"
               -DCMAKE_CXX_COMPILER_LAUNCHER="$source_dir/tests/install/reuse_object.sh"
               -DCMAKE_CUDA_COMPILER_LAUNCHER="$source_dir/tests/install/reuse_object.sh")
cd "$work"

"$program" simulate --output case.h5 --views 16 --train-views 8 --size 48 48 --quiet

echo "static library, find_package"
cmake --install "$build_dir" --prefix static/prefix >/dev/null
./static/prefix/bin/dsasrgs-study --help >/dev/null
for network in x2 x4 x4-render; do
  cmp "$source_dir/examples/super_resolution/networks/dsasrgs-$network.h5" static/prefix/share/dsasrgs/networks/dsasrgs-$network.h5
done
cmake -S "$embed" -B static/build -DCMAKE_PREFIX_PATH="$work/static/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build static/build -j 2 >/dev/null
./static/build/embed case.h5 20
test -s view.png
./static/build/render_sweep model.h5 | tee static.txt
# With memory and a stream of its own on a GPU, the same up to rounding.
"$render_sweep_emulated" model.h5 | tee cuda.txt
paste -d ' ' static.txt cuda.txt | awk '{ d = $4 - $8; if (d < 0) d = -d; if ($1 != $5 || d > 1e-4 * $4) exit 1 }'
./static/build/reconstruct_in_memory 40 600 | tee progress.txt
grep -q '^step 40, loss' progress.txt
grep -q '^finished after 40 steps' progress.txt
./static/build/reconstruct_in_memory 1000000 1 | grep '^stopped after'
./static/build/reconstruct training.steps=20 | tee c.txt
grep -q '^step 20 of 20, loss' c.txt
# A host in C alone: CMake, and a compiler with what pkg-config says.
cat >c_only.cmake <<END
cmake_minimum_required(VERSION 3.25)
project(c_only LANGUAGES C)
find_package(dsasrgs 0.1 REQUIRED)
add_executable(c_only $embed/reconstruct.c)
target_link_libraries(c_only dsasrgs::dsasrgs m)
END
compiled_by_pkg_config() {  # PREFIX OUTPUT [--static]
  PKG_CONFIG_PATH=$(dirname "$(find "$1" -name dsasrgs.pc)") pkg-config --cflags --libs ${3:-} dsasrgs |
    xargs cc -std=c99 -Wall -Wextra -Werror -pedantic "$embed/reconstruct.c" -o "$2" -lm
}
c_only_by_cmake() {  # PREFIX FOLDER
  mkdir "$2"
  cp c_only.cmake "$2/CMakeLists.txt"
  cmake -S "$2" -B "$2/build" -DCMAKE_PREFIX_PATH="$work/$1" >/dev/null
  cmake --build "$2/build" >/dev/null
  "./$2/build/c_only" training.steps=20 | diff c.txt -
}
c_only_by_cmake static/prefix static_c
compiled_by_pkg_config static/prefix static_pc --static
./static_pc training.steps=20 | diff c.txt -
./static/build/pseudo_labels case.h5 labels.h5
for example in "embed none.h5 1" "pseudo_labels none.h5 new.h5" "render_sweep none.h5"; do
  code=0
  ./static/build/$example 2>err.txt || code=$?
  [ $code -eq 1 ] && grep -q '^none.h5: cannot read: No such file or directory$' err.txt
done
"$program" inspect labels.h5 --case case.h5 | grep 'my network 1.0'

echo "shared library, find_package"
shared=$build_dir/tests/shared_library
rm -rf "$shared"
cmake -S "$source_dir" -B "$shared" -DBUILD_SHARED_LIBS=ON -DDSASRGS_PROGRAM=OFF -DDSASRGS_TESTS=OFF \
  -DDSASRGS_BENCH=OFF "${build_options[@]}" >/dev/null
cmake --build "$shared" -j 2 >/dev/null
cmake --install "$shared" --prefix shared/prefix >/dev/null
cmake -S "$embed" -B shared/build -DCMAKE_PREFIX_PATH="$work/shared/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build shared/build -j 2 --target render_sweep reconstruct >/dev/null
./shared/build/render_sweep model.h5 >shared.txt
diff static.txt shared.txt
./shared/build/reconstruct training.steps=20 | diff c.txt -
c_only_by_cmake shared/prefix shared_c
compiled_by_pkg_config shared/prefix shared_pc
LD_LIBRARY_PATH=$(dirname "$(find "$work/shared/prefix" -name libdsasrgs.so)") ./shared_pc training.steps=20 | diff c.txt -
library=$(readlink -f "$(find shared/prefix -name libdsasrgs.so)")
ldd shared/build/render_sweep | grep "$(dirname "$library")/libdsasrgs.so"
# What it shows is what public headers declare: no operator, no reader of HDF5 files.
nm -DC --defined-only "$library" >symbols.txt
grep -q ' T dsasrgs::Renderer::render_into(' symbols.txt
grep -q ' V typeinfo for dsasrgs::BadInput' symbols.txt
if grep -E ' [TDB] (dsasrgs::(rasterize_forward|adam_update|cuda::|cpu::)|.*(Hdf5Reader|ViewPipeline|toml::))' symbols.txt; then
  echo "the shared library shows what it should hide"
  exit 1
fi
# And all that dsasrgs.h declares.
grep -oE '\bdsasrgs_[a-z0-9_]+\(' "$source_dir/include/dsasrgs/dsasrgs.h" | tr -d '(' | sort -u >declared.txt
sed -n 's/.* T \(dsasrgs_[a-z0-9_]*\)$/\1/p' symbols.txt | sort -u | diff declared.txt -
# Every header that declares a function or a class marks it as public.
unmarked=$(grep -L 'DSASRGS_API' "$source_dir"/include/dsasrgs/*.hpp | xargs -n 1 basename | sort | tr '\n' ' ')
[ "$unmarked" = "dsasrgs.hpp math.hpp " ] || { echo "without DSASRGS_API: $unmarked"; exit 1; }

echo "sources in a subdirectory"
cmake -S "$embed" -B subdirectory -DEMBED_SUBDIRECTORY="$source_dir" "${build_options[@]}" >/dev/null
cmake --build subdirectory -j 2 --target render_sweep reconstruct >/dev/null
./subdirectory/render_sweep model.h5 | diff static.txt -
./subdirectory/reconstruct training.steps=20 | diff c.txt -

# The examples in the documents are these programs, to the letter but for the line of the licence.
snippet() { awk '/^```(cpp|c)$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$1"; }
diff <(snippet "$source_dir/README.md") <(tail -n +2 "$embed/embed.cpp")
diff <(snippet "$source_dir/docs/data-format.md") <(tail -n +2 "$embed/pseudo_labels.cpp")
diff <(snippet "$source_dir/docs/guides/link-the-library.md") <(tail -n +2 "$embed/reconstruct.c")

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compile.sh SOURCE_DIR BUILD_DIR [ARCHITECTURE]: compiles every .cu with nvcc (default sm_90; all-major: sm_75 … sm_120) and
# fails on an error, a register spill, or double precision arithmetic or local memory in a kernel that cold_kernels.txt
# does not name.
# For one architecture the device's side only, which is two thirds cheaper; all-major compiles the host's side too.
# Leaves BUILD_DIR/cuda_kernels.txt: architecture, registers, spilled bytes, bytes of local memory, .f64 instructions,
# kernel. Exit 77: no nvcc.
set -euo pipefail
source_dir=$1 build_dir=$2 architecture=${3:-sm_90}
nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || { [ -x /usr/local/cuda/bin/nvcc ] && nvcc=/usr/local/cuda/bin/nvcc; }
[ -n "$nvcc" ] || { echo "Skipped: no nvcc on this machine"; exit 77; }

work=$build_dir/cuda_build
rm -rf "$work"
mkdir -p "$work"
cd "$source_dir"
side=-cubin
[ "$architecture" = all-major ] && side=-c

compile_one() {
  local source=$1 name
  name=$(basename "$source" .cu)
  mkdir -p "$work/$name"
  "$nvcc" -std=c++20 --expt-relaxed-constexpr -arch="$architecture" -Xptxas -v --keep --keep-dir "$work/$name" \
    -Iinclude -I"$build_dir/include" -Ikernels -Ilibdsasrgs $side -o "$work/$name/$name.o" "$source" \
    >"$work/$name/log" 2>&1 || { echo "nvcc failed on $source"; grep -E "error|fatal" "$work/$name/log" | head -n 20; return 1; }
}
export -f compile_one
export nvcc work architecture build_dir side
find kernels -name '*.cu' -print0 | xargs -0 -n 1 -P "$(nproc)" bash -c 'compile_one "$1"' _

# Registers and spills, from ptxas.
cat "$work"/*/log | awk '
  /Compiling entry function/ { split($0, q, "\x27"); kernel = q[2]; arch = q[4] }
  /bytes spill stores/ { stack = $1; spill = $5 + $9 }
  /Used [0-9]+ registers/ { for (i = 1; i < NF; ++i) if ($i == "Used") print arch, kernel, $(i + 1), spill, stack }
' | sort -u >"$work/registers"

# .f64 instructions between one entry and the next, from PTX.
cat "$work"/*/*.ptx | awk '
  /\.entry/ { for (i = 1; i <= NF; ++i) if ($i ~ /^_Z/) { kernel = $i; sub(/\(.*/, "", kernel); count[kernel] += 0 } }
  kernel != "" && /\.f64/ && !/\.param/ { ++count[kernel] }
  END { for (k in count) print k, count[k] }
' >"$work/f64"

# CUB's own kernels are not ours to judge.
awk 'NR == FNR { f64[$1] = $2; next } { print $1, $3, $4, $5, f64[$2] + 0, $2 }' "$work/f64" "$work/registers" |
  c++filt | grep -v 'cub::' | sed -E 's/dsasrgs::cuda::|\(anonymous namespace\)::|void //g; s/\(.*\)//; s/ >/>/g' |
  sort -k6 >"$build_dir/cuda_kernels.txt"
[ -s "$build_dir/cuda_kernels.txt" ] || { echo "no kernel was found in nvcc's output"; exit 1; }
cat "$build_dir/cuda_kernels.txt"

failed=0
while read -r arch _ spill stack f64 kernel; do
  if [ "$spill" -gt 0 ]; then
    echo "$kernel spills $spill bytes of registers on $arch"
    failed=1
  fi
  name=${kernel%%<*}
  ! grep -qE "^$name( |$)" "$source_dir/tests/cuda_build/cold_kernels.txt" || continue
  if [ "$f64" -gt 0 ]; then
    echo "$kernel has $f64 double precision instructions and is not in tests/cuda_build/cold_kernels.txt"
    failed=1
  fi
  if [ "$stack" -gt 0 ]; then
    echo "$kernel keeps $stack bytes in local memory on $arch and is not in tests/cuda_build/cold_kernels.txt"
    failed=1
  fi
done <"$build_dir/cuda_kernels.txt"
exit $failed

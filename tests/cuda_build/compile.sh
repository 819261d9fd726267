#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compile.sh SOURCE_DIR BUILD_DIR [ARCHITECTURE]: compiles every .cu with nvcc (default sm_90; all-major: sm_75 … sm_120) and
# fails on an error, a register spill, double precision arithmetic, local memory or an access through a generic address
# in a kernel that cold_kernels.txt does not name, or (sm_90) more registers than registers.txt grants one.
# For one architecture the device's side only, which is two thirds cheaper; all-major compiles the host's side too.
# Leaves BUILD_DIR/cuda_kernels.txt: architecture, registers, spilled bytes, bytes of local memory, .f64 instructions,
# generic accesses, kernel. Exit 77: no nvcc.
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

# .f64 instructions and accesses without a state space between one entry and the next, from PTX.
cat "$work"/*/*.ptx | awk '
  /\.entry/ { for (i = 1; i <= NF; ++i) if ($i ~ /^_Z/) { kernel = $i; sub(/\(.*/, "", kernel); f64[kernel] += 0 } }
  kernel == "" { next }
  /\.f64/ && !/\.param/ { ++f64[kernel] }
  { operation = $1 ~ /^@/ ? $2 : $1 }
  operation ~ /^(ld|st|atom|red)\./ && operation !~ /\.(global|shared|local|param|const)([.:]|$)/ { ++generic[kernel] }
  END { for (k in f64) print k, f64[k], generic[k] + 0 }
' >"$work/instructions"

# CUB's own kernels are not ours to judge.
awk 'NR == FNR { of[$1] = $2 " " $3; next } { print $1, $3, $4, $5, ($2 in of ? of[$2] : "0 0"), $2 }' \
  "$work/instructions" "$work/registers" |
  c++filt | grep -v 'cub::' | sed -E 's/dsasrgs::cuda::|\(anonymous namespace\)::|void //g; s/\(.*\)//; s/ >/>/g' |
  sort -k7 >"$build_dir/cuda_kernels.txt"
[ -s "$build_dir/cuda_kernels.txt" ] || { echo "no kernel was found in nvcc's output"; exit 1; }
cat "$build_dir/cuda_kernels.txt"

# named KERNEL LIST: the second column of the first line of LIST whose pattern is the kernel or, without <…>, its name.
named() {
  local pattern rest
  while read -r pattern rest; do
    # shellcheck disable=SC2053  # a pattern
    if [[ ${1// /} == $pattern || ${1%%<*} == "$pattern" ]]; then
      echo "${rest%% *}"
      return
    fi
  done <"$source_dir/tests/cuda_build/$2"
  return 1
}

failed=0
while read -r arch registers spill stack f64 generic kernel; do
  complain() {
    echo "$kernel on $arch: $1"
    failed=1
  }
  [ "$spill" -eq 0 ] || complain "spills $spill bytes of registers"
  if [ "$arch" = sm_90 ] && most=$(named "$kernel" registers.txt) && [ "$registers" -gt "$most" ]; then
    complain "$registers registers, more than the $most of tests/cuda_build/registers.txt"
  fi
  ! named "$kernel" cold_kernels.txt >/dev/null || continue
  [ "$f64" -eq 0 ] || complain "$f64 double precision instructions, and not in tests/cuda_build/cold_kernels.txt"
  [ "$stack" -eq 0 ] || complain "$stack bytes in local memory, and not in tests/cuda_build/cold_kernels.txt"
  [ "$generic" -eq 0 ] || complain "$generic accesses through generic addresses, and not in tests/cuda_build/cold_kernels.txt"
done <"$build_dir/cuda_kernels.txt"
exit $failed

#!/usr/bin/env bash
# torch.sh SOURCE_DIR TESTS EMULATED_TESTS: the operators that PyTorch has, too, agree with it, on the CPU and as emulated
# CUDA kernels. Exit code 77 where there is no Python with torch.
set -euo pipefail
source_dir="$1" tests="$2" emulated="$3"
for python in python3 /usr/bin/python3 ""; do
  [ -z "$python" ] || "$python" -c 'import torch' 2>/dev/null || continue
  break
done
[ -n "$python" ] || { echo "Skipped: there is no Python with torch"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$python" "$source_dir/tests/oracle/convolve_reference.py" "$work/reference"
export DSASRGS_TORCH_REFERENCE="$work/reference"
"$tests" --backend cpu "[torch]"
"$emulated" --backend cuda "[torch]"

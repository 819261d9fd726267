#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# torch.sh SOURCE_DIR TESTS EMULATED_TESTS: the operators and the network agree with PyTorch, on the CPU and as emulated
# CUDA kernels. Exit code 77 where there is no Python with torch.
set -euo pipefail
source_dir="$1" tests="$2" emulated="$3"
. "$source_dir/tests/support/find_python.sh"
find_python torch
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$python" "$source_dir/tests/oracle/convolve_reference.py" "$work/reference"
"$python" "$source_dir/tests/oracle/network_reference.py" "$work/network"
export DSASRGS_TORCH_REFERENCE="$work/reference" DSASRGS_TORCH_NETWORK="$work/network"
"$tests" --backend cpu "[torch]"
"$emulated" --backend cuda "[torch]"

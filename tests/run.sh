#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs every test, the readers of files and the programs under sanitizers too. `--full` adds the slower
# checks: all tests under AddressSanitizer and UndefinedBehaviorSanitizer, the CUDA kernels' parity tests (emulated) under
# ThreadSanitizer, all emulated tests with a device's arithmetic, nvcc for every architecture, clang-tidy on every source,
# many cases under a real SLURM, runs short of memory, 50 killed runs, every write and every allocation of a run failing,
# and files with 14 000 kinds of damage. `--fuzz` fuzzes every parser of files for five minutes, `--coverage` says which
# lines corpora and tests run; both do nothing else, and leave with 77 without clang 14.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
full=0
case "${1:-}" in
  "") ;;
  --full) full=1 ;;
  --fuzz | --coverage) ;;
  *) echo "usage: bash tests/run.sh [--full | --fuzz | --coverage]" >&2; exit 2 ;;
esac

# Tests run side by side. Those with fewer threads than the machine has cores must not pay for the spinning of the others.
export CTEST_PARALLEL_LEVEL=2 OMP_WAIT_POLICY=passive

bash cmake/install_dependencies.sh
[ "${1:-}" != --fuzz ] || exec bash tests/fuzz/run.sh "$PWD"
[ "${1:-}" != --coverage ] || exec bash tests/fuzz/coverage.sh "$PWD"
cmake --preset release
cmake --build --preset release
ctest --test-dir build --output-on-failure

if [ $full -eq 1 ]; then
  cmake --preset asan
  cmake --build --preset asan
  ctest --test-dir build-asan --output-on-failure
  cmake --preset tsan
  cmake --build --preset tsan
  ctest --test-dir build-tsan --output-on-failure -R '^(cuda_emulated|planted_thread|threads)$'
  cmake --preset device-arithmetic
  cmake --build --preset device-arithmetic
  ctest --test-dir build-device-arithmetic --output-on-failure -R '^cuda_emulated$'
  bash tests/cuda_build/compile.sh "$PWD" "$PWD/build" all-major || [ $? -eq 77 ]
  bash tests/style/tidy.sh "$PWD" "$PWD/build" all || [ $? -eq 77 ]
  bash tests/reliability/memory.sh "$PWD/build/examples/dsasrgs/dsasrgs"
  bash tests/reliability/kills.sh "$PWD/build/examples/dsasrgs/dsasrgs"
  bash tests/reliability/failing_writes.sh "$PWD/build/examples/dsasrgs/dsasrgs" "$PWD/build/tests/dsasrgs_failing_writes.so"
  DSASRGS_EVERY_ALLOCATION=1 build/tests/dsasrgs_out_of_memory_tests
  DSASRGS_EVERY_ALLOCATION=1 build/tests/emulation/dsasrgs_tests_emulated --backend cuda "[out_of_memory]"
  bash tests/cluster/slurm.sh "$PWD" "$PWD/build/examples/dsasrgs/dsasrgs" --install || [ $? -eq 77 ]
  bash tests/reliability/mutated_files.sh "$PWD/build/tests/dsasrgs_tests"
fi

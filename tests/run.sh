#!/usr/bin/env bash
# Builds everything and runs every test. `--full` adds the slower checks: the tests under AddressSanitizer and
# UndefinedBehaviorSanitizer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
full=0
case "${1:-}" in
  "") ;;
  --full) full=1 ;;
  *) echo "usage: bash tests/run.sh [--full]" >&2; exit 2 ;;
esac

bash cmake/install_dependencies.sh
cmake --preset release
cmake --build --preset release
ctest --test-dir build --output-on-failure

if [ $full -eq 1 ]; then
  cmake --preset asan
  cmake --build --preset asan
  ctest --test-dir build-asan --output-on-failure
fi

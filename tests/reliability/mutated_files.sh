#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mutated_files.sh DSASRGS_TESTS [ACQUISITIONS [OTHERS]]: reads so many damaged acquisitions, and so many files of each other
# kind, through a child process, and prints what came of them. It fails where this process would not end with an error of
# the library's own. Seeds are fixed.
set -euo pipefail
tests="$1" acquisitions="${2:-10000}" others="${3:-1000}"
DSASRGS_MUTATIONS=$acquisitions "$tests" "mutated files: acquisitions*"
for kind in labels networks "models and checkpoints"; do
  DSASRGS_MUTATIONS=$others "$tests" "mutated files: $kind"
done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The text against the repository (check.sh), after a small tree with one fault of each kind, which must be found.
# run.sh SOURCE_DIR BUILD_DIR [PROGRAM [STUDY_PROGRAM]]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source_dir="$1" build_dir="$2" program="${3:-}" study_program="${4:-}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

bash "$here/self_test.sh" "$work/planted"

ctest --test-dir "$build_dir" -N | sed -n 's/^ *Test *#[0-9]*: //p' | sed 's/ *(Disabled)$//' >"$work/test_names"
bash "$here/check.sh" "$source_dir" "$work/test_names" "$program" "$study_program"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reconstructs every acquisition of a folder on this machine, JOBS (default: 1) at a time, with GNU parallel, or xargs where that
# is not installed. Prints one line for each case as it ends, and leaves RESULTS/NAME/ (its run folder), RESULTS/NAME.log and
# RESULTS/summary.{csv,md}. The same command again does what is left to do: finished cases are left alone, others go on from
# their checkpoints. Exit code 1 if a case is not finished. docs/guides/many-cases.md says more.
# usage: JOBS=4 bash parallel.sh CASES_FOLDER RESULTS_FOLDER CONFIG.toml [OPTIONS OF dsasrgs reconstruct...]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/begin.sh"
[[ ${JOBS:-1} =~ ^[1-9][0-9]*$ ]] || fail "JOBS: expected a number of 1 or more, found $JOBS"
trap : INT  # the cases are stopped, too: their table is made nevertheless
if [ ${#left[@]} -gt 0 ]; then
  if command -v parallel >/dev/null; then
    # Interrupted, cases have two minutes to save what they have.
    printf '%s\0' "${left[@]}" | parallel --null --jobs "${JOBS:-1}" --line-buffer --termseq TERM,120000,KILL,25 \
      bash "$cluster/one_case.sh" "$results" {} || true
  else
    printf '%s\0' "${left[@]}" | xargs -0 -n 1 -P "${JOBS:-1}" bash "$cluster/one_case.sh" "$results" || true
  fi
fi
bash "$cluster/summary.sh" "$results"

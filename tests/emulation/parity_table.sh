#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# parity_table.sh BINARY: the largest difference found between CUDA (or its emulation) and the CPU, for every comparison of
# the parity tests: file, comparison, largest value, bound.
set -euo pipefail
"$1" --backend cuda "[parity]" -s 2>/dev/null | awk '
  /_test\.cpp:[0-9]+: PASSED/ { n = split($1, part, "/"); file = part[n]; sub(/:.*/, "", file); getline; check = $0; next }
  check != "" && $2 ~ /^<=?$/ && NF == 3 {
    gsub(/^ +/, "", check)
    key = file "  " check
    if (!(key in worst) || $1 + 0 > worst[key]) { worst[key] = $1 + 0; bound[key] = $3 }
    check = ""
  }
  END { for (k in worst) printf "%-150s %.2e %s %s\n", k, worst[k], "<", bound[k] }' | sort

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source, script and build file names its licence in its first lines: licence.sh SOURCE_DIR
set -euo pipefail
cd "$1"
missing=$(find CMakeLists.txt cmake include libdsasrgs kernels examples bench tests -name node_modules -prune -o -type f \
  \( -name '*.[ch]' -o -name '*.[ch]pp' -o -name '*.cu' -o -name '*.cuh' -o -name '*.sh' -o -name '*.py' -o -name '*.js' -o -name '*.mjs' \
  -o -name '*.css' -o -name '*.cmake' -o -name '*.in' -o -name CMakeLists.txt \) -print0 |
  xargs -0 awk 'FNR <= 3 && /SPDX-License-Identifier: Apache-2.0/ { found[FILENAME] = 1 } FNR == 1 { all[FILENAME] = 1 }
    END { for (f in all) if (!(f in found)) print f }' | sort)
[ -z "$missing" ] || { printf 'without SPDX-License-Identifier: Apache-2.0 in the first three lines:\n%s\n' "$missing" >&2; exit 1; }

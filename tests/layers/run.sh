#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SOURCE_DIR: a small tree with includes that must be found, then the repository (check.sh).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source_dir="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/good/{docs,include/dsasrgs,kernels/common,kernels/blur,kernels/tile,libdsasrgs/train,examples/program}
cd "$work/good"
cat >docs/architecture.md <<'END'
```layers
core           = include/dsasrgs/{image,error}.hpp
include/dsasrgs ← core
kernels/common ← core
kernels/*      ← core kernels/common
kernels/tile   ← kernels/blur
libdsasrgs     ← core include/dsasrgs kernels/common kernels/*
libdsasrgs/train ← libdsasrgs kernels/*
examples       ← core include/dsasrgs
```
END
echo '#include <vector>' >include/dsasrgs/image.hpp
echo '#include "dsasrgs/image.hpp"' >include/dsasrgs/run.hpp
echo '#include "dsasrgs/image.hpp"' >kernels/common/sum.hpp
echo '#include "common/sum.hpp"' >kernels/blur/blur.hpp
echo '#include "blur/blur.hpp"' >kernels/tile/tile.hpp
echo '#include "dsasrgs/run.hpp"' >libdsasrgs/run.cpp
touch libdsasrgs/parts.hpp
printf '#include "parts.hpp"\n#include "tile/tile.hpp"\n' >libdsasrgs/train/step.hpp
echo '#include <dsasrgs/run.hpp>' >examples/program/main.cpp
bash "$here/check.sh" "$PWD" || { echo "check.sh finds a fault where there is none" >&2; exit 1; }

cp -r . ../bad
cd ../bad
planted() {  # FILE INCLUDED MESSAGE
  printf '#include %s\n' "$2" >>"$1"
  echo "$1$3" >>../messages
}
planted kernels/common/sum.hpp '"blur/blur.hpp"' ':2: kernels/common must not include kernels/blur/blur.hpp, of kernels/blur'
planted kernels/blur/blur.hpp '"tile/tile.hpp"' ':2: kernels/blur must not include kernels/tile/tile.hpp, of kernels/tile'
planted kernels/blur/blur.hpp '"dsasrgs/run.hpp"' ':3: kernels/blur must not include include/dsasrgs/run.hpp, of include/dsasrgs'
planted libdsasrgs/parts.hpp '"train/step.hpp"' ':1: libdsasrgs must not include libdsasrgs/train/step.hpp, of libdsasrgs/train'
planted examples/program/main.cpp '"parts.hpp"' ':2: examples must not include libdsasrgs/parts.hpp, of libdsasrgs'
planted include/dsasrgs/run.hpp '<stdint.h>' ':2: a public header includes <stdint.h>'
planted include/dsasrgs/run.hpp '<hdf5.h>' ':3: a public header includes <hdf5.h>'
sed -i 's/^kernels\/common ← core$/kernels\/common ← core libdsasrgs/' docs/architecture.md
echo 'drawing:3: libdsasrgs is not in a line before' >>../messages
if bash "$here/check.sh" "$PWD" >../found 2>&1; then echo "check.sh finds no fault at all" >&2; exit 1; fi
grep -q '^circle of includes: .*kernels/blur/blur.hpp' ../found || { cat ../found; echo "circle not found" >&2; exit 1; }
grep -v '^circle' ../found | sort | diff - <(sort ../messages)

bash "$here/check.sh" "$source_dir"

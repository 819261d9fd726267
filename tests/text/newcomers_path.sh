#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# newcomers_path.sh [FOLDER]: what a newcomer does, in a fresh clone of this repository's HEAD in a new FOLDER (a temporary
# one), by the README's and the guides' commands, and how long each takes, as a table. By hand: it builds everything, without a
# compiler cache.
set -euo pipefail
repository=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"
unset CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER
printf '| step | commands | time |\n|---|---|---|\n' >table.md

step() {  # step NAME COMMANDS
  local start=$SECONDS
  bash -euo pipefail -c "$2" >>log.txt 2>&1 || { tail -n 20 log.txt >&2; echo "newcomers_path.sh: $1: $2" >&2; exit 1; }
  echo "| $1 | \`${2//$repository/REPOSITORY}\` | $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s |" | tee -a table.md
}

step "clone" "git clone $repository dsasrgs"
step "first result" "bash dsasrgs/examples/quickstart.sh"
export PATH=$PWD/dsasrgs/build/examples/dsasrgs:$PATH
# Somebody's data: another program's geometry and stack of projections.
dsasrgs simulate --output case.h5 --quiet --size 64 64 --pitch-mm 4.8 --photons 2000000
dsasrgs export geometry case.h5 scan.xml --projections scan.mha --quiet
step "data of one's own" "dsasrgs import rtk scan.xml scan.mha own.h5 --duration-s 5 --train-views 30 && dsasrgs inspect own.h5"
step "and a model of it" "dsasrgs reconstruct own.h5 --output run --steps 2000 --report"
step "library installed" "cmake -S dsasrgs -B dsasrgs/build -DDSASRGS_TESTS=OFF -DDSASRGS_BENCH=OFF && cmake --build dsasrgs/build && cmake --install dsasrgs/build --prefix installed"
step "program of one's own linked" "cmake -S dsasrgs/examples/embed -B embed -DCMAKE_PREFIX_PATH=$PWD/installed && cmake --build embed && embed/reconstruct training.steps=100"
echo "table: $folder/table.md"

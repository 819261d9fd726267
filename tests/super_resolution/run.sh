#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of examples/super_resolution; 77 (Skipped) where node or its packages are not installed: nothing is downloaded.
# usage: run.sh SOURCE_FOLDER DSASRGS_PROGRAM
set -euo pipefail
folder=$1/examples/super_resolution
skip() { echo "skipped: $1"; exit 77; }
command -v node > /dev/null || skip "there is no node"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node $(node --version) is older than 20"
[ -d "$folder/node_modules/h5wasm" ] || skip "npm ci was not run in examples/super_resolution"
cd "$folder"
DSASRGS_PROGRAM=$2 node --test --test-reporter=spec

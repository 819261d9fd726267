#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the build needs, where it is missing: Debian packages, and, where there is npm, the report's npm packages
# (examples/report). `--report` installs npm too. Does nothing on a machine that has it all.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
packages=(g++ cmake ninja-build libeigen3-dev libhdf5-dev libstb-dev libhwy-dev librandom123-dev libnanoflann-dev libboost-context-dev libcli11-dev
          libtomlplusplus-dev nlohmann-json3-dev zlib1g-dev catch2 libbenchmark-dev hdf5-tools libtiff-dev libpugixml-dev libdcmtk-dev dcmtk
          pkg-config jq)
[ "${1:-}" != --report ] || command -v npm >/dev/null || packages+=(npm)
missing=()
for p in "${packages[@]}"; do
  [[ $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null) == *'install ok installed'* ]] || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing: ${missing[*]}"
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" >/dev/null
fi

# Without them all else works; reports then lack curves and the 3D view, and say so.
if command -v npm >/dev/null && [ ! -d "$root/examples/report/node_modules/uplot" ]; then
  echo "Installing: npm packages of examples/report"
  (cd "$root/examples/report" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) ||
    echo "npm ci failed in examples/report: reports will lack curves and the 3D view"
fi

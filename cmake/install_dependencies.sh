#!/usr/bin/env bash
# Installs the Debian packages the build needs, where they are missing. Does nothing on a machine that has them all.
set -euo pipefail
packages=(g++ cmake ninja-build libeigen3-dev libhdf5-dev libstb-dev libhwy-dev librandom123-dev libnanoflann-dev libboost-context-dev libcli11-dev
          libtomlplusplus-dev nlohmann-json3-dev zlib1g-dev catch2 libbenchmark-dev hdf5-tools
          pkg-config jq)
missing=()
for p in "${packages[@]}"; do
  [[ $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null) == *'install ok installed'* ]] || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "Installing: ${missing[*]}"
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" >/dev/null

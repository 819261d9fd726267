# SPDX-License-Identifier: Apache-2.0
# Sourced. find_tool NAME: leaves in $tool the NAME of version 14, whose results the sources are held to; exit code 77 where
# there is none.
find_tool() {
  for tool in "$1-14" "$1"; do
    if command -v "$tool" >/dev/null && [[ $($tool --version) == *'version 14.'* ]]; then return; fi
  done
  echo "Skipped: there is no $1 14"
  exit 77
}

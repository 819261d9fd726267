# SPDX-License-Identifier: Apache-2.0
# Sourced. find_python MODULE...: leaves in $python one that has the modules; exit code 77 where there is none. The one in PATH
# may be another than Debian's, which has Debian's packages.
find_python() {
  local modules
  modules=$(IFS=,; echo "$*")
  for python in python3 /usr/bin/python3; do
    if "$python" -c "import $modules" 2>/dev/null; then return; fi
  done
  echo "Skipped: there is no Python with $*"
  exit 77
}

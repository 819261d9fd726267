#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Doxygen has no warning about the public headers (docs/Doxyfile); a public function without a comment must be found first. Exit
# code 77 where there is no Doxygen.
# usage: api_documentation.sh SOURCE_DIR
set -euo pipefail
command -v doxygen >/dev/null || { echo "skipped: no doxygen (Debian: doxygen)"; exit 77; }
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
made() {  # INPUT...
  { cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $work/html"; [ $# -eq 0 ] || echo "INPUT = $*"; } | doxygen - 2>"$work/warnings"
}
mkdir "$work/dsasrgs"
cat >"$work/dsasrgs/planted.hpp" <<'END'
/// @file
/// Planted.

/// A class.
class Planted {
 public:
  /// Is said.
  int said();

  int unsaid();
};
END
if made "$work/dsasrgs"; then echo "doxygen finds nothing wrong with a function without a comment" >&2; exit 1; fi
grep -q 'Member unsaid() (function) of class Planted is not documented' "$work/warnings"
[ "$(grep -c "planted.hpp:" "$work/warnings")" -eq 1 ] || { cat "$work/warnings" >&2; exit 1; }
made || { cat "$work/warnings" >&2; exit 1; }

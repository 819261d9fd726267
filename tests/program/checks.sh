# SPDX-License-Identifier: Apache-2.0
# What the tests of the program from outside have in common; they source it: `source checks.sh PATH_OF_BINARY`. Leaves the
# caller in an empty folder, with `program`, `here` (tests/program) and `failures`.
[ $# -eq 1 ] && [ -x "$1" ] || { echo "usage: $0 PATH_OF_DSASRGS" >&2; exit 2; }
program=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
export OMP_WAIT_POLICY=passive  # tests run beside each other: waiting threads must not take the others' time
export DSASRGS_READ_DIRECTLY=1  # a child takes 50 ms to start; hdf5_test.sh and own_labels_test.sh unset it

report() { echo "FAILED: $*" >&2; failures=$((failures + 1)); }
# expect CODE NAME ARGUMENTS...: runs the program; an error must be one line on stderr, behind warnings at most.
expect() {
  local code=$1 name=$2 found
  shift 2
  "$program" "$@" >out.txt 2>err.txt
  found=$?
  [ $found -eq "$code" ] || { report "$name: exit code $found, expected $code: $(tail -n 3 out.txt err.txt)"; return; }
  [ "$code" -eq 0 ] && return
  [ "$(grep -vc '^warning: ' err.txt)" -eq 1 ] && grep -q '^dsasrgs: error: ' err.txt || report "$name: not one line: $(cat err.txt)"
}
# says NAME PATTERN [FILE]: stderr, or that file, has it.
says() { grep -qE -- "$2" "${3:-err.txt}" || report "$1: expected '$2' in: $(head -n 8 "${3:-err.txt}")"; }
there() { for f in "$@"; do [ -s "$f" ] || report "$f is missing or empty"; done; }
absent() { for f in "$@"; do [ ! -e "$f" ] || report "$f must not be there"; done; }
# under_limits NAME ARGUMENTS...: with a limit on the address space from what the program takes to start on (KiB), in steps of 600,
# until it succeeds three times; what fails says that it is for want of memory, and blames no file. A second process reads files.
under_limits() {
  local name=$1 limit=30000 succeeded=0 code
  shift
  until { (ulimit -v $limit && exec "$program" --version); } >/dev/null 2>&1; do
    limit=$((limit + 5000))
    [ $limit -lt 1000000 ] || return 0  # a sanitizer's, which takes terabytes
  done
  for (( ; succeeded < 3; limit += 600)); do
    { (unset DSASRGS_READ_DIRECTLY; ulimit -v $limit && exec "$program" "$@"); } >out.txt 2>err.txt
    code=$?
    if [ $code -eq 0 ]; then
      succeeded=$((succeeded + 1))
    else
      says "$name, in $limit KiB" '[Mm]emory'
      grep -E 'its size can need|damage|found another|expected an? ' err.txt && report "$name, in $limit KiB: a file is blamed"
      [ $code -eq 1 ] || report "$name, in $limit KiB: exit code $code: $(cat err.txt)"
      [ $failures -eq 0 ] || return
    fi
    [ $limit -lt 1000000 ] || { report "$name: never enough memory: $(cat err.txt)"; return; }
  done
}

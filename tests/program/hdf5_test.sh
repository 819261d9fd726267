#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# HDF5 files are read by a second process of the program: hdf5_test.sh PATH_OF_BINARY
set -u
source "$(dirname "$0")/checks.sh" "$@"
unset DSASRGS_READ_DIRECTLY

expect 0 simulate simulate --output case.h5 --views 8 --size 16 16 --pitch-mm 9.6 --grid-size 12 --grid-spacing-mm 13 \
  --train-views 4 --samples-per-pixel 1 --quiet
expect 0 "read by a second process" inspect case.h5
cp out.txt second.txt
DSASRGS_READ_DIRECTLY=1 expect 0 "read directly" inspect case.h5
cmp -s out.txt second.txt || report "read directly: another answer than of a second process"

# A network that came with the program has its strings in HDF5's global heap. Its first object gets a size that HDF5 crashes on.
network=$here/../../examples/super_resolution/networks/dsasrgs-x2.h5
cp "$network" crash.h5
heap=$(LC_ALL=C grep -abom1 GCOL crash.h5 | cut -d: -f1)
[ -n "$heap" ] || report "$network has no strings of variable length"
printf '\000\000\000\000\000\001\000\000' | dd of=crash.h5 bs=1 seek=$((heap + 24)) conv=notrunc status=none
expect 2 "HDF5 crashes" labels case.h5 --network crash.h5 --scale 2 --output labels.h5
says "HDF5 crashes" 'crash.h5: /@[a-z_]*: expected an HDF5 file that can be read, found damage that leads to '
absent labels.h5

mkfifo pipe
expect 2 "a pipe" inspect pipe
says "a pipe" 'pipe: cannot read: expected a regular file, found a device, pipe or socket'
flock -x case.h5 "$program" inspect case.h5 >out.txt 2>err.txt && report "locked: expected an error"
says "locked" 'case.h5: cannot read: another program has it open for writing'

# A file system without locks. A sanitizer wants to be the first library.
if printf '#include <errno.h>\nint flock(int file, int what) { (void)file; (void)what; errno = ENOLCK; return -1; }\n' |
  ${CC:-cc} -shared -fPIC -x c - -o no_locks.so 2>compiler.txt && ! grep -q __asan_init "$program"; then
  LD_PRELOAD=$PWD/no_locks.so expect 0 "no locks" inspect case.h5
fi

"$program" read-file-for-another-process </dev/null
[ $? -eq 2 ] || report "the second process by hand: expected exit code 2"

[ $failures -eq 0 ] && echo "hdf5_test: passed"
exit $((failures > 0))

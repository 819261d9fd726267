#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh KIND SOURCE_DIR FOLDER PROGRAM TESTS: files of make.sh, in FOLDER, as one independent reader sees them (check.py).
# Exit code 77 where the reader is not installed.
set -euo pipefail
kind="$1" source_dir="$2" folder="$3" program="$4" tests="$5"
here="$source_dir/tests/formats"
. "$source_dir/tests/support/find_python.sh"
skip() { echo "Skipped: $1"; exit 77; }
installed() { command -v "$1" >/dev/null || skip "there is no $1 (Debian: $2)"; }
cd "$folder"
case $kind in
  nibabel)
    find_python nibabel h5py numpy
    "$python" "$here/nifti_files.py" nifti
    DSASRGS_NIFTI_FILES="$PWD/nifti" "$tests" "[nibabel]" ;;
  dicom)
    find_python pydicom nibabel h5py numpy
    installed dcmdump dcmtk ;;
  teem)
    find_python h5py numpy
    installed teem-unu teem-apps ;;
  itk)
    find_python h5py numpy
    itk=$(ls -d /usr/include/ITK-5.* 2>/dev/null | head -n 1)
    [ -n "$itk" ] || skip "there is no ITK (Debian: libinsighttoolkit5-dev)"
    version=${itk##*/ITK-}
    libraries=()
    for l in IOGDCM IOMeta IONRRD IONIFTI IOImageBase Common vnl vnl_algo sys; do
      for file in /usr/lib/libITK$l-$version.so /usr/lib/libitk$l-$version.so /usr/lib/*/libITK$l-$version.so; do
        [ ! -e "$file" ] || libraries+=("$file")
      done
    done
    # Kept beside the folder: it takes half a minute.
    [ ../itk_read -nt "$here/itk_read.cpp" ] ||
      g++ -std=c++17 -O0 -w -isystem "$itk" "$here/itk_read.cpp" -o ../itk_read "${libraries[@]}"
    cp ../itk_read itk_read ;;
  meshio) find_python meshio h5py numpy ;;
  numpy) find_python h5py numpy ;;
  splats)
    find_python h5py numpy
    installed node nodejs
    tool="$here/node_modules/@playcanvas/splat-transform/bin/cli.mjs"
    [ -e "$tool" ] || skip "npm ci was not run in tests/formats"
    node "$tool" --quiet --overwrite viewer.ply viewer.csv ;;
  movies)
    find_python PIL h5py numpy
    installed ffmpeg ffmpeg
    for end in webp mp4; do
      "$program" render model.h5 --case case.h5 --views all --output film.$end --fps 8 --quiet --force
    done
    # Nothing of a name is read by a shell or by ffmpeg.
    odd="\$(touch x); -y %d 'q'.webp"
    "$program" render model.h5 --case case.h5 --views 0,1 --output "$odd" --quiet
    [ -s "$odd" ] && [ ! -e x ]
    rm "$odd"
    # Rates at the ends of what is taken.
    for rate in 0.001 1000; do
      for end in webp mp4; do
        "$program" render model.h5 --case case.h5 --views 0,1 --output rate.$end --fps $rate --quiet --force
        ffmpeg -v error -i rate.$end -f null - 2>err.txt || [ $end = webp ]  # some builds of it read no WebP
        [ -s rate.$end ]
      done
    done
    # An ffmpeg that says it did and wrote nothing; no folder for temporary files.
    mkdir -p bin
    printf '#!/bin/sh\nexit 0\n' >bin/ffmpeg
    chmod +x bin/ffmpeg
    code=0
    PATH=$PWD/bin:$PATH "$program" render model.h5 --case case.h5 --output none.mp4 2>err.txt || code=$?
    [ $code = 1 ] && grep -q 'none.mp4: cannot write: ffmpeg ended well and wrote nothing$' err.txt && [ ! -e none.mp4 ]
    # One that is killed, itself or in a script that runs it, and one that says why or nothing.
    fails_so() {  # SCRIPT PATTERN
      printf '#!/bin/sh\n[ "$1" = -version ] && exit 0\n%s\n' "$1" >bin/ffmpeg
      code=0
      PATH=$PWD/bin:$PATH "$program" render model.h5 --case case.h5 --output none.mp4 2>err.txt || code=$?
      [ $code = 1 ] && grep -q "none.mp4: cannot write: ffmpeg $2\$" err.txt && [ ! -e none.mp4 ]
    }
    fails_so 'kill -9 $$' 'was killed by signal 9 (Killed), perhaps for want of memory'
    fails_so 'exit 143' 'was killed by signal 15 (Terminated)'
    fails_so 'exit 3' 'ended with code 3'
    fails_so 'echo no encoder >&2; exit 4' 'ended with code 4: no encoder'
    code=0
    TMPDIR=/nowhere "$program" render model.h5 --case case.h5 --output none.mp4 2>err.txt || code=$?
    [ $code = 2 ] && grep -q 'TMPDIR: expected a folder for temporary files, found none: /nowhere$' err.txt && [ ! -e none.mp4 ]
    # Without ffmpeg: one line, which names the package.
    code=0
    PATH=/nowhere "$program" render model.h5 --case case.h5 --output none.mp4 2>err.txt || code=$?
    [ $code = 2 ] && grep -q 'apt-get install ffmpeg' err.txt && [ "$(wc -l <err.txt)" = 1 ] && [ ! -e none.mp4 ] ;;
esac
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 "$python" "$here/check.py" "$kind"

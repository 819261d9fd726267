#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# seeds.sh SOURCE_DIR BUILD_DIR CORPUS: puts first inputs into CORPUS/TARGET, beside what is there: those that fuzz_seeds makes,
# the repository's own TOML files, and small files of ../shared where it is.
set -euo pipefail
source_dir="$1" build="$2" corpus="$3"
"$build/tests/fuzz/fuzz_seeds" "$corpus"

copy() {  # TARGET FILE...
  local target="$1" file
  shift
  for file in "$@"; do
    # A name of its own: folders have files of the same name.
    [ ! -f "$file" ] || cp --no-preserve=mode "$file" "$corpus/$target/$(sha1sum <"$file" | cut -c1-16)"
  done
}
small() { find "$source_dir/../shared/cases/" "$source_dir/../shared/data/" -type f -size -32k "$@" 2>/dev/null || true; }
copy study_plan "$source_dir"/examples/studies/*.toml
copy config "$source_dir"/examples/*.toml "$source_dir"/examples/studies/small_4x.toml
copy network_plan "$source_dir"/examples/super_resolution/*.toml
mapfile -t files < <(small -name '*.toml') && copy config "${files[@]}"
mapfile -t files < <(small -name '*.swc') && copy swc "${files[@]}"
mapfile -t files < <(small -name '*.vtk') && copy vtk "${files[@]}"
mapfile -t files < <(small -name '*.nii') && copy nifti "${files[@]}"
mapfile -t files < <(small -name '*.nii.gz') && copy nifti_gz "${files[@]}"

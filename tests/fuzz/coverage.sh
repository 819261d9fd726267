#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh SOURCE_DIR: which lines run (preset coverage, build-coverage/): of every parser when its corpus is read, which is
# build-fuzz/corpus where tests/fuzz/run.sh left one, else the first inputs; and of the library, folder by folder, in the tests
# on the CPU. Prints two tables. 77: there is no clang 14.
set -euo pipefail
source_dir="$1"
here="$source_dir/tests/fuzz"
. "$here/find_clang.sh"
require_clang llvm-profdata-14 llvm-cov-14

cd "$source_dir"
cmake --preset coverage >/dev/null
cmake --build --preset coverage
build="$PWD/build-coverage"
corpus="$PWD/build-fuzz/corpus"
if [ ! -d "$corpus" ]; then
  corpus="$build/corpus"
  bash "$here/seeds.sh" "$PWD" "$build" "$corpus"
fi
profiles="$build/profiles"
rm -rf "$profiles" && mkdir "$profiles"
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive

# report PROGRAM PROFILE: "lines missed path" of every source, the path from the repository's root.
report() {
  llvm-cov-14 report "$1" -instr-profile "$2" 2>/dev/null |
    awk 'NF >= 10 && $8 ~ /^[0-9]+$/ && $1 != "TOTAL" { print $8, $9, $1 }'
}
# share PATTERN: of the lines of a report whose paths match.
share() {
  awk -v pattern="$1" '$3 ~ pattern { all += $1; missed += $2 }
    END { if (all == 0) print "not in it"; else printf "%d of %d (%d %%)", all - missed, all, 100 * (all - missed) / all }'
}

files=libdsasrgs/files
declare -A parser=(
  [hdf5_acquisition]="$files/io_acquisition.cpp $files/hdf5_file.cpp"
  [hdf5_labels]="libdsasrgs/super_resolution/pseudo_labels.cpp"
  [hdf5_model]="$files/io_model.cpp $files/model_check.cpp"
  [hdf5_checkpoint]="libdsasrgs/train/checkpoint.cpp"
  [hdf5_network]="libdsasrgs/network/network_file.cpp"
  [hdf5_network_checkpoint]="libdsasrgs/network/network_checkpoint.cpp"
  [hdf5_remote]="$files/hdf5_remote.cpp $files/hdf5_messages.cpp"
  [hdf5_server]="$files/hdf5_server.cpp $files/hdf5_local.cpp $files/hdf5_types.cpp"
  [nifti]="$files/io_nifti.cpp $files/nifti_header.cpp $files/nifti_orientation.cpp"
  [gaussian_ply]="$files/io_gaussian_ply.cpp"
  [nifti_gz]="$files/byte_stream.cpp"
  [png]="$files/io_png_read.cpp"
  [raw_volume]="$files/io_raw_volume.cpp"
  [swc]="libdsasrgs/simulate/swc_file.cpp $files/text_lines.cpp"
  [vtk]="libdsasrgs/simulate/vtk_file.cpp libdsasrgs/simulate/vtk_binary.cpp libdsasrgs/simulate/vtp_file.cpp libdsasrgs/simulate/vtp_data.cpp"
  [import_naf]="libdsasrgs/import/pickle_machine.cpp libdsasrgs/import/pickle_numpy.cpp libdsasrgs/import/pickle_file.cpp"
  [import_npy]="libdsasrgs/import/npy_file.cpp"
  [import_json]="libdsasrgs/import/json_file.cpp"
  [import_rtk]="libdsasrgs/import/rtk_geometry.cpp"
  [import_meta_image]="libdsasrgs/import/meta_image.cpp"
  [import_table]="libdsasrgs/import/images.cpp"
  [import_tiff]="libdsasrgs/import/tiff_file.cpp"
  [config]="libdsasrgs/config.cpp libdsasrgs/config_walkers.hpp libdsasrgs/toml_scan.cpp"
  [network_config]="libdsasrgs/network/network_config.cpp"
  [network_plan]="examples/dsasrgs/network_plan.cpp"
  [study_plan]="examples/study/plan.cpp examples/study/toml_table.cpp examples/study/option_table.cpp"
  [study_result]="examples/study/result.cpp"
)

# Children that read HDF5 end without writing what they counted. Recorded losses are those of other vector code, and other
# tests may miss a bound in this build: whether tests pass is tests/run.sh's business.
LLVM_PROFILE_FILE="$profiles/tests-%p.profraw" "$build/tests/dsasrgs_tests" --backend cpu "~[.]~[recorded]" >"$build/tests.log" 2>&1 ||
  echo "Not all tests passed, see $build/tests.log" >&2
llvm-profdata-14 merge -o "$profiles/tests.profdata" "$profiles"/tests-*.profraw
rm "$profiles"/tests-*.profraw
report "$build/tests/dsasrgs_tests" "$profiles/tests.profdata" >"$profiles/tests"

echo "| parser | lines that its corpus runs | lines that the tests run |"
echo "|---|---|---|"
for target in "${!parser[@]}"; do
  program="$build/tests/fuzz/fuzz_$target"
  LLVM_PROFILE_FILE="$profiles/$target.profraw" "$program" "$corpus/$target" >"$build/replay.log" 2>&1 ||
    echo "$target does not read its corpus: $build/replay.log" >&2
  llvm-profdata-14 merge -o "$profiles/$target.profdata" "$profiles/$target.profraw"
  report "$program" "$profiles/$target.profdata" >"$profiles/$target"
  for source in ${parser[$target]}; do
    echo "| $source | $(share "(^|/)$source\$" <"$profiles/$target") | $(share "(^|/)$source\$" <"$profiles/tests") |"
  done
done | sort

echo
echo "| folder | lines that the tests run |"
echo "|---|---|"
for folder in kernels/*/ libdsasrgs/ libdsasrgs/*/; do
  echo "| ${folder%/} | $(share "(^|/)${folder}[^/]*\$" <"$profiles/tests") |"
done

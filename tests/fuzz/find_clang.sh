# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# require_clang TOOL...: leaves with exit code 77 and a line that says why, unless clang 14's fuzzer runtime and the tools
# are there.
require_clang() {
  local tool runtime
  for tool in clang++-14 "$@"; do
    if [ -z "$(command -v "$tool")" ]; then
      echo "Skipped: there is no $tool (Debian: clang-14, llvm-14)" >&2
      exit 77
    fi
  done
  runtime="$(clang++-14 -print-file-name=libclang_rt.fuzzer-x86_64.a)"
  if [ ! -f "$runtime" ] && [ ! -f "$(clang++-14 -print-resource-dir)/lib/linux/libclang_rt.fuzzer-x86_64.a" ]; then
    echo "Skipped: there is no fuzzer runtime of clang 14 (Debian: libclang-rt-14-dev)" >&2
    exit 77
  fi
}

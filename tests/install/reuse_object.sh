#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A compiler launcher for packaging tests: where the main build, in $REUSE_FROM, has compiled the same source of the library
# (position-independent and with hidden visibility, whatever the library's kind), its object is taken; else the compiler runs.
set -euo pipefail
output="" dependencies=""
arguments=("$@")
for ((i = 0; i + 1 < $#; ++i)); do
  case ${arguments[i]} in
    -o) output=${arguments[i + 1]} ;;
    -MF) dependencies=${arguments[i + 1]} ;;
  esac
done
path=$PWD/$output
object=$REUSE_FROM/libdsasrgs/CMakeFiles/${path##*/libdsasrgs/CMakeFiles/}
# Beside the folder of the library, sources are `__` in the main build and go by their whole path in a subdirectory's.
object=${object/.dir"${BASH_SOURCE[0]%/tests/install/*}"/.dir/__}
[ -n "$output" ] && [ -f "$object" ] || exec "$@"
# Several sources in one: the same ones.
if [[ $output == */Unity/* ]] && ! cmp -s "${path%.o}" "${object%.o}"; then exec "$@"; fi
cp "$object" "$output"
[ -z "$dependencies" ] || echo "$output:" >"$dependencies"

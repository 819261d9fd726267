#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crash_test.sh BINARY KIND: every hidden test of planted_bugs.cu tagged [.crash_KIND] must be caught: by the guard of the
# device's memory (KIND guard), or by the sanitizer the binary was built with (address, undefined, thread).
set -uo pipefail
binary=$1 kind=$2
case $kind in
  guard) expected="SIGSEGV" ;;
  address) expected="ERROR: AddressSanitizer" ;;
  undefined) expected="runtime error: index" ;;
  thread) expected="WARNING: ThreadSanitizer: data race" ;;
  *) echo "KIND: expected guard, address, undefined or thread, found $kind" >&2; exit 2 ;;
esac
mapfile -t names < <("$binary" --backend cuda --list-test-names-only "[.crash_$kind]")
[ ${#names[@]} -gt 0 ] || { echo "no test is tagged [.crash_$kind]" >&2; exit 1; }
failed=0
for name in "${names[@]}"; do
  output=$("$binary" --backend cuda "$name" 2>&1)
  status=$?
  # The guard of freed memory and of what lies past an allocation stops the process with a bus error.
  if grep -qF "$expected" <<<"$output" || { [ "$kind" = guard ] && [ $status -eq $((128 + $(kill -l BUS))) ]; }; then
    echo "caught: $name"
  else
    echo "NOT caught: $name ($expected)"
    tail -n 5 <<<"$output"
    failed=1
  fi
done
exit $failed

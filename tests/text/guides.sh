#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# guides.sh SOURCE_DIR PROGRAM: the bash of docs/guides runs as it stands there, but on a smaller case and with fewer steps.
set -euo pipefail
source_dir="$1" program="$2"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$program" "$work/bin/dsasrgs"
PATH="$work/bin:$PATH"

ran=0
for guide in "$source_dir"/docs/guides/*.md; do
  folder="$work/$(basename "$guide" .md)"
  mkdir "$folder"
  ln -s "$source_dir/examples" "$folder/examples"
  awk '/^```bash$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$guide" |
    sed 's/--size 64 64 --pitch-mm 4.8/--size 24 24 --pitch-mm 12.8 --views 24 --train-views 8 --samples-per-pixel 1 --grid-size 32 --grid-spacing-mm 5 --quiet/
         s/--steps [0-9]*/--steps 20 --set gaussians.initial=300 --quiet/' >"$folder/commands.sh"
  [ -s "$folder/commands.sh" ] || continue
  (cd "$folder" && bash -e commands.sh) >"$folder/out.txt" 2>&1 ||
    { echo "$guide: its commands fail:" >&2; tail -n 5 "$folder/out.txt" >&2; exit 1; }
  ran=$((ran + 1))
done
[ $ran -ge 2 ] || { echo "expected commands in two guides or more, found them in $ran" >&2; exit 1; }

# SPDX-License-Identifier: Apache-2.0
# Part of program_test.sh, which sources it: arguments as people type them, streams that are closed or full, names that are
# strange. Uses its functions, case.h5 and run/.

# ---- misspelt, and help ---------------------------------------------------------------------------------------------------
expect 2 "misspelt subcommand" reconstuct case.h5 --output new
says "misspelt subcommand" 'dsasrgs: expected reconstruct, found reconstuct, which is no subcommand \(see dsasrgs --help\)$'
expect 2 "no subcommand like it" frobnicate
says "no subcommand like it" 'expected one of its subcommands, found frobnicate'
expect 2 "misspelt option" reconstruct case.h5 --ouput new
says "misspelt option" 'reconstruct: expected --output, found --ouput, which is no option \(see dsasrgs reconstruct --help\)$'
expect 2 "part of an option" reconstruct case.h5 --output new --views 5
says "part of an option" 'expected --train-views, found --views'
expect 2 "option with =" reconstruct case.h5 --output new --step=5
says "option with =" 'expected --steps, found --step,'
expect 2 "option before its subcommand" --quiet reconstruct case.h5 --output new
says "option before its subcommand" '--quiet: expected behind reconstruct, found before it'
expect 2 "no output" voxelize run/model.h5
says "no output" '--output is required \(see dsasrgs voxelize --help\)$'
expect 0 "help as a word" help
says "help as a word" '^Subcommands:' out.txt
expect 0 "help of a subcommand" help render
says "help of a subcommand" '--window' out.txt
absent new

# ---- lists, and defaults that follow each other -----------------------------------------------------------------------------
few=(simulate --views 3 --pitch-mm 19.2 --grid-size 8 --grid-spacing-mm 20 --samples-per-pixel 1 --quiet --tree-min-radius-mm 1)
expect 0 "size as two words" "${few[@]}" --size 16 8 --output typed.h5
for size in "--size 16,8" "--size [16,8]" "--size=16,8" "--size=[16,8]"; do
  expect 0 "$size" "${few[@]}" $size --output same.h5 --force
  cmp -s typed.h5 same.h5 || report "$size: another case than --size 16 8"
done
expect 2 "one number of a size" "${few[@]}" --size 16 --output new.h5
expect 0 "inspect 3 views" inspect typed.h5
says "inspect 3 views" '^train_views +\[0,1\]' out.txt
expect 2 "more training views than views" "${few[@]}" --size 16 8 --train-views 4 --output new.h5
says "more training views than views" '--train-views: expected at most --views 3, found 4'
expect 0 "times with commas" render run/model.h5 --time 1,2 --size 8,8 --output times.h5 --quiet
expect 0 "inspect times" inspect times.h5 --json
[ "$(number out.txt views)" = 2 ] || report "render --time 1,2: expected 2 views"
expect 2 "steps 0" reconstruct case.h5 --output new --steps 0
says "steps 0" '--steps: expected an integer of 1 to 2147483647, found 0'
expect 2 "log every 0" reconstruct case.h5 --output new --log-every 0
[ "$(wc -c <err.txt)" -lt 200 ] || report "log every 0: $(wc -c <err.txt) bytes"
expect 2 "a million threads" reconstruct case.h5 --output new --threads 1000000
says "a million threads" '--threads: expected an integer of 0 \(all\) to 1024, found 1000000'
expect 2 "a million threads of simulate" "${few[@]}" --size 16 8 --threads 1000000 --output new.h5
says "a million threads of simulate" '--threads: expected .* to 1024, found 1000000'
expect 2 "network without a name" labels case.h5 --network "" --scale 2 --output new.h5
says "network without a name" '--network: expected a value, found an empty one'
expect 2 "a detector before the isocentre" simulate --output new.h5 --sod-mm 1200 --sdd-mm 750 --views 4
says "a detector before the isocentre" '^dsasrgs: error: --sdd-mm: expected more than --sod-mm 1200, found 750'
absent new new.h5

# ---- a picture is a file ------------------------------------------------------------------------------------------------------
expect 0 "one picture" render run/model.h5 --time 1 --output one.png --quiet
[ "$(head -c 4 one.png | tail -c 3)" = PNG ] || report "render --output one.png: not a PNG"
expect 2 "a picture of many views" render run/model.h5 --case case.h5 --output many.png
says "a picture of many views" '--output: expected one view .* for the picture many.png, found 16'
expect 2 "a picture of another kind" render run/model.h5 --time 1 --output one.tif
absent many.png one.tif
expect 2 "an option twice" reconstruct case.h5 --output new --preset static --preset togs
says "an option twice" 'error: --preset: expected once, found 2 times'

# ---- streams ------------------------------------------------------------------------------------------------------------------
for arguments in "inspect case.h5 --json" "inspect case.h5" --help --version "reconstruct --help"; do
  "$program" $arguments >/dev/full 2>err.txt
  [ $? -eq 1 ] || report "$arguments onto a full disk: expected exit code 1"
  says "$arguments onto a full disk" '^dsasrgs: error: standard output: cannot write: No space left on device$'
done
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
  eval '"$program" labels case.h5 --method bicubic --scale 2 --output closed.h5 '"$closed" || report "labels $closed: failed"
  cmp -s closed.h5 labels_bicubic.h5 || report "labels $closed: another file"
  rm -f closed.h5
done 2>/dev/null >/dev/null
# Whoever reads along goes away: the run goes on to its end, and says that its words were lost.
mkfifo words
("$program" reconstruct case.h5 --output unheard --steps 30 "${small[@]}" --threads 1 >words 2>&1; echo $? >unheard.code) &
job=$!
head -n 1 words >/dev/null
wait $job
there unheard/metrics.json
[ "$(cat unheard.code)" -eq 1 ] || report "a broken pipe: exit code $(cat unheard.code), expected 1"

# ---- names ------------------------------------------------------------------------------------------------------------------
latin=$(printf 'caf\351.h5')
cp case.h5 "$latin"
expect 0 "a name that is not UTF-8" reconstruct "$latin" --output latin --steps 5 --quiet "${small[@]}"
there latin/metrics.json
expect 0 "train it further" reconstruct "$latin" --output latin --steps 8 --resume --quiet
expect 0 "evaluate it" evaluate latin/model.h5 --case "$latin" --json latin.json --quiet
there latin.json
rm "$latin"
long=$(printf 'n%.0s' {1..250})
expect 0 "a long name" evaluate run/model.h5 --case case.h5 --json "$long" --quiet
there "$long"
expect 2 "too long a name" voxelize run/model.h5 --output "$long$long.nii"
says "too long a name" 'File name too long'
mkfifo pipe.json
for target in pipe.json /dev/null; do
  expect 2 "output to $target" evaluate run/model.h5 --case case.h5 --json $target
  says "output to $target" "--json: expected a file.*found a device, pipe or socket: $target"
done
[ -p pipe.json ] && [ -c /dev/null ] || report "a pipe or device was replaced"
: >secret.json && chmod 600 secret.json
expect 0 "a file of one's own" evaluate run/model.h5 --case case.h5 --json secret.json --quiet
[ "$(stat -c %a secret.json)" = 600 ] || report "mode of an output: $(stat -c %a secret.json), expected 600"
expect 2 "an escape in an argument" reconstruct case.h5 --output new --steps "$(printf '\033[31m')"
grep -q "$(printf '\033')" err.txt && report "an escape in an argument: it reached the terminal"
head -c 100000 /dev/zero | tr '\0' x >long.toml && echo ' = 1' >>long.toml
expect 2 "a long key" reconstruct case.h5 --output new --config long.toml
[ "$(wc -c <err.txt)" -lt 10000 ] || report "a long key: $(wc -c <err.txt) bytes of message"
for file in toml study; do
  { [ $file = study ] && printf 'name = "x"\n'; head -c 200000 /dev/zero | tr '\0' a | sed 's/a/a./g'; echo 'a = 1'; } >deep.toml
  [ $file = study ] && arguments="study deep.toml" || arguments="reconstruct case.h5 --output new --config deep.toml"
  expect 2 "a key of many parts, $file" $arguments
  says "a key of many parts, $file" 'deep.toml: line [12]: expected a key of at most'
done
absent new

# What Doxygen reads of a header. Doxygen wants a comment for each declaration; here
#   one comment stands for all declarations that follow it without a blank line,
#   one behind a line for all that the line declares,
#   that of a struct for its data members that have none: their names and units say what they are,
#   and none is needed for what moves, copies, compares or inherits as it always does.
function say(text) { printf "%*s/// %s\n", indent, "", text }
# `TYPE a = 1, b;` as one line for each, with the comment in front of each.
function declare(code, comment,    type, names, i, count) {
  if (comment != "") say(comment)
  if (code ~ /, / && code !~ /\(/ && match(code, /^ *[A-Za-z_:0-9]+(<[A-Za-z_:0-9, ]*>)? /)) {
    type = substr(code, 1, RLENGTH)
    code = substr(code, RLENGTH + 1)
    sub(/;.*/, "", code)
    count = split(code, names, /, /)
    for (i = 1; i <= count; ++i) {
      if (i > 1 && comment != "") say(comment)
      if (i > 1 && comment == "") printf "%s", block
      print type names[i] ";"
    }
  } else {
    print code
  }
}
{
  match($0, /^ */)
  indent = RLENGTH
}
/^ *\/\/\/ / && !/@file/ {  # a comment in front
  block = (in_block ? block : "") $0 "\n"
  in_block = 1
  print
  next
}
{
  own = in_block  # this line has a comment of its own in front
  in_block = 0
  if ($0 ~ /^ *$/) block = ""
  if ($0 ~ /^ *(struct|class|enum class) .*\{$/) {
    owner = $0
    sub(/ *(: .*)?\{$/, "", owner)
    sub(/.* /, "", owner)
    block_indent = -1
  }
  begins = ended && $0 ~ /^ *[A-Za-z~]/ && $0 !~ /^ *(public|private|protected|namespace|friend|enum|struct|class)/
  if (own) {
    block_indent = indent
  } else if (begins && $0 ~ /\/\/\/< / && match($0, / +\/\/\/< /) && substr($0, 1, RSTART) ~ /;/) {
    text = substr($0, RSTART + RLENGTH)  # behind a line, which may declare several
    declare(substr($0, 1, RSTART - 1), text)
    ended = 1
    next
  } else if (begins && $0 ~ /operator(=|==)\(|\(.*&&\)|using .*::.*;|~/) {
    say("As usual.")
  } else if (begins && block != "" && indent == block_indent) {
    printf "%s", block
  } else if (begins && indent > 0 && $0 ~ /;( *\/\/.*)?$/ && $0 !~ /^[^={]*\(/ && owner != "") {
    declare($0, "Of a " owner ".")
    next
  }
  if (own && indent > 0 && $0 ~ /;$/ && $0 !~ /\(/ && $0 !~ /\/\//) {
    declare($0, "")
    ended = 1
    next
  }
  if ($0 !~ /^ *$/) ended = $0 ~ /[;{}:]( *\/\/.*)?$/
  print
}

# What Doxygen reads of a header. Here one comment stands for all declarations that follow it without a blank line, and one behind
# a line for all that the line declares; Doxygen wants one for each: the comment is repeated in front of each.
function flush_comment() { if (comment != "") { printf "%s", comment; comment = "" } }
{
  line = $0
  if (line ~ /^ *\/\/\/ /) {  # a comment that begins or goes on
    if (!in_comment) { comment = ""; last = "" }
    in_comment = 1
    last = last line "\n"
    print line
    next
  }
  fresh = in_comment
  in_comment = 0
  if (line ~ /^ *$/) { last = ""; group_indent = -1 }
  match(line, /^ */)
  indent = RLENGTH
  if (line ~ /\/\/\/< / && line ~ /^ *[A-Za-z]/ && line !~ /^ *[a-z_]+(,| *\/\/\/<| = )/ ) {  # of several things, perhaps
    split(line, part, /\/\/\/< /)
    text = part[2]
    code = part[1]
    if (code ~ /,/ && code !~ /\(/) { printf "%*s/// %s\n%s\n", indent, "", text, code; ended = 1; next }
  } else if (!fresh && last != "" && ended && indent == group_indent && line ~ /^ *[A-Za-z~]/ && line !~ /^ *(public|private|protected)/) {
    printf "%s", last
  }
  if (fresh) group_indent = indent
  ended = line ~ /[;}]( *\/\/.*)?$/
  print line
}

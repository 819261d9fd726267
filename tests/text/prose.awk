# What people read in the files named on the command line, a line each: FILE \t LINE \t TEXT. All of a document, the
# comments of a source. A comment that goes on in the next line has that line's first words after a \001.
function prose(line, kind,   at) {
  if (kind == "md") return line
  if (kind == "c") {
    if (match(line, /(^|[^:])\/\//)) return substr(line, RSTART)
    return ""
  }
  if (FNR == 1 && line ~ /^#!/) return ""
  if (match(line, /(^|[ \t])#/)) return substr(line, RSTART)
  return ""
}
function put(next_text) {
  if (held == "") return
  sub(/^[ \t]*(\/\/+<?!?|#+)?[ \t]*/, "", next_text)
  printf "%s\t%d\t%s\001%s\n", held_file, held_line, held, next_text
}
FNR == 1 {
  put("")
  held = ""
  kind = FILENAME ~ /\.md$/ ? "md" : FILENAME ~ /\.(hpp|cpp|cu|cuh|js|in)$/ ? "c" : "hash"
}
{
  gsub(/\t/, " ")
  text = prose($0, kind)
  put(text)
  held = text; held_file = FILENAME; held_line = FNR
}
END { put("") }

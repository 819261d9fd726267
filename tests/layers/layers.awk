# Includes that the drawing does not allow:   awk -f layers.awk DRAWING FILES INCLUDES
# DRAWING: lines "NAME = PATHS" (a name for some files) and "FOLDERS ← NAMES AND FOLDERS", with {a,b} and *. A line only
# names what earlier lines have, so that there can be no include upwards and no circle of folders. The most exact line that
# fits a file is the one it belongs to; kernels/tile also has what kernels/* has. FILES: the repository's files, one a line.
# INCLUDES: FILE:LINE:INCLUDED, as written in the source. Prints each fault as FILE:LINE: FAULT.
function expand(path, out,   open, close_, head, tail, n, i, part) {
  open = index(path, "{")
  if (!open) { out[1] = path; return 1 }
  close_ = index(path, "}")
  head = substr(path, 1, open - 1); tail = substr(path, close_ + 1)
  n = split(substr(path, open + 1, close_ - open - 1), part, ",")
  for (i = 1; i <= n; i++) out[i] = head part[i] tail
  return n
}
# The drawing's unit that a file belongs to: a file by itself, its folder or one above, or kernels/*.
function unit(file,   folder) {
  if (file in named) return named[file]
  folder = file
  while (sub(/\/[^\/]*$/, "", folder)) {
    if (folder in known) return folder
    if (folder ~ /^kernels\/[^\/]*$/ && ("kernels/*" in known)) return folder
  }
  return ""
}
function is_operator(u) { return u ~ /^kernels\// && u != "kernels/common" }
function allowed(from, to) {
  if (from == to || (from, to) in may || (from, "all") in may) return 1
  if (is_operator(to) && (from, "kernels/*") in may && from !~ /^kernels\//) return 1
  return is_operator(from) && ("kernels/*", to) in may
}
FNR == 1 { part++ }
part == 1 {
  if (NF == 0) next
  for (i = 3; i <= NF; i++) {
    if ($2 == "=") {
      n = expand($i, paths)
      for (j = 1; j <= n; j++) named[paths[j]] = $1
      continue
    }
    if (!($i in known) && $i != "all" && !($i ~ /^kernels\// && "kernels/*" in known))
      print "drawing:" FNR ": " $i " is not in a line before"
  }
  n = expand($1, folders)
  for (j = 1; j <= n; j++) {
    if ($2 != "=") for (i = 3; i <= NF; i++) may[folders[j], $i] = 1
  }
  for (j = 1; j <= n; j++) known[folders[j]] = 1
  if (NF > 1 && $2 != "=" && $2 != "←") print "drawing:" FNR ": expected = or ←, found " $2
  next
}
part == 2 {
  exists[$0] = 1
  top = $0; sub(/\/.*/, "", top); tail = $0
  while (sub(/^[^\/]*\//, "", tail)) if (!((top, tail) in ending)) ending[top, tail] = $0
  next
}
{
  n = index($0, ":"); file = substr($0, 1, n - 1); rest = substr($0, n + 1)
  n = index(rest, ":"); line = substr(rest, 1, n - 1); name = substr(rest, n + 1)
  from = unit(file)
  if (from == "") { if (!(file in lost)) print file ":" line ": the drawing has no place for this file"; lost[file] = 1; next }
  if (name ~ /^</) {  # of another library, or of ours as a user writes it
    gsub(/[<>]/, "", name)
    if (name !~ /^dsasrgs\//) {
      # C's headers are for the C interface, the only one that ends in .h.
      if (file ~ /^include\// && name ~ /[\/.]/ && !(file ~ /\.h$/ && name ~ /^std(def|int)\.h$/)) print file ":" line ": a public header includes <" name ">"
      next
    }
  }
  gsub(/"/, "", name)
  folder = file; sub(/[^\/]*$/, "", folder)
  top = file; sub(/\/.*/, "", top)
  n = split(folder " include/ kernels/ libdsasrgs/", search, " ")
  target = ""
  for (i = 1; i <= n && target == ""; i++) {
    if ((search[i] name) in exists) target = search[i] name
    else if ((search[i] name ".in") in exists) target = search[i] name ".in"
  }
  if (target == "" && (top, name) in ending) target = ending[top, name]
  if (target == "" && ("examples", name) in ending) target = ending["examples", name]
  if (target == "") next  # made by the build
  print file " " target > edges
  to = unit(target)
  if (!allowed(from, to)) print file ":" line ": " from " must not include " target (to == "" ? "" : ", of " to)
}

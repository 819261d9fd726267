// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/error.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace dsasrgs;

TEST_CASE("error: a message is one line whatever is in it", "[error]") {
  const BadInput bad("a\nb.h5", "/x\r", "1\t2", std::string("\x1b[2J\0", 5) + "\x7f");
  CHECK(std::string(bad.what()) == "a\\nb.h5: /x\\r: expected 1\\t2, found \\x1b[2J\\x00\\x7f");
  CHECK(std::string(InvalidArgument("two\nlines").what()) == "two\\nlines");
  CHECK(std::string(NumericalError(std::string("two\nlines")).what()) == "two\\nlines");
  // Text beyond ASCII stays, but for the control characters of Latin-1.
  CHECK(std::string(IoError("\u00fc \u00b5m \u03b1").what()) == "\u00fc \u00b5m \u03b1");
  CHECK(std::string(IoError("\xc2\x9b").what()) == "\\x9b");
  // A message inside a message is not escaped again.
  CHECK(std::string(IoError(InvalidArgument("a\nb").what()).what()) == "a\\nb");
}

TEST_CASE("error: a text of any length is shown in part", "[error]") {
  const std::string field(700, 'f');
  std::string found(499, 'x'), shown = found;
  found += "\u00fc and more";  // a character of two bytes, which is not cut in half
  shown += "…";
  CHECK(std::string(BadInput("a.h5", field, "this", found).what()) ==
        "a.h5: " + field.substr(0, 500) + "…: expected this, found " + shown);
}

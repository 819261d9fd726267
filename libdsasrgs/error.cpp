#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {
std::string describe(std::string_view file, std::string_view field, std::string_view expected, std::string_view found) {
  std::string text;
  text.append(file).append(": ").append(field).append(": expected ").append(expected).append(", found ").append(found);
  return text;
}
}  // namespace

BadInput::BadInput(std::string_view file, std::string_view field, std::string_view expected, std::string_view found)
    : Error(describe(file, field, expected, found)) {}

}  // namespace dsasrgs

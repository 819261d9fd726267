// SPDX-License-Identifier: Apache-2.0
// What a pickle calls to have NumPy's arrays: made here, from bytes of the file.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "import/pickle_machine.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostPickleAxes = 8, kMostArguments = 16;

/// Code points of UTF-8 up to 255 as bytes: latin1. Empty where there are others.
bool latin1_bytes(std::string_view text, std::string& bytes) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes.push_back(text[i]);
    } else if ((first == 0xC2 || first == 0xC3) && i + 1 < text.size()) {
      bytes.push_back(static_cast<char>((first & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F)));
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

void PickleMachine::push_name(std::string_view module, std::string_view name) {
  struct Known {
    Name number;
    std::string_view name, module, newer_module;
  };
  static constexpr std::array kKnown{
      Known{kReconstruct, "_reconstruct", "numpy.core.multiarray", "numpy._core.multiarray"},
      Known{kFromBuffer, "_frombuffer", "numpy.core.numeric", "numpy._core.numeric"},
      Known{kScalar, "scalar", "numpy.core.multiarray", "numpy._core.multiarray"},
      Known{kArrayType, "ndarray", "numpy", "numpy"},
      Known{kTypeOfNumbers, "dtype", "numpy", "numpy"},
      Known{kEncode, "encode", "_codecs", "_codecs"}};
  for (const Known& known : kKnown)
    if (name == known.name && (module == known.module || module == known.newer_module))
      return push({Kind::name, false, static_cast<double>(known.number)});
  fail("names of NumPy's arrays (nothing in a pickle is run)", std::string(module) + "." + std::string(name));
}

const PickleMachine::Item& PickleMachine::argument(const std::vector<Value>& arguments, std::size_t i, Kind kind,
                                                   const char* name) const {
  // Python 2 has one type for texts and bytes.
  const bool is_right = i < arguments.size() && (item(arguments[i]).kind == kind ||
                                                 (kind == Kind::text && item(arguments[i]).kind == Kind::bytes));
  if (!is_right) fail(name, "another argument");
  return item(arguments[i]);
}

void PickleMachine::call() {
  const Value arguments_value = pop(), name_value = pop();
  if (item(name_value).kind != Kind::name || item(arguments_value).kind != Kind::tuple)
    fail("a name with its arguments", "other values");
  if (item(arguments_value).items.size() > kMostArguments)
    fail("at most 16 arguments", std::to_string(item(arguments_value).items.size()));
  const std::vector<Value> arguments = item(arguments_value).items;
  switch (static_cast<Name>(static_cast<int>(item(name_value).number))) {
    case kReconstruct:
      return push({Kind::array});
    case kTypeOfNumbers:
      return push(type_of_numbers(arguments));
    case kScalar:
      return push(scalar(arguments));
    case kFromBuffer:
      return push(from_buffer(arguments));
    case kEncode:
      return push(encoded(arguments));
    case kArrayType:
      break;
  }
  fail("a function that makes an array", "the type of arrays");
}

PickleMachine::Item PickleMachine::type_of_numbers(const std::vector<Value>& arguments) {
  const Item& name = argument(arguments, 0, Kind::text, "the text of a type of numbers");
  Item made{Kind::type, false, 0, numpy_type(name.bytes)};
  if (made.type.kind == NumberType::Kind::none) fail("a type of numbers such as f4", name.bytes);
  return made;
}

PickleMachine::Item PickleMachine::scalar(const std::vector<Value>& arguments) {
  const NumberType type = argument(arguments, 0, Kind::type, "a type of numbers").type;
  const Item& bytes = argument(arguments, 1, Kind::bytes, "the bytes of a number");
  if (bytes.bytes.size() != static_cast<std::size_t>(type.bytes))
    fail(std::to_string(type.bytes) + " bytes of a number", std::to_string(bytes.bytes.size()));
  std::vector<double> value;
  append_numbers(type, bytes.bytes.data(), 1, value);
  return {Kind::number, false, value.front()};
}

/// (buffer, type, shape, order) of protocol 5.
PickleMachine::Item PickleMachine::from_buffer(const std::vector<Value>& arguments) {
  Item array{Kind::array};
  array.bytes = argument(arguments, 0, Kind::bytes, "the bytes of an array").bytes;
  array.type = argument(arguments, 1, Kind::type, "a type of numbers").type;
  argument(arguments, 2, Kind::tuple, "the shape of an array");
  set_shape(array, arguments[2]);
  array.column_major = argument(arguments, 3, Kind::text, "the order of an array's axes").bytes == "F";
  require_array_bytes(array);
  return array;
}

/// Protocols before 3 have no bytes: they are a text, to be encoded.
PickleMachine::Item PickleMachine::encoded(const std::vector<Value>& arguments) {
  const Item& text = argument(arguments, 0, Kind::text, "a text");
  if (argument(arguments, 1, Kind::text, "the name of an encoding").bytes != "latin1")
    fail("latin1, in which bytes are written", argument(arguments, 1, Kind::text, "the name of an encoding").bytes);
  std::string bytes;
  if (!latin1_bytes(text.bytes, bytes)) fail("a text of latin1", "another");
  // Each text once: a pickle that has one encoded again and again must not fill the memory. Every byte has one in the
  // file, or more; the text, in UTF-8, may be longer than what protocol 0 has of it.
  decoded_bytes_ += bytes.size();
  if (decoded_bytes_ > file_.contents_.size()) fail("no more encoded bytes than the file has", "more");
  file_.decoded_.push_back(std::move(bytes));
  return {Kind::bytes, false, 0, {}, file_.decoded_.back()};
}

void PickleMachine::set_shape(Item& array, Value shape) {
  array.shape.clear();
  if (item(shape).items.size() > kMostPickleAxes)
    fail("at most 8 axes of an array", std::to_string(item(shape).items.size()));
  for (const Value side : item(shape).items) {
    const double n = item(side).number;
    if (item(side).kind != Kind::number || !(n >= 0 && n < 0x1p48) || n != std::floor(n))
      fail("whole sides of an array", "others");
    array.shape.push_back(static_cast<std::size_t>(n));
  }
}

void PickleMachine::require_array_bytes(const Item& array) const {
  const std::size_t count = num_numbers(array.shape), bytes = static_cast<std::size_t>(array.type.bytes);
  if (bytes == 0 || count != array.bytes.size() / bytes || array.bytes.size() % bytes != 0)
    fail("as many bytes as an array of " + shape_text(array.shape) + " has", std::to_string(array.bytes.size()));
}

void PickleMachine::build() {
  const Value state_value = pop();
  if (stack_.empty() || item(state_value).kind != Kind::tuple) fail("the state of an array or a type", "another value");
  if (item(state_value).items.size() > kMostArguments)  // the same long one, again and again, would take for ever
    fail("at most 16 parts of a state", std::to_string(item(state_value).items.size()));
  const std::vector<Value> state = item(state_value).items;
  Item& built = file_.values_[stack_.back()];
  if (built.kind == Kind::array) return build_array(built, state);
  if (built.kind == Kind::type) return build_type(built, state);
  fail("the state of an array or a type of numbers", "that of another value");
}

/// (version, shape, type, is column-major, bytes).
void PickleMachine::build_array(Item& array, const std::vector<Value>& state) {
  argument(state, 1, Kind::tuple, "the shape of an array");
  set_shape(array, state[1]);
  array.type = argument(state, 2, Kind::type, "a type of numbers").type;
  array.column_major = argument(state, 3, Kind::number, "the order of an array's axes").number != 0;
  array.bytes = argument(state, 4, Kind::bytes, "the bytes of an array").bytes;
  require_array_bytes(array);
}

/// (version, byte order, …).
void PickleMachine::build_type(Item& type, const std::vector<Value>& state) {
  const Item& order = state.size() > 1 ? item(state[1]) : type;
  if ((order.kind != Kind::text && order.kind != Kind::bytes) || order.bytes.size() != 1)
    fail("the byte order of a type", "another value");
  if (order.bytes == ">") type.type.big_endian = true;
  if (order.bytes == "<") type.type.big_endian = false;
}

}  // namespace dsasrgs

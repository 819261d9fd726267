// SPDX-License-Identifier: Apache-2.0
#include "import/pickle_file.hpp"

#include <cmath>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"
#include "import/pickle_machine.hpp"

namespace dsasrgs {

PickleFile::PickleFile(const std::filesystem::path& path) {
  ByteReader reader(path);
  file_ = reader.name();
  with_host_memory(reader.max_size(), [&] {
    contents_.resize(reader.max_size());
    contents_.resize(reader.read(contents_.data(), contents_.size()));
  });
  with_host_memory([&] { PickleMachine(*this).run(); });
}

void PickleFile::refuse(const std::string& path, std::string_view expected, Value found) const {
  static constexpr const char* kKinds[] = {"nothing", "a number", "a text",       "bytes",
                                           "a list",  "a tuple",  "a dictionary", "the name of a function",
                                           "a type",  "an array"};
  const Item& item = values_[found];
  throw BadInput(
      file_, path, expected,
      item.kind == Kind::array ? "an array of " + shape_text(item.shape) : kKinds[static_cast<std::size_t>(item.kind)]);
}

const PickleFile::Value* PickleFile::find(Value dictionary, const std::string& key) const {
  const Item& item = values_[dictionary];
  if (item.kind != Kind::dictionary) refuse(key, "an entry of a dictionary", dictionary);
  // The last one of that name counts, as in Python.
  for (std::size_t i = item.items.size(); i >= 2; i -= 2) {
    const Item& found = values_[item.items[i - 2]];
    if (is_text(found) && found.bytes == key) return &item.items[i - 1];
  }
  return nullptr;
}

bool PickleFile::has(Value dictionary, const std::string& key) const {
  const Value* found = find(dictionary, key);
  return found != nullptr && values_[*found].kind != Kind::none;
}

PickleFile::Value PickleFile::at(Value dictionary, const std::string& key) const {
  const Value* found = find(dictionary, key);
  if (found == nullptr) throw BadInput(file_, key, "a value", "none");
  return *found;
}

double PickleFile::number(Value value, const std::string& path) const {
  const NumberArray<double> found = numbers<double>(value, path);
  if (found.values.size() != 1) refuse(path, "a number", value);
  return found.values.front();
}

std::string PickleFile::text(Value value, const std::string& path) const {
  if (!is_text(values_[value])) refuse(path, "a text", value);
  return std::string(values_[value].bytes);
}

template <class T>
NumberArray<T> PickleFile::numbers(Value value, const std::string& path) const {
  const Item& item = values_[value];
  NumberArray<T> array;
  if (item.kind == Kind::number) {
    array.values.push_back(static_cast<T>(item.number));
  } else if (item.kind == Kind::list || item.kind == Kind::tuple) {
    array.shape = {item.items.size()};
    for (const Value element : item.items) {
      if (values_[element].kind != Kind::number) refuse(path, "numbers", element);
      array.values.push_back(static_cast<T>(values_[element].number));
    }
  } else if (item.kind == Kind::array && item.type.bytes > 0) {
    array.shape = item.shape;
    const std::size_t count = item.bytes.size() / static_cast<std::size_t>(item.type.bytes);
    array.values.reserve(count);
    append_numbers(item.type, item.bytes.data(), count, array.values);
    if (item.column_major) make_row_major(array);
  } else {
    refuse(path, "numbers", value);
  }
  for (std::size_t i = 0; i < array.values.size(); ++i)
    if (!std::isfinite(array.values[i]))
      throw BadInput(file_, path, "finite numbers", plain_number(array.values[i]) + " at " + std::to_string(i));
  return array;
}

template NumberArray<float> PickleFile::numbers(Value, const std::string&) const;
template NumberArray<double> PickleFile::numbers(Value, const std::string&) const;

}  // namespace dsasrgs

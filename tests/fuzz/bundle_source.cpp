// SPDX-License-Identifier: Apache-2.0
// LocalHdf5 of a bundle. The linker takes it and leaves out the library's own (files/hdf5_local.cpp). It promises what
// the latter does: values of the size that was asked for, none that the file could not hold, refusals.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "bundle.hpp"
#include "files/hdf5_local.hpp"
#include "files/hdf5_messages.hpp"

namespace dsasrgs {

namespace {

using fuzz::BundleItem;
using Kind = BundleItem::Kind;

/// Larger ones are refused, as what a file cannot hold is: they would only cost time here.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::vector<BundleItem> served;
std::string answered;

ReadingRefusal noted(ReadingRefusal refusal) {
  const std::string message = to_message(refusal);
  const Answer head{Answer::Kind::refusal, 0, message.size()};
  answered.append(reinterpret_cast<const char*>(&head), sizeof head).append(message);
  return refusal;
}
ReadingRefusal refusal(const std::string& field, const char* expected, const std::string& found) {
  return noted({ReadingRefusal::Kind::bad_input, field, expected, found});
}
void note(std::string_view bytes) {
  const Answer head{Answer::Kind::answer, 0, bytes.size()};
  answered.append(reinterpret_cast<const char*>(&head), sizeof head).append(bytes);
}

bool is_attribute(const BundleItem& item) { return item.kind == Kind::attribute || item.kind == Kind::null_attribute; }

/// The object itself, or what lies in it; null: nothing.
const BundleItem* find_object(const std::string& object) {
  const BundleItem* inside = nullptr;
  for (const BundleItem& item : served) {
    if (item.object == object && !is_attribute(item)) {
      if (item.kind == Kind::refusal) throw refusal(object, "a dataset or group of this file", "a link");
      return &item;
    }
    if (item.object == object || item.object.starts_with(object + "/")) inside = &item;
  }
  return inside;
}

const BundleItem* find_attribute(const std::string& object, const std::string& attribute) {
  for (const BundleItem& item : served)
    if (is_attribute(item) && item.object == object && item.attribute == attribute) return &item;
  return nullptr;
}

const BundleItem& existing(const std::string& field, const BundleItem* item, const char* expected) {
  if (item == nullptr) throw refusal(field, expected, "nothing");
  return *item;
}

std::size_t num_elements(const BundleItem& item) {
  std::size_t n = 1;
  for (const std::size_t extent : item.extents) {
    if (extent != 0 && n > kMostBytes / extent) return kMostBytes + 1;
    n *= extent;
  }
  return n;
}

StoredArray facts(const std::string& field, const BundleItem& item) {
  StoredArray array;
  array.type = item.type;
  array.type_in_words = to_text(item.type);
  array.element_bytes = item.type == ElementType::string ? item.bytes.size() : bytes_of(item.type);
  array.empty_dataspace = item.kind == Kind::null_dataset || item.kind == Kind::null_attribute;
  if (!array.empty_dataspace) array.shape.assign(item.extents.begin(), item.extents.end());
  if (num_elements(item) * array.element_bytes > kMostBytes) throw refusal(field, "values for all", "fewer bytes");
  return array;
}

template <class From>
From element(const BundleItem& item, std::size_t index) {
  From value{};
  const std::size_t stored = item.bytes.size() / sizeof(From);
  if (stored > 0) std::memcpy(&value, item.bytes.data() + index % stored * sizeof(From), sizeof value);
  return value;
}

/// As HDF5 converts: to the nearest, and what does not fit is clipped; NaN becomes 0 of integers.
template <class To, class From>
To converted(From value) {
  if constexpr (std::is_same_v<From, Eigen::half>) {
    return converted<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double>) {
    if (std::isfinite(value) && std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()))
      return value > 0 ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
    return static_cast<float>(value);
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    if (std::isnan(value)) return 0;
    if (value <= static_cast<From>(std::numeric_limits<To>::lowest())) return std::numeric_limits<To>::lowest();
    if (value >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    if (std::cmp_less(value, std::numeric_limits<To>::lowest())) return std::numeric_limits<To>::lowest();
    if (std::cmp_greater(value, std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  }
}

template <class F>
void with_type(ElementType type, const F& f) {
  switch (type) {
    case ElementType::float16:
      return f(Eigen::half{});
    case ElementType::float32:
      return f(float{});
    case ElementType::float64:
      return f(double{});
    case ElementType::int8:
      return f(std::int8_t{});
    case ElementType::int16:
      return f(std::int16_t{});
    case ElementType::int32:
      return f(std::int32_t{});
    case ElementType::int64:
      return f(std::int64_t{});
    case ElementType::uint8:
      return f(std::uint8_t{});
    case ElementType::uint16:
      return f(std::uint16_t{});
    case ElementType::uint32:
      return f(std::uint32_t{});
    case ElementType::uint64:
      return f(std::uint64_t{});
    default:
      return;
  }
}

void copy_values(const BundleItem& item, std::size_t first, ElementType number, std::span<std::byte> to) {
  const std::size_t count = to.size() / bytes_of(number);
  with_type(number, [&](auto as) {
    if constexpr (!std::is_same_v<decltype(as), Eigen::half>)
      with_type(item.type, [&](auto stored) {
        for (std::size_t i = 0; i < count; ++i) {
          const auto value = converted<decltype(as)>(element<decltype(stored)>(item, first + i));
          std::memcpy(to.data() + i * sizeof value, &value, sizeof value);
        }
      });
  });
  note({reinterpret_cast<const char*>(to.data()), to.size()});
}

}  // namespace

void fuzz::serve(std::vector<BundleItem> items) {
  served = std::move(items);
  answered.clear();
}
const std::string& fuzz::answers_so_far() { return answered; }

struct LocalHdf5::State {};
LocalHdf5::LocalHdf5(const std::string&, std::size_t) {}
LocalHdf5::~LocalHdf5() = default;

bool LocalHdf5::has(const std::string& object) {
  const bool there = object == "/" || find_object(object) != nullptr;
  note(there ? "y" : "n");
  return there;
}

bool LocalHdf5::has_attribute(const std::string& object, const std::string& attribute) {
  const bool there = find_attribute(object, attribute) != nullptr;
  note(there ? "y" : "n");
  return there;
}

StoredArray LocalHdf5::dataset(const std::string& dataset) {
  const BundleItem& item = existing(dataset, find_object(dataset), "a dataset");
  if (item.object != dataset || is_attribute(item) || item.kind == Kind::group)
    throw refusal(dataset, "a dataset", "a group");
  StoredArray array = facts(dataset, item);
  note(to_message(array));
  return array;
}

StoredArray LocalHdf5::attribute(const std::string& object, const std::string& attribute) {
  const std::string field = of_attribute(object, attribute);
  StoredArray array = facts(field, existing(field, find_attribute(object, attribute), "an attribute"));
  note(to_message(array));
  return array;
}

void LocalHdf5::read_rows(const std::string& dataset, std::size_t first, std::size_t count, ElementType number,
                          std::span<std::byte> to) {
  const BundleItem& item = existing(dataset, find_object(dataset), "a dataset");
  const StoredArray array = facts(dataset, item);
  std::size_t row = 1;
  for (std::size_t i = 1; i < array.shape.size(); ++i) row *= array.shape[i];
  const std::size_t rows = array.shape.empty() ? 1 : array.shape[0];
  if (!is_number(array.type) || array.empty_dataspace || first > rows || count > rows - first ||
      count * row * bytes_of(number) != to.size())
    throw refusal(dataset, "numbers of the size that was asked for", array.type_in_words + " of other extents");
  copy_values(item, first * row, number, to);
}

void LocalHdf5::read_attribute(const std::string& object, const std::string& attribute, ElementType number,
                               std::span<std::byte> to) {
  const std::string field = of_attribute(object, attribute);
  const BundleItem& item = existing(field, find_attribute(object, attribute), "an attribute");
  const StoredArray array = facts(field, item);
  if (!is_number(array.type) || array.empty_dataspace || num_elements(item) * bytes_of(number) != to.size())
    throw refusal(field, "numbers of the size that was asked for", array.type_in_words + " of other extents");
  copy_values(item, 0, number, to);
}

std::string LocalHdf5::read_string(const std::string& object, const std::string& attribute) {
  const std::string field = of_attribute(object, attribute);
  const BundleItem& item = existing(field, find_attribute(object, attribute), "an attribute");
  if (item.type != ElementType::string) throw refusal(field, "a string", to_text(item.type));
  const std::string text = item.bytes.substr(0, item.bytes.find('\0'));
  note(text);
  return text;
}

}  // namespace dsasrgs

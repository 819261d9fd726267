// SPDX-License-Identifier: Apache-2.0
// libFuzzer's mutations for bundles: arrays change, not the bytes that say where they begin.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>

#include "bundle.hpp"
#include "harness.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace dsasrgs::fuzz {

namespace {

using Random = std::minstd_rand;

std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : random() % n; }

template <class T>
T unusual(Random& random) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    const T values[] = {Limits::quiet_NaN(),
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::max(),
                        Limits::lowest(),
                        Limits::denorm_min(),
                        T{0},
                        static_cast<T>(-0.0),
                        T{-1},
                        T{1},
                        static_cast<T>(0.5),
                        static_cast<T>(1e9),
                        static_cast<T>(1e-30),
                        static_cast<T>(4e9),
                        static_cast<T>(1e18),
                        static_cast<T>(random() % 100)};
    return values[below(random, std::size(values))];
  } else {
    const T values[] = {
        Limits::max(), Limits::lowest(), T{0}, static_cast<T>(-1), T{1}, static_cast<T>(random() % 100)};
    return values[below(random, std::size(values))];
  }
}

template <class T>
void set_element(std::string& bytes, Random& random) {
  if (bytes.size() < sizeof(T)) bytes.resize(sizeof(T));
  const T value = unusual<T>(random);
  std::memcpy(bytes.data() + below(random, bytes.size() / sizeof(T)) * sizeof(T), &value, sizeof value);
}

void mutate_bytes(std::string& bytes, std::size_t room) {
  const std::size_t size = bytes.size();
  bytes.resize(size + std::min<std::size_t>(room, 64));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
}

void mutate(BundleItem& item, Random& random, std::size_t room) {
  switch (below(random, 9)) {
    case 0:
      item.type = static_cast<ElementType>(below(random, static_cast<std::size_t>(ElementType::other) + 1));
      return;
    case 1:
      item.kind = static_cast<BundleItem::Kind>(below(random, 6));
      return;
    case 2:
      if (item.extents.empty() || below(random, 3) == 0)
        item.extents.push_back(static_cast<std::uint32_t>(below(random, 4)));
      else
        item.extents.erase(item.extents.begin() + static_cast<std::ptrdiff_t>(below(random, item.extents.size())));
      return;
    case 3: {
      if (item.extents.empty()) return;
      std::uint32_t& extent = item.extents[below(random, item.extents.size())];
      const std::uint32_t values[] = {0, 1, extent + 1, extent - 1, 2 * extent, 1U << below(random, 32), 0xFFFFFFFF};
      extent = values[below(random, std::size(values))];
      return;
    }
    case 4:
      return mutate_bytes(item.bytes, room);
    default:
      if (item.type == ElementType::string) return mutate_bytes(item.bytes, room);
      if (item.type == ElementType::float32) return set_element<float>(item.bytes, random);
      if (item.type == ElementType::float64) return set_element<double>(item.bytes, random);
      if (bytes_of(item.type) == 8) return set_element<std::int64_t>(item.bytes, random);
      if (bytes_of(item.type) == 4) return set_element<std::int32_t>(item.bytes, random);
      return set_element<std::uint8_t>(item.bytes, random);
  }
}

}  // namespace

}  // namespace dsasrgs::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  using namespace dsasrgs::fuzz;
  Random random(seed);
  std::vector<BundleItem> items = parse_bundle(text_of(data, size));
  if (items.empty() || below(random, 20) == 0) return LLVMFuzzerMutate(data, size, max_size);
  for (std::size_t change = 0, changes = 1 + below(random, 3); change < changes; ++change) {
    const auto at = items.begin() + static_cast<std::ptrdiff_t>(below(random, items.size()));
    if (below(random, 20) == 0 && items.size() > 1)
      items.erase(at);
    else if (below(random, 20) == 0)
      items.push_back(items[below(random, items.size())]);
    else
      mutate(*at, random, max_size > size ? max_size - size : 0);
  }
  const std::string bytes = to_bytes(items);
  const std::size_t count = std::min(bytes.size(), max_size);
  std::memcpy(data, bytes.data(), count);
  return count;
}

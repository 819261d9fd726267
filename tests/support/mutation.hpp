// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files with blind damage.

#include <cstdint>
#include <cstring>
#include <iterator>
#include <random>
#include <string>

namespace dsasrgs::test {

/// `whole`, of more than 8 bytes, with one bit turned over or one word of 8 bytes replaced by a number that sizes and
/// addresses are often spoilt by.
inline std::string mutated(const std::string& whole, std::mt19937& random) {
  std::string bytes = whole;
  const std::size_t at = random() % (bytes.size() - 8);
  if (random() % 2 == 0) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    return bytes;
  }
  const std::uint64_t words[] = {0, 1, 0xFFFFFFFFFFFFFFFFu, std::uint64_t{1} << (random() % 64), random()};
  std::memcpy(bytes.data() + at, &words[random() % std::size(words)], 8);
  return bytes;
}

}  // namespace dsasrgs::test

// SPDX-License-Identifier: Apache-2.0
#include "order.hpp"

#include <atomic>
#include <utility>

namespace emulation {

namespace {

std::atomic<Order> launch_order{Order::forward};
std::atomic<std::uint64_t> seed_of_launch{0};

}  // namespace

void set_order(Order order, std::uint64_t seed) {
  launch_order = order;
  seed_of_launch = seed;
}

Turns Turns::of_launch() { return {launch_order.load(), seed_of_launch.fetch_add(1)}; }

Turns::Turns(uint3 block)
    : Turns(launch_order.load(),
            seed_of_launch.load() ^ (block.x + (std::uint64_t{block.y} << 24) + (std::uint64_t{block.z} << 48))) {}

void Turns::put_in_order(std::vector<std::size_t>& indices, std::size_t n) {
  indices.resize(n);
  for (std::size_t i = 0; i < n; ++i) indices[i] = order_ == Order::reverse ? n - 1 - i : i;
  if (!shuffled()) return;
  for (std::size_t i = n; i > 1; --i) std::swap(indices[i - 1], indices[next_number() % i]);
}

/// Of a sequence that looks random (splitmix64, Steele, Lea & Flood 2014).
std::uint64_t Turns::next_number() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace emulation

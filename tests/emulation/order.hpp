// SPDX-License-Identifier: Apache-2.0
#pragma once
// In which order threads go on and blocks are started.

#include <cstdint>
#include <vector>

#include "execution.hpp"

namespace emulation {

class Turns {
 public:
  /// Of the blocks of the next launch: another order for each.
  static Turns of_launch();
  /// Of the threads of a block.
  explicit Turns(uint3 block);

  bool shuffled() const { return order_ == Order::shuffled; }
  /// 0 … n − 1 in the order that set_order() asked for; shuffled, in another at each call.
  void put_in_order(std::vector<std::size_t>& indices, std::size_t n);

 private:
  Turns(Order order, std::uint64_t state) : order_(order), state_(state) {}
  std::uint64_t next_number();

  Order order_;
  std::uint64_t state_;
};

}  // namespace emulation

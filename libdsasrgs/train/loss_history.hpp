#pragma once
// The losses of the last steps on their way to the host, and with them how full the rasteriser's lists were.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/submission.hpp"
#include "dsasrgs/context.hpp"
#include "ssim/ssim.hpp"

namespace dsasrgs {

/// Keeps the loss of every step until it has been looked at, without waiting for each.
class LossHistory {
 public:
  /// `data` names the acquisition in errors.
  LossHistory(Context& ctx, std::string data) : mailbox_(ctx, kEvery * sizeof(Posted)), data_(std::move(data)) {}

  /// Adds the loss of a step and the pairs of its tile lists (RasterizeScratch::num_pairs). Calls fetch() where losses
  /// are known at once, and every kEvery steps.
  void add(Context&, const ImageLossSaved&, View<const unsigned long long> num_pairs, int step, int view);
  /// Waits for all losses added so far and looks at them. Throws NumericalError naming the first step and view whose
  /// loss is not finite.
  void fetch(Context&);

  /// The loss fetched last, and its step; 0 when there was none.
  const ImageLossValue& value() const { return value_; }
  int step() const { return step_; }
  /// Most pairs of a step that was fetched since the last call; 0 on the CPU.
  std::size_t take_most_pairs() { return std::exchange(most_pairs_, 0); }

 private:
  static constexpr std::size_t kEvery = 32;
  struct Pending {
    int step, view;
    bool has_pairs;
  };
  struct Posted {
    ImageLossValue loss;
    unsigned long long pairs;
  };
  Mailbox mailbox_;
  std::string data_;
  std::vector<Pending> pending_;
  ImageLossValue value_;
  int step_ = 0;
  std::size_t most_pairs_ = 0;
};

}  // namespace dsasrgs

#pragma once
// The losses of the last steps on their way to the host.

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
  LossHistory(Context& ctx, std::string data)
      : mailbox_(ctx, kEvery * sizeof(ImageLossValue)), data_(std::move(data)) {}

  /// Adds the loss of a step. Calls fetch() where losses are known at once, and every kEvery steps.
  void add(Context&, const ImageLossSaved&, int step, int view);
  /// Waits for all losses added so far and looks at them. Throws NumericalError naming the first step and view whose
  /// loss is not finite.
  void fetch(Context&);

  /// The loss fetched last, and its step; 0 when there was none.
  const ImageLossValue& value() const { return value_; }
  int step() const { return step_; }

 private:
  static constexpr std::size_t kEvery = 32;
  struct Pending {
    int step, view;
  };
  Mailbox mailbox_;
  std::string data_;
  std::vector<Pending> pending_;
  ImageLossValue value_;
  int step_ = 0;
};

}  // namespace dsasrgs

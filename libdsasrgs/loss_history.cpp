#include "loss_history.hpp"

#include <cmath>
#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

void LossHistory::add(Context& ctx, const ImageLossSaved& saved, int step, int view) {
  mailbox_.post(ctx, pending_.size() * sizeof(ImageLossValue), saved.value.data(), sizeof(ImageLossValue));
  pending_.push_back({step, view});
  if (!ctx.asynchronous() || pending_.size() == kEvery) fetch(ctx);
}

void LossHistory::fetch(Context& ctx) {
  if (pending_.empty()) return;
  ctx.synchronize();
  const auto* values = static_cast<const ImageLossValue*>(mailbox_.data());
  for (std::size_t i = 0; i < pending_.size(); ++i)
    if (!std::isfinite(values[i].total))
      throw NumericalError("training: the loss is not finite at step " + std::to_string(pending_[i].step) + ", view " +
                           std::to_string(pending_[i].view) + " of " + data_);
  value_ = values[pending_.size() - 1];
  step_ = pending_.back().step;
  pending_.clear();
}

}  // namespace dsasrgs

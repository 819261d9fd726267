#include "train/loss_history.hpp"

#include <cmath>
#include <string>
#include <utility>

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
  const std::vector<Pending> seen = std::exchange(pending_, {});  // also when this throws
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (!std::isfinite(values[i].total))
      throw NumericalError("training: the loss is not finite at step " + std::to_string(seen[i].step) + ", view " +
                           std::to_string(seen[i].view) + " of " + data_);
  value_ = values[seen.size() - 1];
  step_ = seen.back().step;
}

}  // namespace dsasrgs

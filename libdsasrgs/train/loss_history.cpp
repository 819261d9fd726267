#include "train/loss_history.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

void LossHistory::add(Context& ctx, const ImageLossSaved& saved, View<const unsigned long long> num_pairs, int step,
                      int view) {
  const std::size_t at = pending_.size() * sizeof(Posted);
  mailbox_.post(ctx, at + offsetof(Posted, loss), saved.value.data(), sizeof(ImageLossValue));
  if (!num_pairs.empty())
    mailbox_.post(ctx, at + offsetof(Posted, pairs), num_pairs.data(), sizeof(unsigned long long));
  pending_.push_back({step, view, !num_pairs.empty()});
  if (!ctx.asynchronous() || pending_.size() == kEvery) fetch(ctx);
}

void LossHistory::fetch(Context& ctx) {
  if (pending_.empty()) return;
  ctx.synchronize();
  const auto* values = static_cast<const Posted*>(mailbox_.data());
  const std::vector<Pending> seen = std::exchange(pending_, {});  // also when this throws
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i].has_pairs) most_pairs_ = std::max<std::size_t>(most_pairs_, values[i].pairs);
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (!std::isfinite(values[i].loss.total))
      throw NumericalError("training: the loss is not finite at step " + std::to_string(seen[i].step) + ", view " +
                           std::to_string(seen[i].view) + " of " + data_);
  value_ = values[seen.size() - 1].loss;
  step_ = seen.back().step;
}

}  // namespace dsasrgs

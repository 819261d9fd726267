// SPDX-License-Identifier: Apache-2.0
#include "train/loss_history.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "dsasrgs/error.hpp"
#include "train/watched_numbers.hpp"

namespace dsasrgs {

LossHistory::LossHistory(Context& ctx, std::string data)
    : mailbox_(ctx, kEvery * sizeof(Posted)), data_(std::move(data)) {}

void LossHistory::post(const Context& ctx, const LossTerms& terms, View<const unsigned long long> num_pairs) {
  const std::size_t start = pending_.size() * sizeof(Posted);
  std::array<Mailbox::Letter, 9> letters;
  std::size_t count = 0;
  const auto add = [&](std::size_t offset, const void* source, std::size_t bytes) {
    if (source != nullptr) letters[count++] = {start + offset, source, bytes};
  };
  add(offsetof(Posted, image), terms.image != nullptr ? terms.image->value.data() : nullptr, sizeof(ImageLossValue));
  for (std::size_t i = 0; i < terms.fine.size(); ++i)
    add(offsetof(Posted, fine) + i * sizeof(ImageLossValue), terms.fine[i].value.data(), sizeof(ImageLossValue));
  add(offsetof(Posted, confidence), terms.confidence, 2 * sizeof(float));
  add(offsetof(Posted, total_variation), terms.total_variation, sizeof(float));
  add(offsetof(Posted, table_variation), terms.table_variation, sizeof(float));
  add(offsetof(Posted, non_finite), terms.non_finite, sizeof(std::uint32_t));
  add(offsetof(Posted, pairs), num_pairs.data(), sizeof(unsigned long long));
  add(offsetof(Posted, pose_sums), terms.pose_sums, kPoseSums * sizeof(float));
  mailbox_.post(ctx, std::span(letters).first(count));
  posted_ = {0,
             0,
             !num_pairs.empty(),
             terms.image != nullptr,
             terms.confidence != nullptr,
             terms.total_variation != nullptr,
             terms.table_variation != nullptr,
             terms.non_finite != nullptr,
             terms.pose_sums != nullptr,
             terms.fine.size(),
             terms.image_weight,
             terms.fine_weight,
             terms.total_variation_weight,
             terms.nuisance};
}

void LossHistory::add(Context& ctx, int step, int view) {
  posted_.step = step;
  posted_.view = view;
  pending_.push_back(posted_);
  if (!ctx.asynchronous() || pending_.size() == kEvery) fetch(ctx);
}

LossValues LossHistory::values_of(const Pending& terms, const Posted& posted) {
  LossValues v;
  if (terms.image) {
    v.l_gt = posted.image.total;
    v.l1 = posted.image.l1;
    v.ssim = posted.image.ssim;
    v.measured = true;
    v.rendered = (posted.image.mean - terms.nuisance.offset) / terms.nuisance.gain;
    v.total = terms.image_weight * v.l_gt;
  }
  for (std::size_t i = 0; i < terms.num_fine; ++i) v.l_sr += posted.fine[i].total / static_cast<double>(terms.num_fine);
  if (terms.num_fine > 0) v.total += terms.fine_weight * v.l_sr;
  if (terms.confidence) {
    v.alpha = static_cast<double>(posted.confidence[0]);
    v.beta = static_cast<double>(posted.confidence[1]);
  }
  if (terms.total_variation)
    v.total_variation = terms.total_variation_weight * static_cast<double>(posted.total_variation);
  if (terms.table_variation) v.table_variation = static_cast<double>(posted.table_variation);
  v.total += v.total_variation + v.table_variation;
  return v;
}

void LossHistory::fetch(Context& ctx) {
  if (pending_.empty()) return;
  ctx.synchronize();
  const auto* posted = static_cast<const Posted*>(mailbox_.data());
  const std::vector<Pending> seen = std::exchange(pending_, {});  // also when this throws
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i].pairs) most_pairs_ = std::max<std::size_t>(most_pairs_, posted[i].pairs);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const LossValues values = values_of(seen[i], posted[i]);
    const std::uint32_t non_finite = seen[i].non_finite ? posted[i].non_finite : 0;
    if (!std::isfinite(values.total) || non_finite != 0)
      throw NumericalError(std::string("training: the ") + (std::isfinite(values.total) ? "gradient" : "loss") +
                           " is not finite at step " + std::to_string(seen[i].step) + ", view " +
                           std::to_string(seen[i].view) + " of " + data_ + ", from the stage \"" +
                           first_non_finite_stage(non_finite) +
                           "\" on; look there for line integrals far above the rest, or lower the learning rates");
    last_ = {seen[i].step, seen[i].view, values, {}};
    if (seen[i].pose_sums) last_.pose_sums = posted[i].pose_sums;
    fetched_.push_back(last_);
  }
}

}  // namespace dsasrgs

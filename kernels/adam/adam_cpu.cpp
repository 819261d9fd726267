// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "adam/adam_bodies.hpp"
#include "adam/adam_math.hpp"
#include "common/parallel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "adam/adam_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

/// adam_entry() on one vector of entries; `sparse` leaves lanes with g = 0 alone.
void update_vector(const AdamCoefficients<float>& c, bool sparse, float* HWY_RESTRICT parameter,
                   float* HWY_RESTRICT gradient, float* HWY_RESTRICT first, float* HWY_RESTRICT second) {
  const Floats d;
  const Vector zero = hn::Zero(d), smallest = hn::Set(d, kAdamSmallestMoment);
  const Vector raw_g = hn::LoadU(d, gradient);
  const auto untouched = hn::Eq(raw_g, zero);
  if (sparse && hn::AllTrue(d, untouched)) return;

  const Vector p = hn::LoadU(d, parameter), m0 = hn::LoadU(d, first), v0 = hn::LoadU(d, second);
  const Vector g = hn::MulAdd(hn::Set(d, c.weight_decay), p, raw_g);
  Vector m = hn::MulAdd(hn::Set(d, c.beta1), m0, hn::Mul(hn::Set(d, c.one_minus_beta1), g));
  Vector v = hn::MulAdd(hn::Set(d, c.beta2), v0, hn::Mul(hn::Mul(hn::Set(d, c.one_minus_beta2), g), g));
  // Written as "not below", so that NaN moments stay NaN instead of turning into a quiet zero.
  const auto v_vanishes = hn::Lt(v, smallest);
  m = hn::IfThenZeroElse(hn::Or(v_vanishes, hn::Lt(hn::Abs(m), smallest)), m);
  const Vector root = hn::MulAdd(hn::Sqrt(v), hn::Set(d, c.inv_sqrt_bias), hn::Set(d, c.epsilon));
  const Vector change = hn::IfThenZeroElse(v_vanishes, hn::Div(hn::Mul(hn::Set(d, c.step_size), m), root));
  v = hn::IfThenZeroElse(v_vanishes, v);
  Vector updated = hn::Sub(p, change);
  if (sparse) {
    m = hn::IfThenElse(untouched, m0, m);
    v = hn::IfThenElse(untouched, v0, v);
    updated = hn::IfThenElse(untouched, p, updated);
  }
  hn::StoreU(zero, d, gradient);
  hn::StoreU(m, d, first);
  hn::StoreU(v, d, second);
  hn::StoreU(updated, d, parameter);
}

void update_block(const AdamCoefficients<float>& c, bool sparse, float* parameter, float* gradient, float* first,
                  float* second, std::size_t count) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) update_vector(c, sparse, parameter + i, gradient + i, first + i, second + i);
  if (i == count) return;
  // The last entries go through the same code in a padded copy, so an entry's bits do not depend on where it stands.
  constexpr std::size_t kLanes = hn::MaxLanes(Floats());
  float tail[4][kLanes] = {};
  float* const arrays[4] = {parameter + i, gradient + i, first + i, second + i};
  for (int a = 0; a < 4; ++a)
    for (std::size_t j = 0; j < count - i; ++j) tail[a][j] = arrays[a][j];
  update_vector(c, sparse, tail[0], tail[1], tail[2], tail[3]);
  for (int a = 0; a < 4; ++a)
    for (std::size_t j = 0; j < count - i; ++j) arrays[a][j] = tail[a][j];
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(update_block);

void adam_update(const Context& ctx, std::span<const AdamArray> all) {
  constexpr std::size_t kBlock = 16384, kAtOnce = 32;  // arrays at once: so many need no memory
  const auto num_blocks = [](const AdamArray& a) { return (a.state.parameter.size() + kBlock - 1) / kBlock; };
  for (std::size_t first = 0; first < all.size(); first += kAtOnce) {
    const std::span<const AdamArray> arrays = all.subspan(first, std::min(kAtOnce, all.size() - first));
    AdamCoefficients<float> coefficients[kAtOnce];
    std::size_t blocks = 0;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      coefficients[i] = adam_coefficients<float>(arrays[i].step);
      blocks += num_blocks(arrays[i]);
    }
    parallel_for(ctx, blocks, [&](std::size_t block) {
      std::size_t i = 0;
      for (; block >= num_blocks(arrays[i]); ++i) block -= num_blocks(arrays[i]);
      const AdamState& state = arrays[i].state;
      const std::size_t begin = block * kBlock;
      HWY_DYNAMIC_DISPATCH(update_block)
      (coefficients[i], arrays[i].step.mode == AdamMode::sparse, state.parameter.data() + begin,
       state.gradient.values.data() + begin, state.first_moment.data() + begin, state.second_moment.data() + begin,
       std::min(kBlock, state.parameter.size() - begin));
    });
  }
}

}  // namespace dsasrgs::cpu
#endif

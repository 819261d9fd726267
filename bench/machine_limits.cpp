// SPDX-License-Identifier: Apache-2.0
#include "machine_limits.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "common/has_cuda.hpp"
#include "common/parallel.hpp"
#include "dsasrgs/buffer.hpp"
#include "timing.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "machine_limits.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 12;  // enough to hide the latency of an FMA on two ports

/// Returns the flops done; `sink` keeps the loop alive.
HWY_ATTR double fma_chains(int rounds, float* sink) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V factor = hn::Set(d, 0.999f), one = hn::Set(d, 1.0f);
  V a = one, b = one, c = one, e = one, f = one, g = one, h = one, i = one, j = one, k = one, l = one, m = one;
  for (int r = 0; r < rounds; ++r) {
    a = hn::MulAdd(a, factor, one);
    b = hn::MulAdd(b, factor, one);
    c = hn::MulAdd(c, factor, one);
    e = hn::MulAdd(e, factor, one);
    f = hn::MulAdd(f, factor, one);
    g = hn::MulAdd(g, factor, one);
    h = hn::MulAdd(h, factor, one);
    i = hn::MulAdd(i, factor, one);
    j = hn::MulAdd(j, factor, one);
    k = hn::MulAdd(k, factor, one);
    l = hn::MulAdd(l, factor, one);
    m = hn::MulAdd(m, factor, one);
  }
  const V sum = hn::Add(hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i))),
                        hn::Add(hn::Add(j, k), hn::Add(l, m)));
  *sink = hn::GetLane(sum);
  return 2.0 * kChains * rounds * static_cast<double>(hn::Lanes(d));
}

}  // namespace dsasrgs::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::bench {

HWY_EXPORT(fma_chains);

namespace {

constexpr std::size_t kCopyFloats = std::size_t{1} << 26;  // 256 MB, beyond any cache
constexpr int kTries = 5;

template <class Body>
double best_seconds(Context& ctx, Body&& body) {
  double best = 1e30;
  for (int i = 0; i < kTries; ++i) best = std::min(best, seconds_of(ctx, 1, body));
  return best;
}

MachineLimits cpu_limits(Context& ctx) {
  std::vector<float> from(kCopyFloats, 1.0f), to(kCopyFloats);
  const double copy_s = best_seconds(ctx, [&] {
    parallel_blocks(ctx, kCopyFloats, std::size_t{1} << 20, [&](std::size_t begin, std::size_t end) {
      std::memcpy(to.data() + begin, from.data() + begin, (end - begin) * sizeof(float));
    });
  });
  const auto threads = static_cast<std::size_t>(ctx.threads());
  std::vector<float> sink(threads * 16);
  std::vector<double> flops(threads);
  const double fma_s = best_seconds(ctx, [&] {
    parallel_for(ctx, threads,
                 [&](std::size_t t) { flops[t] = HWY_DYNAMIC_DISPATCH(fma_chains)(20'000'000, &sink[16 * t]); });
  });
  return {2 * sizeof(float) * kCopyFloats / copy_s, flops[0] * static_cast<double>(threads) / fma_s};
}

MachineLimits cuda_limits(Context& ctx) {
  MachineLimits limits;
  if constexpr (has_cuda) {
    Buffer<float> from = Buffer<float>::zeros(ctx, 4 * kCopyFloats), to(ctx, 4 * kCopyFloats);
    const double copy_s = best_seconds(ctx, [&] { cuda::copy(ctx, from.data(), to.data(), from.size()); });
    limits.copy_bytes_per_s = 2 * sizeof(float) * static_cast<double>(from.size()) / copy_s;
    double flops = 0;
    const double fma_s = best_seconds(ctx, [&] { flops = cuda::fma(ctx, to.data(), 20'000); });
    limits.fma_flops_per_s = flops / fma_s;
    double adds = 0;
    const double apart_s = best_seconds(ctx, [&] { adds = cuda::add_apart(ctx, to.data(), std::size_t{1} << 24); });
    limits.adds_apart_per_s = adds / apart_s;
    const double together_s = best_seconds(ctx, [&] { adds = cuda::add_together(ctx, to.data()); });
    limits.adds_together_per_s = adds / together_s;
  }
  return limits;
}

}  // namespace

const MachineLimits& machine_limits(Context& ctx) {
  static std::map<std::string, MachineLimits> known;
  const auto it = known.find(ctx.device_name());
  if (it != known.end()) return it->second;
  return known[ctx.device_name()] = ctx.backend() == Backend::cuda ? cuda_limits(ctx) : cpu_limits(ctx);
}

}  // namespace dsasrgs::bench
#endif  // HWY_ONCE

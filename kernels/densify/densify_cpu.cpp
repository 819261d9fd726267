#include "densify/densify_cpu.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/parallel.hpp"
#include "common/random.hpp"
#include "densify/densify_math.hpp"

namespace dsasrgs::cpu {
namespace {

/// Kernels per task.
constexpr std::size_t kBlock = 4096;

enum class Fate : std::uint8_t { prune, keep, clone, split };

struct Judgement {
  Fate fate;
  float score;
};

bool all_finite(View<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

/// What a kernel's own numbers say, before the cap.
Judgement judge(const DensityControl& control, const GaussianView& g, const DensityStatistics& statistics,
                std::size_t i) {
  const View<const float> p = g.position_mm.subview(3 * i, 3), s = g.raw_scale.subview(3 * i, 3);
  if (!all_finite(p) || !all_finite(s) || !all_finite(g.rotation.subview(4 * i, 4))) return {Fate::prune, 0};
  if (!control.box.contains({p[0], p[1], p[2]})) return {Fate::prune, 0};
  if (statistics.steps > 0) {
    const float mean_density = statistics.density.data()[i] / static_cast<float>(statistics.steps);
    if (!(mean_density >= control.min_mean_density)) return {Fate::prune, 0};  // also a density that is not a number
  }
  const std::uint32_t visible = statistics.visible_steps.data()[i];
  const float score = visible > 0 ? statistics.gradient_norm.data()[i] / static_cast<float>(visible) : 0;
  if (!control.grow || !(score > control.gradient_threshold)) return {Fate::keep, score};
  const Vec3f scale = bounded_scale<float>({s[0], s[1], s[2]}, g.bounds.min_mm, g.bounds.max_mm);
  const bool large = std::max({scale.x, scale.y, scale.z}) > control.split_scale_mm;
  return {large ? Fate::split : Fate::clone, score};
}

/// Takes births back, smallest score first, until the new count is within the cap.
void apply_cap(const DensityControl& control, std::vector<Judgement>& judgements) {
  if (control.max_kernels == 0) return;
  std::vector<std::uint32_t> selected;
  std::size_t count = 0;
  for (std::size_t i = 0; i < judgements.size(); ++i) {
    count += judgements[i].fate != Fate::prune;
    if (judgements[i].fate == Fate::clone || judgements[i].fate == Fate::split)
      selected.push_back(static_cast<std::uint32_t>(i));
  }
  std::stable_sort(selected.begin(), selected.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return judgements[a].score > judgements[b].score; });
  std::size_t room = control.max_kernels > count ? control.max_kernels - count : 0;
  for (const std::uint32_t i : selected) {
    const std::size_t more =
        judgements[i].fate == Fate::clone ? 1 : static_cast<std::size_t>(control.split_children) - 1;
    if (count <= control.max_kernels && more <= room)
      room -= more;
    else
      judgements[i].fate = Fate::keep;
  }
}

}  // namespace

void density_statistics_add(const Context& ctx, const Detector& detector, View<const float> grad_mean_px,
                            View<const PixelBox> box, View<const float> density, DensityStatistics& statistics) {
  float *norm = statistics.gradient_norm.data(), *sum = statistics.density.data();
  std::uint32_t* visible = statistics.visible_steps.data();
  parallel_blocks(ctx, density.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      sum[i] += density[i];
      if (box[i].empty()) continue;
      norm[i] +=
          normalised_gradient_norm(grad_mean_px[2 * i], grad_mean_px[2 * i + 1], detector.width_px, detector.height_px);
      ++visible[i];
    }
  });
}

DensityPlan plan_density_control(const Context& ctx, const DensityControl& control, GaussianView gaussians,
                                 const DensityStatistics& statistics) {
  const std::size_t n = gaussians.size();
  std::vector<Judgement> judgements(n);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) judgements[i] = judge(control, gaussians, statistics, i);
  });
  apply_cap(control, judgements);

  DensityPlan plan;
  const auto add = [&](std::size_t source, Birth birth, int child) {
    plan.source.push_back(static_cast<std::uint32_t>(source));
    plan.birth.push_back(birth);
    plan.child.push_back(static_cast<std::uint8_t>(child));
  };
  for (std::size_t i = 0; i < n; ++i) {
    const Fate fate = judgements[i].fate;
    plan.pruned += fate == Fate::prune;
    if (fate == Fate::keep || fate == Fate::clone) add(i, Birth::kept, 0);
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (judgements[i].fate == Fate::clone) {
      ++plan.cloned;
      add(i, Birth::clone, 0);
    } else if (judgements[i].fate == Fate::split) {
      ++plan.split;
      for (int child = 0; child < control.split_children; ++child) add(i, Birth::split_child, child);
    }
  }
  return plan;
}

void gather_rows(const Context& ctx, const DensityPlan& plan, std::size_t width, bool zero_births, View<const float> in,
                 View<float> out) {
  parallel_blocks(ctx, plan.source.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      float* row = out.data() + j * width;
      if (zero_births && plan.birth[j] != Birth::kept)
        std::fill_n(row, width, 0.0f);
      else
        std::copy_n(in.data() + plan.source[j] * width, width, row);
    }
  });
}

void place_children(const Context& ctx, const DensityControl& control, const DensityPlan& plan, ScaleBounds bounds,
                    View<float> position_mm, View<float> raw_scale, View<const float> rotation) {
  parallel_blocks(ctx, plan.source.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      if (plan.birth[j] != Birth::split_child) continue;
      float *p = position_mm.data() + 3 * j, *raw = raw_scale.data() + 3 * j;
      const float* q = rotation.data() + 4 * j;
      const Vec3f scale = bounded_scale<float>({raw[0], raw[1], raw[2]}, bounds.min_mm, bounds.max_mm);
      const std::uint64_t parent_and_child = (static_cast<std::uint64_t>(plan.source[j]) << 8) | plan.child[j];
      const Vec3f normal = random_normal3(control.seed, RandomStream::split_children, control.step, parent_and_child);
      const Vec3f offset = child_offset<float>(scale, {q[0], q[1], q[2], q[3]}, normal);
      const Vec3f shrunk = scale / control.split_shrink;
      p[0] += offset.x;
      p[1] += offset.y;
      p[2] += offset.z;
      raw[0] = raw_scale_from(shrunk.x, bounds.min_mm, bounds.max_mm);
      raw[1] = raw_scale_from(shrunk.y, bounds.min_mm, bounds.max_mm);
      raw[2] = raw_scale_from(shrunk.z, bounds.min_mm, bounds.max_mm);
    }
  });
}

}  // namespace dsasrgs::cpu

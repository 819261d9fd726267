// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "densify/densify_bodies.hpp"
#include "densify/densify_math.hpp"

namespace dsasrgs::cpu {
namespace {

/// Gaussians per task.
constexpr std::size_t kBlock = 4096;

/// Takes births back, smallest score first, until the new count is within the cap.
void apply_cap(const DensityControl& control, HostVector<Judgement>& judgements) {
  if (control.max_gaussians == 0) return;
  HostVector<std::uint32_t> selected;
  std::size_t count = 0;
  for (std::size_t i = 0; i < judgements.size(); ++i) {
    count += judgements[i].fate != Fate::prune;
    if (judgements[i].fate == Fate::clone || judgements[i].fate == Fate::split)
      selected.push_back(static_cast<std::uint32_t>(i));
  }
  std::stable_sort(selected.begin(), selected.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return judgements[a].score > judgements[b].score; });
  std::size_t room = control.max_gaussians > count ? control.max_gaussians - count : 0;
  for (const std::uint32_t i : selected) {
    const std::size_t more = cost_of(judgements[i].fate, static_cast<std::uint32_t>(control.split_children));
    if (count <= control.max_gaussians && more <= room)
      room -= more;
    else
      judgements[i].fate = Fate::keep;
  }
}

}  // namespace

void density_statistics_add(const Context& ctx, const Detector& detector, View<const float> grad_mean_px,
                            View<const PixelBox> box, View<const float> density, View<const float> conic,
                            DensityStatistics& statistics) {
  float *norm = statistics.gradient_norm.data(), *sum = statistics.density.data();
  float* pixels = statistics.weighs_pixels() ? statistics.pixels.data() : nullptr;
  std::uint32_t* visible = statistics.visible_steps.data();
  parallel_blocks(ctx, density.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      sum[i] += density[i];
      if (box[i].empty()) continue;
      const float g =
          normalised_gradient_norm(grad_mean_px[2 * i], grad_mean_px[2 * i + 1], detector.width_px, detector.height_px);
      if (pixels == nullptr)
        norm[i] += g;
      else
        add_weighted(pixels_covered(conic.data() + 3 * i, box[i]), g, norm[i], pixels[i]);
      ++visible[i];
    }
  });
}

DensityPlan plan_density_control(Context& ctx, const DensityControl& control, GaussianView gaussians,
                                 const DensityStatistics& statistics) {
  const std::size_t n = gaussians.size(), split_children = static_cast<std::size_t>(control.split_children);
  HostVector<Judgement> judgements(n);
  const JudgeInput input = judge_input(control, gaussians, statistics);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) judgements[i] = judge(input, i);
  });
  apply_cap(control, judgements);

  DensityPlan plan;
  plan.num_sources = n;
  for (const Judgement& j : judgements) {
    plan.pruned += j.fate == Fate::prune;
    plan.cloned += j.fate == Fate::clone;
    plan.split += j.fate == Fate::split;
  }
  const std::size_t size = n - plan.pruned - plan.split + plan.cloned + plan.split * split_children;
  plan.source.resize(ctx, size);
  plan.birth.resize(ctx, size);
  plan.child.resize(ctx, size);
  std::size_t j = 0;
  const auto add = [&](std::size_t source, Birth birth, std::size_t child) {
    plan.source.data()[j] = static_cast<std::uint32_t>(source);
    plan.birth.data()[j] = birth;
    plan.child.data()[j++] = static_cast<std::uint8_t>(child);
  };
  for (std::size_t i = 0; i < n; ++i)
    if (judgements[i].fate == Fate::keep || judgements[i].fate == Fate::clone) add(i, Birth::kept, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (judgements[i].fate == Fate::clone) add(i, Birth::clone, 0);
    if (judgements[i].fate == Fate::split)
      for (std::size_t child = 0; child < split_children; ++child) add(i, Birth::split_child, child);
  }
  return plan;
}

void gather_rows(const Context& ctx, const DensityPlan& plan, std::span<const RowGather> arrays) {
  const std::uint32_t* source = plan.source.data();
  const Birth* birth = plan.birth.data();
  parallel_blocks(ctx, plan.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (const RowGather& a : arrays) {
      const std::size_t width = static_cast<std::size_t>(a.width);
      for (std::size_t j = begin; j < end; ++j) {
        float* row = a.out.data() + j * width;
        if (a.zero_births && birth[j] != Birth::kept)
          std::fill_n(row, width, 0.0f);
        else
          std::copy_n(a.in.data() + source[j] * width, width, row);
      }
    }
  });
}

void gather_counts(const Context& ctx, const DensityPlan& plan, View<const std::uint32_t> in, View<std::uint32_t> out) {
  const std::uint32_t* source = plan.source.data();
  const Birth* birth = plan.birth.data();
  parallel_blocks(ctx, plan.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) out[j] = birth[j] == Birth::kept ? in[source[j]] : 0;
  });
}

void place_children(const Context& ctx, const DensityControl& control, const DensityPlan& plan, ScaleBounds bounds,
                    View<float> position_mm, View<float> raw_scale, View<const float> rotation) {
  const ChildPlacement placement = child_placement(control, bounds);
  parallel_blocks(ctx, plan.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j)
      if (plan.birth.data()[j] == Birth::split_child)
        place_child(placement, plan.source.data()[j], plan.child.data()[j], position_mm.data() + 3 * j,
                    raw_scale.data() + 3 * j, rotation.data() + 4 * j);
  });
}

void halve_density(const Context& ctx, const DensityPlan& plan, View<float> raw) {
  const std::uint32_t* source = plan.source.data();
  const Birth* birth = plan.birth.data();
  HostVector<std::uint8_t> cloned(plan.num_sources, 0);
  for (std::size_t j = 0; j < plan.size(); ++j)
    if (birth[j] == Birth::clone) cloned[source[j]] = 1;
  parallel_blocks(ctx, plan.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j)
      if (birth[j] != Birth::kept || cloned[source[j]] != 0) raw[j] = halved_softplus(raw[j]);
  });
}

}  // namespace dsasrgs::cpu

// SPDX-License-Identifier: Apache-2.0
#include "common/launch.cuh"
#include "common/sort_scan.hpp"
#include "densify/densify_bodies.hpp"
#include "densify/densify_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    add_statistics(int width_px, int height_px, const float* grad_mean_px, const PixelBox* box, const float* density,
                   const float* conic, float* gradient_norm, float* density_sum, std::uint32_t* visible_steps,
                   float* pixels, std::size_t n) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  density_sum[i] += density[i];
  if (box[i].empty()) return;
  const float g = normalised_gradient_norm(grad_mean_px[2 * i], grad_mean_px[2 * i + 1], width_px, height_px);
  if (pixels == nullptr)
    gradient_norm[i] += g;
  else
    add_weighted(pixels_covered(conic + 3 * i, box[i]), g, gradient_norm[i], pixels[i]);
  ++visible_steps[i];
}

// ---- the plan: judge, cap, count, scan, write --------------------------------------------------------------------

/// Of the old Gaussians: how many survive their own numbers, and how many end up with each fate but `keep`.
struct FateCounts {
  std::uint32_t alive, cloned, split, pruned;
};

/// *total += how many threads of the block say so.
__device__ void count_block(bool mine, std::uint32_t* total) {
  const int count = __syncthreads_count(mine);
  if (threadIdx.x == 0 && count > 0) atomicAdd(total, static_cast<std::uint32_t>(count));
}

/// Sorts after every other key.
constexpr std::uint32_t kNotSelected = 0xffffffffu;

/// An unsigned number that is the smaller the larger the score, and the same for scores that compare equal.
__device__ std::uint32_t descending_key(float score) {
  const std::uint32_t bits = __float_as_uint(score + 0.0f);  // −0 becomes +0
  return (bits >> 31) != 0 ? bits : ~(bits | 0x80000000u);
}

__global__ void __launch_bounds__(kThreads)
    judge_gaussians_kernel(JudgeInput in, Fate* fates, std::uint32_t* keys, std::uint32_t* order, FateCounts* counts,
                           std::size_t n) {
  const std::size_t i = thread_index();
  Judgement j{Fate::prune, 0.0f};
  if (i < n) {
    j = judge(in, i);
    fates[i] = j.fate;
    if (keys != nullptr) {
      keys[i] = j.fate == Fate::clone || j.fate == Fate::split ? descending_key(j.score) : kNotSelected;
      order[i] = static_cast<std::uint32_t>(i);
    }
  }
  count_block(j.fate != Fate::prune, &counts->alive);
}

// Under the cap, selected Gaussians are taken by descending score, each if it still fits. Let k be the place in that
// order, room what the survivors leave, cost_before[k] = Σ cost over [0, k), and f the first place that does not fit:
// cost_before[f] ≤ room < cost_before[f + 1]. Places before f fit. From f on, rest = room − cost_before[f] is left:
//  - if f is a clone (cost 1), rest is 0;
//  - if f is a split, rest < its cost, so no later split fits either, and clones take what is left.
// In both cases the first `rest` clones of [f, end) fit. Splits into one child cost nothing and always fit.

/// Where places stop fitting.
struct CapCut {
  std::uint32_t cost_before, clones_before;
};

__global__ void __launch_bounds__(kThreads)
    cost_in_order(const Fate* fates, const std::uint32_t* order, std::uint32_t split_children, std::uint32_t* cost,
                  std::uint32_t* is_clone, std::size_t n) {
  const std::size_t k = thread_index();
  if (k >= n) return;
  const Fate fate = fates[order[k]];
  cost[k] = cost_of(fate, split_children);
  is_clone[k] = fate == Fate::clone ? 1 : 0;
}

__device__ std::size_t room_under(std::size_t max_gaussians, const FateCounts& counts) {
  return max_gaussians > counts.alive ? max_gaussians - counts.alive : 0;
}

__global__ void __launch_bounds__(kThreads)
    find_cap_cut(std::size_t max_gaussians, const FateCounts* counts, const std::uint32_t* cost_before,
                 const std::uint32_t* clones_before, CapCut* cut, std::size_t n) {
  const std::size_t k = thread_index();
  if (k >= n) return;
  const std::size_t room = room_under(max_gaussians, *counts);
  if (cost_before[k] <= room && cost_before[k + 1] > room) *cut = {cost_before[k], clones_before[k]};
}

__global__ void __launch_bounds__(kThreads)
    keep_what_does_not_fit(std::size_t max_gaussians, const FateCounts* counts, const std::uint32_t* order,
                           const std::uint32_t* cost_before, const std::uint32_t* clones_before, const CapCut* cut,
                           Fate* fates, std::size_t n) {
  const std::size_t k = thread_index();
  if (k >= n) return;
  Fate& fate = fates[order[k]];
  if (fate != Fate::clone && fate != Fate::split) return;
  const std::size_t room = room_under(max_gaussians, *counts);
  bool fits = cost_before[k + 1] <= room || cost_before[k + 1] == cost_before[k];
  if (!fits && fate == Fate::clone) fits = clones_before[k] - cut->clones_before < room - cut->cost_before;
  if (counts->alive > max_gaussians || !fits) fate = Fate::keep;
}

__global__ void __launch_bounds__(kThreads)
    count_rows(const Fate* fates, std::uint32_t split_children, std::uint32_t* survivors, std::uint32_t* births,
               FateCounts* counts, std::size_t n) {
  const std::size_t i = thread_index();
  Fate fate = Fate::keep;
  if (i < n) {
    fate = fates[i];
    survivors[i] = fate == Fate::keep || fate == Fate::clone ? 1 : 0;
    births[i] = fate == Fate::clone ? 1 : (fate == Fate::split ? split_children : 0);
  }
  count_block(fate == Fate::clone, &counts->cloned);
  count_block(fate == Fate::split, &counts->split);
  count_block(fate == Fate::prune, &counts->pruned);
}

struct PlanArrays {
  std::uint32_t* source;
  Birth* birth;
  std::uint8_t* child;

  __device__ void write(std::size_t row, std::size_t source_row, Birth how, std::uint32_t which) const {
    source[row] = static_cast<std::uint32_t>(source_row);
    birth[row] = how;
    child[row] = static_cast<std::uint8_t>(which);
  }
};

__global__ void __launch_bounds__(kThreads)
    write_plan(const Fate* fates, const std::uint32_t* survivors_before, const std::uint32_t* births_before,
               PlanArrays plan, std::size_t n) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const Fate fate = fates[i];
  if (fate == Fate::keep || fate == Fate::clone) plan.write(survivors_before[i], i, Birth::kept, 0);
  const std::size_t first = std::size_t{survivors_before[n]} + births_before[i];
  const std::uint32_t count = births_before[i + 1] - births_before[i];
  const Birth how = fate == Fate::clone ? Birth::clone : Birth::split_child;
  for (std::uint32_t child = 0; child < count; ++child) plan.write(first + child, i, how, child);
}

/// Takes back the births that do not fit under the cap, smallest scores first.
void apply_cap(Context& ctx, const DensityControl& control, const Buffer<std::uint32_t>& keys,
               const Buffer<std::uint32_t>& indices, const FateCounts* counts, Buffer<Fate>& fates,
               SortScanScratch& scratch) {
  const std::size_t n = fates.size();
  const Grid grid = one_thread_each(n, kThreads);
  Buffer<std::uint32_t> sorted_keys(ctx, n), order(ctx, n), cost(ctx, n), is_clone(ctx, n);
  Buffer<std::uint32_t> cost_before(ctx, n + 1), clones_before(ctx, n + 1);
  Buffer<CapCut> cut(ctx, 1);
  sort_pairs(ctx, 32, keys, sorted_keys, indices, order, scratch);
  launch(ctx, "density_cost_in_order", grid, cost_in_order, fates.data(), order.data(),
         static_cast<std::uint32_t>(control.split_children), cost.data(), is_clone.data(), n);
  exclusive_scan(ctx, cost, cost_before, scratch);
  exclusive_scan(ctx, is_clone, clones_before, scratch);
  launch(ctx, "density_find_cap_cut", grid, find_cap_cut, control.max_gaussians, counts, cost_before.data(),
         clones_before.data(), cut.data(), n);
  launch(ctx, "density_keep_what_does_not_fit", grid, keep_what_does_not_fit, control.max_gaussians, counts,
         order.data(), cost_before.data(), clones_before.data(), cut.data(), fates.data(), n);
}

// ---- carrying it out -----------------------------------------------------------------------------------------------

constexpr int kArraysPerLaunch = 16;

/// Arrays of one launch. Block b belongs to the array a with first_block[a] ≤ b < first_block[a + 1], and its threads
/// write consecutive elements of it.
struct GatherBatch {
  const float* in[kArraysPerLaunch];
  float* out[kArraysPerLaunch];
  unsigned width[kArraysPerLaunch];
  bool zero_births[kArraysPerLaunch];
  unsigned first_block[kArraysPerLaunch + 1];
  int count;
};

__global__ void __launch_bounds__(kThreads)
    gather_arrays(GatherBatch batch, const std::uint32_t* source, const Birth* birth, std::size_t rows) {
  int a = 0;
  while (blockIdx.x >= batch.first_block[a + 1]) ++a;
  const std::size_t width = batch.width[a];
  const std::size_t element = std::size_t{blockIdx.x - batch.first_block[a]} * kThreads + threadIdx.x;
  const std::size_t row = element / width, column = element - row * width;
  if (row >= rows) return;
  const bool zero = batch.zero_births[a] && birth[row] != Birth::kept;
  batch.out[a][element] = zero ? 0.0f : batch.in[a][source[row] * width + column];
}

__global__ void __launch_bounds__(kThreads)
    gather_counts_kernel(const std::uint32_t* in, std::uint32_t* out, const std::uint32_t* source, const Birth* birth,
                         std::size_t n) {
  const std::size_t j = thread_index();
  if (j < n) out[j] = birth[j] == Birth::kept ? in[source[j]] : 0;
}

__global__ void __launch_bounds__(kThreads)
    move_children(ChildPlacement placement, const std::uint32_t* source, const Birth* birth, const std::uint8_t* child,
                  float* position_mm, float* raw_scale, const float* rotation, std::size_t n) {
  const std::size_t j = thread_index();
  if (j >= n || birth[j] != Birth::split_child) return;
  place_child(placement, source[j], child[j], position_mm + 3 * j, raw_scale + 3 * j, rotation + 4 * j);
}

__global__ void __launch_bounds__(kThreads)
    mark_cloned(const std::uint32_t* source, const Birth* birth, std::uint8_t* cloned, std::size_t n) {
  const std::size_t j = thread_index();
  if (j < n && birth[j] == Birth::clone) cloned[source[j]] = 1;  // one clone a Gaussian, so one writer
}

__global__ void __launch_bounds__(kThreads)
    halve_made_gaussians_kernel(const std::uint32_t* source, const Birth* birth, const std::uint8_t* cloned, float* raw,
                                std::size_t n) {
  const std::size_t j = thread_index();
  if (j < n && (birth[j] != Birth::kept || cloned[source[j]] != 0)) raw[j] = halved_softplus(raw[j]);
}

}  // namespace

void density_statistics_add(Context& ctx, const Detector& detector, View<const float> grad_mean_px,
                            View<const PixelBox> box, View<const float> density, View<const float> conic,
                            DensityStatistics& statistics) {
  const std::size_t n = density.size();
  launch(ctx, "density_statistics_add", one_thread_each(n, kThreads), add_statistics, detector.width_px,
         detector.height_px, grad_mean_px.data(), box.data(), density.data(), conic.data(),
         statistics.gradient_norm.data(), statistics.density.data(), statistics.visible_steps.data(),
         statistics.weighs_pixels() ? statistics.pixels.data() : nullptr, n);
}

DensityPlan plan_density_control(Context& ctx, const DensityControl& control, GaussianView gaussians,
                                 const DensityStatistics& statistics) {
  const std::size_t n = gaussians.size();
  const Grid grid = one_thread_each(n, kThreads);
  const bool capped = control.max_gaussians > 0;
  const std::uint32_t split_children = static_cast<std::uint32_t>(control.split_children);
  SortScanScratch scratch;
  Buffer<Fate> fates(ctx, n);
  Buffer<FateCounts> counts = Buffer<FateCounts>::zeros(ctx, 1);
  Buffer<std::uint32_t> keys(ctx, capped ? n : 0), indices(ctx, capped ? n : 0);
  launch(ctx, "density_judge", grid, judge_gaussians_kernel, judge_input(control, gaussians, statistics), fates.data(),
         capped ? keys.data() : nullptr, indices.data(), counts.data(), n);
  if (capped) apply_cap(ctx, control, keys, indices, counts.data(), fates, scratch);

  Buffer<std::uint32_t> survivors(ctx, n), births(ctx, n), survivors_before(ctx, n + 1), births_before(ctx, n + 1);
  launch(ctx, "density_count_rows", grid, count_rows, fates.data(), split_children, survivors.data(), births.data(),
         counts.data(), n);
  exclusive_scan(ctx, survivors, survivors_before, scratch);
  exclusive_scan(ctx, births, births_before, scratch);

  const FateCounts found = counts.to_host(ctx)[0];
  DensityPlan plan;
  plan.num_sources = n;
  plan.cloned = found.cloned;
  plan.split = found.split;
  plan.pruned = found.pruned;
  const std::size_t size = n - plan.pruned - plan.split + plan.cloned + plan.split * split_children;
  plan.source.resize(ctx, size);
  plan.birth.resize(ctx, size);
  plan.child.resize(ctx, size);
  launch(ctx, "density_write_plan", grid, write_plan, fates.data(), survivors_before.data(), births_before.data(),
         PlanArrays{plan.source.data(), plan.birth.data(), plan.child.data()}, n);
  return plan;
}

void gather_rows(Context& ctx, const DensityPlan& plan, std::span<const RowGather> arrays) {
  GatherBatch batch{};
  const auto flush = [&] {
    launch(ctx, "gather_rows", {dim3(batch.first_block[batch.count]), dim3(kThreads)}, gather_arrays, batch,
           plan.source.data(), plan.birth.data(), plan.size());
    batch = {};
  };
  for (const RowGather& array : arrays) {
    if (array.out.empty()) continue;
    const int a = batch.count++;
    batch.in[a] = array.in.data();
    batch.out[a] = array.out.data();
    batch.width[a] = static_cast<unsigned>(array.width);
    batch.zero_births[a] = array.zero_births;
    batch.first_block[a + 1] = batch.first_block[a] + one_thread_each(array.out.size(), kThreads).blocks.x;
    if (batch.count == kArraysPerLaunch) flush();
  }
  flush();
}

void gather_counts(Context& ctx, const DensityPlan& plan, View<const std::uint32_t> in, View<std::uint32_t> out) {
  launch(ctx, "gather_counts", one_thread_each(plan.size(), kThreads), gather_counts_kernel, in.data(), out.data(),
         plan.source.data(), plan.birth.data(), plan.size());
}

void place_children(Context& ctx, const DensityControl& control, const DensityPlan& plan, ScaleBounds bounds,
                    View<float> position_mm, View<float> raw_scale, View<const float> rotation) {
  const std::size_t n = plan.size();
  launch(ctx, "place_children", one_thread_each(n, kThreads), move_children, child_placement(control, bounds),
         plan.source.data(), plan.birth.data(), plan.child.data(), position_mm.data(), raw_scale.data(),
         rotation.data(), n);
}

void halve_density(Context& ctx, const DensityPlan& plan, View<float> raw) {
  const std::size_t n = plan.size();
  const Grid grid = one_thread_each(n, kThreads);
  auto cloned = Buffer<std::uint8_t>::zeros(ctx, plan.num_sources);
  launch(ctx, "density_mark_cloned", grid, mark_cloned, plan.source.data(), plan.birth.data(), cloned.data(), n);
  launch(ctx, "density_halve", grid, halve_made_gaussians_kernel, plan.source.data(), plan.birth.data(), cloned.data(),
         raw.data(), n);
}

}  // namespace dsasrgs::cuda

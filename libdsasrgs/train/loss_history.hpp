// SPDX-License-Identifier: Apache-2.0
#pragma once
// The losses of the last steps on their way to the host, and with them how full the rasteriser's lists were.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/submission.hpp"
#include "dsasrgs/context.hpp"
#include "project/project.hpp"
#include "ssim/ssim.hpp"

namespace dsasrgs {

/// Where the terms of one step's loss stand in the context's memory, and what they count. A null or empty term is not
/// in the loss.
struct LossTerms {
  const ImageLossSaved* image = nullptr;  ///< L_gt
  std::span<const ImageLossSaved> fine;   ///< at most two, whose mean is L_sr
  double image_weight = 0, fine_weight = 0;
  /// Of the view, its offset in the unit of the loss.
  struct Nuisance {
    double gain = 1, offset = 0;
  } nuisance;
  const float* confidence = nullptr;  ///< α and β, as the step leaves them
  const float* total_variation = nullptr;
  double total_variation_weight = 0;
  const float* table_variation = nullptr;  ///< already weighted
  const float* pose_sums = nullptr;        ///< [kPoseSums], of project_pose_backward
  /// Of the arrays that the step computed (find_non_finite over Watched).
  const std::uint32_t* non_finite = nullptr;
};

/// What is minimised, by terms; 0 for a term that is not in the loss.
struct LossValues {
  double total = 0;                             ///< the sum of all terms, weighted
  double l_gt = 0, l1 = 0, ssim = 0, l_sr = 0;  ///< unweighted
  bool measured = false;                        ///< there is an l_gt
  double rendered = 0;                          ///< mean of the render that l_gt compares, before nuisance parameters
  double alpha = 0, beta = 0;
  double total_variation = 0, table_variation = 0;  ///< weighted
};

/// The loss of one step, once it is known.
struct KnownLoss {
  int step = 0;  ///< 0: there was none yet
  int view = 0;  ///< in the acquisition
  LossValues values;
  std::array<float, kPoseSums> pose_sums{};  ///< where the step asked for them
};

/// Keeps the loss of every step until it has been looked at, without waiting for each.
class LossHistory {
 public:
  /// `data` names the acquisition in errors.
  LossHistory(Context&, std::string data);

  /// Sends off the loss of a step and the pairs of its tile lists (RasterizeScratch::num_pairs), in stream order; may
  /// be captured. Nothing is kept until add().
  void post(const Context&, const LossTerms&, View<const unsigned long long> num_pairs);
  /// Adds what was posted last as the loss of a step. Calls fetch() where losses are known at once, and every kEvery
  /// steps.
  void add(Context&, int step, int view);
  /// Waits for all losses added so far and looks at them. Throws NumericalError naming the first step and view whose
  /// loss or gradient is not finite, and the stage of the step where that began.
  void fetch(Context&);

  /// The loss fetched last.
  const KnownLoss& last() const { return last_; }
  /// see(KnownLoss) for all fetched since the last call, in the order of the steps. Its exceptions pass.
  template <class See>
  void for_each_fetched(See&& see) {
    for (const KnownLoss& loss : fetched_) see(loss);
    fetched_.clear();
  }
  /// Most pairs of a step that was fetched since the last call; 0 on the CPU.
  std::size_t take_most_pairs() { return std::exchange(most_pairs_, 0); }

 private:
  static constexpr std::size_t kEvery = 32;
  /// One step's part of the mailbox.
  struct Posted {
    ImageLossValue image, fine[2];
    float confidence[2], total_variation, table_variation;
    std::uint32_t non_finite;
    unsigned long long pairs;
    std::array<float, kPoseSums> pose_sums;
  };
  struct Pending {
    int step = 0, view = 0;
    bool pairs, image, confidence, total_variation, table_variation, non_finite, pose_sums;
    std::size_t num_fine;
    double image_weight, fine_weight, total_variation_weight;
    LossTerms::Nuisance nuisance;
  };
  static LossValues values_of(const Pending&, const Posted&);

  Mailbox mailbox_;
  std::string data_;
  Pending posted_{};
  std::vector<Pending> pending_;
  KnownLoss last_;
  std::vector<KnownLoss> fetched_;
  std::size_t most_pairs_ = 0;
};

}  // namespace dsasrgs

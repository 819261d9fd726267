// SPDX-License-Identifier: Apache-2.0
// The operators of the projection's derivatives by the pose: against their formulas in double, in balance with the
// gradients of the Gaussians, at their edges, and CUDA against the CPU.
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <span>
#include <vector>

#include "dsasrgs/error.hpp"
#include "project/project_pose_math.hpp"
#include "support/bad_bounds.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/oblique_view.hpp"
#include "support/pose_numbers.hpp"
#include "support/projected_cloud.hpp"
#include "support/projected_gaussian.hpp"

namespace dsasrgs::test {

namespace {

constexpr PoseTangent kSomeTangent{{0.3, -0.2, 0.1}, {-0.5, 0.4, 0.2}, {1e-3, 2e-3, -1e-3}, {-2e-3, 1e-3, 1e-3}};

/// A cloud of densities of both signs in front of a view, and an upstream of both signs.
struct Problem {
  Problem(std::size_t n, bool footprint_)
      : cloud(random_cloud(n, {0.3f, 4.0f}, 70, 5)),
        footprint(footprint_),
        up_mean(random_values(2 * n, -1.0f, 1.0f, 21)),
        up_conic(random_values(3 * n, -1.0f, 1.0f, 22)),
        up_amplitude(random_values(n, -1.0f, 1.0f, 23)) {
    for (std::size_t i = 0; i < n; i += 3) cloud.density[i] *= -1;
  }

  TestCloud cloud;
  Pose pose = oblique_pose(true);
  bool footprint;
  std::vector<float> up_mean, up_conic, up_amplitude;

  ProjectionConstants<double> view() const { return projection_constants(pose, kDetector, cloud.bounds, footprint); }
  ProjectionUpstream<double> upstream(std::size_t i) const {
    return {up_mean[2 * i],      up_mean[2 * i + 1],  up_conic[3 * i],
            up_conic[3 * i + 1], up_conic[3 * i + 2], up_amplitude[i]};
  }
};

/// A problem in a context's memory.
struct OnDevice {
  OnDevice(Context& ctx, const Problem& p)
      : cloud(ctx, p.cloud),
        mean(Buffer<float>::from_host(ctx, p.up_mean)),
        conic(Buffer<float>::from_host(ctx, p.up_conic)),
        amplitude(Buffer<float>::from_host(ctx, p.up_amplitude)),
        input{cloud.view(p.cloud.bounds), cloud.density, p.pose, kDetector, p.footprint} {}
  ProjectUpstream upstream() const { return {mean, conic, amplitude}; }
  CloudOnDevice cloud;
  Buffer<float> mean, conic, amplitude;
  ProjectInput input;
};

std::vector<float> pose_sums(Context& ctx, const Problem& p) {
  const OnDevice device(ctx, p);
  Buffer<float> sums = Buffer<float>::from_host(ctx, std::vector<float>(kPoseSums, 99.0f));
  PoseScratch scratch;
  project_pose_backward(ctx, device.input, device.upstream(), scratch, sums);
  return sums.to_host(ctx);
}
PoseGradient gradient_of(const Problem& p, const std::vector<float>& sums) {
  return pose_gradient(p.pose, kDetector, std::span<const float, kPoseSums>(sums));
}

/// Means [N,2], conics [N,3] and amplitudes [N] along a tangent.
struct Tangents {
  std::vector<float> mean_px, conic, amplitude;
};
Tangents pose_tangents(Context& ctx, const Problem& p, const PoseTangent& tangent) {
  const OnDevice device(ctx, p);
  const std::size_t n = p.cloud.size();
  const auto of = [&](std::size_t size) { return Buffer<float>::from_host(ctx, std::vector<float>(size, 99.0f)); };
  Buffer<float> mean = of(2 * n), conic = of(3 * n), amplitude = of(n);
  project_pose_forward(ctx, device.input, tangent, {mean, conic, amplitude});
  return {mean.to_host(ctx), conic.to_host(ctx), amplitude.to_host(ctx)};
}

/// The sums in double, and the sums of magnitudes.
struct OracleSums {
  double sum[kPoseSums] = {}, magnitude[kPoseSums] = {};
};
OracleSums oracle_sums(const Problem& p) {
  const auto view = p.view();
  OracleSums oracle;
  for (std::size_t i = 0; i < p.cloud.size(); ++i) {
    const auto x = p.cloud.parameters(i);
    double g[kPoseSums];
    project_gaussian_pose_vjp<double>(view, project_parameters(view, x), {x[0], x[1], x[2]}, {x[6], x[7], x[8], x[9]},
                                      p.upstream(i))
        .write(g);
    for (int m = 0; m < kPoseSums; ++m) {
      oracle.sum[m] += g[m];
      oracle.magnitude[m] += std::abs(g[m]);
    }
  }
  return oracle;
}

void check_sums(std::size_t n, bool footprint) {
  Context ctx = make_context();
  const Problem p(n, footprint);
  const std::vector<float> found = pose_sums(ctx, p);
  const OracleSums oracle = oracle_sums(p);
  // Of the sum of magnitudes: a Gaussian's roundings are as good as independent of another's.
  const double bound = 3e-6 / std::sqrt(static_cast<double>(n));
  for (int m = 0; m < kPoseSums; ++m) {
    CAPTURE(n, m);
    CHECK(std::abs(double{found[m]} - oracle.sum[m]) / oracle.magnitude[m] < bound);
  }
  const auto g = pose_numbers(gradient_of(p, found));
  const auto expected =
      pose_numbers(projection_constants_vjp(p.pose, kDetector, PoseConstants<double>::from(oracle.sum)));
  for (const std::size_t first : {0, 3, 6, 9}) CHECK(relative_l2(three(g, first), three(expected, first)) < 1e-4);
}

}  // namespace

TEST_CASE("project: sums of derivatives by the view's constants agree with double", "[project][pose]") {
  for (const bool footprint : {false, true}) check_sums(5003, footprint);
  check_sums(70001, true);  // more than CUDA's sums have threads
}

TEST_CASE("project: a million Gaussians of both signs lose no digits", "[project][pose][long]") {
  check_sums(1000000, true);
}

TEST_CASE("project: a rigid motion of source, detector and Gaussians changes nothing", "[project][pose]") {
  Context ctx = make_context();
  const std::size_t n = 2051;
  const Problem p(n, true);
  const OnDevice device(ctx, p);
  CloudGradient of_cloud(ctx, n, 0.0f);
  project_backward(ctx, device.input, device.upstream(), GradientMode::overwrite, of_cloud.view());
  const auto gp = of_cloud.position.to_host(ctx), gq = of_cloud.rotation.to_host(ctx);
  const PoseGradient g = gradient_of(p, pose_sums(ctx, p));

  // Each part is much larger than what they leave of each other.
  Vec3d translation = g.source_mm + g.detector_center_mm, rotation;
  double turning = 0;
  const auto turn = [&](Vec3d about) {
    rotation += about;
    turning += length(about);
  };
  turn(cross(p.pose.source_mm, g.source_mm));
  turn(cross(p.pose.detector_center_mm, g.detector_center_mm));
  turn(cross(p.pose.detector_u, g.detector_u));
  turn(cross(p.pose.detector_v, g.detector_v));
  const double size = length(g.source_mm) + length(g.detector_center_mm);
  for (std::size_t i = 0; i < n; ++i) {
    const auto x = p.cloud.parameters(i);
    const Vec3d position{x[0], x[1], x[2]}, grad{gp[3 * i], gp[3 * i + 1], gp[3 * i + 2]};
    translation += grad;
    rotation += cross(position, grad);
    // A turn by ω makes of q the product of (1, ω/2) and q.
    const Vec3d q{x[7], x[8], x[9]}, gv{gq[4 * i + 1], gq[4 * i + 2], gq[4 * i + 3]};
    rotation += (gv * x[6] - q * double{gq[4 * i]} + cross(q, gv)) * 0.5;
  }
  CHECK(length(translation) < 5e-6 * size);
  CHECK(length(rotation) < 5e-6 * turning);
}

TEST_CASE("project: the tangents along a change of the pose agree with double", "[project][pose]") {
  Context ctx = make_context();
  for (const bool footprint : {false, true}) {
    const Problem p(1027, footprint);
    const Tangents found = pose_tangents(ctx, p, kSomeTangent);
    const auto view = p.view();
    const PoseConstants<double> through = projection_constants_jvp(p.pose, kDetector, kSomeTangent);
    std::vector<double> mean, conic, amplitude;
    for (std::size_t i = 0; i < p.cloud.size(); ++i) {
      const auto x = p.cloud.parameters(i);
      const auto t = project_gaussian_pose_jvp<double>(view, project_parameters(view, x), {x[0], x[1], x[2]}, through);
      for (const double v : {t.mean_u, t.mean_v}) mean.push_back(v);
      for (const double v : {t.conic_xx, t.conic_xy, t.conic_yy}) conic.push_back(v);
      amplitude.push_back(t.amplitude);
    }
    CHECK(relative_l2(found.mean_px, mean) < 1e-6);
    CHECK(relative_l2(found.conic, conic) < 1e-5);
    CHECK(relative_l2(found.amplitude, amplitude) < 1e-5);
  }
}

TEST_CASE("project: the operators of tangent and gradient by the pose are adjoint", "[project][pose]") {
  Context ctx = make_context();
  const Problem p(2051, true);
  const Tangents t = pose_tangents(ctx, p, kSomeTangent);
  const auto g = pose_numbers(gradient_of(p, pose_sums(ctx, p)));
  const auto sum = [&](auto&& product) {
    const auto of = [&](const std::vector<float>& a, const std::vector<float>& b) {
      double total = 0;
      for (std::size_t i = 0; i < a.size(); ++i) total += product(double{a[i]} * double{b[i]});
      return total;
    };
    return of(t.mean_px, p.up_mean) + of(t.conic, p.up_conic) + of(t.amplitude, p.up_amplitude);
  };
  const double through_outputs = sum([](double x) { return x; }), size = sum([](double x) { return std::abs(x); });
  CHECK(std::abs(inner_product(g, pose_numbers(kSomeTangent)) - through_outputs) / size < 3e-6);
}

TEST_CASE("project: Gaussians at and behind the source have no part in the pose's gradient", "[project][pose]") {
  Context ctx = make_context();
  const std::size_t n = 300;
  Problem p(n, true);
  Problem without = p;
  const Vec3d normal = detector_frame(p.pose).normal;
  for (const std::size_t i : {0, 7, 255, 299}) {
    p.cloud.place(i, i == 0 ? p.pose.source_mm : p.pose.source_mm - normal * double(i));
    p.up_mean[2 * i] = p.up_conic[3 * i] = p.up_amplitude[i] = NAN;
    for (std::size_t k = 0; k < 2; ++k) without.up_mean[2 * i + k] = 0;
    for (std::size_t k = 0; k < 3; ++k) without.up_conic[3 * i + k] = 0;
    without.up_amplitude[i] = 0;
  }
  CHECK(relative_l2(pose_sums(ctx, p), pose_sums(ctx, without)) < 1e-6);
  const Tangents t = pose_tangents(ctx, p, kSomeTangent);
  for (const std::size_t i : {0, 7, 255, 299}) {
    for (std::size_t k = 0; k < 2; ++k) CHECK(t.mean_px[2 * i + k] == 0);
    for (std::size_t k = 0; k < 3; ++k) CHECK(t.conic[3 * i + k] == 0);
    CHECK(t.amplitude[i] == 0);
  }
  CHECK(pose_sums(ctx, Problem(0, true)) == std::vector<float>(kPoseSums, 0.0f));
  CHECK(pose_tangents(ctx, Problem(0, true), kSomeTangent).mean_px.empty());
}

TEST_CASE("project: the pose's gradient has the same bits for any number of threads and every time",
          "[project][pose]") {
  Context one = make_context(1);
  const Problem p(5003, true);
  const auto sums = pose_sums(one, p);
  const Tangents t = pose_tangents(one, p, kSomeTangent);
  for (const int threads : {1, 2, 3}) {
    Context ctx = make_context(threads);
    CHECK(pose_sums(ctx, p) == sums);
    CHECK(pose_tangents(ctx, p, kSomeTangent).conic == t.conic);
  }
}

TEST_CASE("project: wrong sizes, detectors, bounds, poses and tangents are refused by the pose's operators",
          "[project][pose]") {
  Context ctx = make_context();
  const Problem p(2, false);
  const OnDevice device(ctx, p);
  const ProjectInput good = device.input;
  Buffer<float> sums(ctx, kPoseSums), mean(ctx, 4), conic(ctx, 6), amplitude(ctx, 2);
  PoseScratch scratch;
  const ProjectTangent out{mean, conic, amplitude};
  CHECK_NOTHROW(project_pose_backward(ctx, good, device.upstream(), scratch, sums));
  CHECK_NOTHROW(project_pose_forward(ctx, good, kSomeTangent, out));
  const auto refused = [&](auto&& change) {
    ProjectInput in = good;
    change(in);
    CHECK_THROWS_AS(project_pose_backward(ctx, in, device.upstream(), scratch, sums), InvalidArgument);
    CHECK_THROWS_AS(project_pose_forward(ctx, in, kSomeTangent, out), InvalidArgument);
  };
  refused([](ProjectInput& in) { in.density = in.density.subview(0, 1); });
  refused([](ProjectInput& in) { in.gaussians.position_mm = in.gaussians.position_mm.subview(0, 5); });
  refused([](ProjectInput& in) { in.gaussians.raw_scale = in.gaussians.raw_scale.subview(0, 5); });
  refused([](ProjectInput& in) { in.gaussians.rotation = in.gaussians.rotation.subview(0, 7); });
  for (const ScaleBounds bounds : kBadBounds) refused([&](ProjectInput& in) { in.gaussians.bounds = bounds; });
  const auto view_refused = [&](auto&& change) {
    refused(change);
    ProjectInput in = good;
    change(in);
    CHECK_THROWS_AS(pose_gradient(in.pose, in.detector, std::array<float, kPoseSums>{}), InvalidArgument);
  };
  view_refused([](ProjectInput& in) { in.detector.width_px = 0; });
  view_refused([](ProjectInput& in) { in.detector.pitch_u_mm = 0; });
  view_refused([](ProjectInput& in) { in.pose.detector_v = in.pose.detector_u; });
  view_refused([](ProjectInput& in) { in.pose.source_mm = in.pose.detector_center_mm; });
  view_refused([](ProjectInput& in) { in.pose.source_mm.x = NAN; });

  const auto upstream_refused = [&](auto&& change) {
    ProjectUpstream upstream = device.upstream();
    change(upstream);
    CHECK_THROWS_AS(project_pose_backward(ctx, good, upstream, scratch, sums), InvalidArgument);
  };
  upstream_refused([](ProjectUpstream& u) { u.mean_px = u.mean_px.subview(0, 3); });
  upstream_refused([](ProjectUpstream& u) { u.conic = u.conic.subview(0, 5); });
  upstream_refused([](ProjectUpstream& u) { u.amplitude = u.amplitude.subview(0, 1); });
  CHECK_THROWS_WITH(project_pose_backward(ctx, good, device.upstream(), scratch, sums.view().subview(0, 13)),
                    "project_pose_backward: sums: expected 14 elements, found 13");

  const auto output_refused = [&](auto&& change) {
    ProjectTangent short_one = out;
    change(short_one);
    CHECK_THROWS_AS(project_pose_forward(ctx, good, kSomeTangent, short_one), InvalidArgument);
  };
  output_refused([](ProjectTangent& t) { t.mean_px = t.mean_px.subview(0, 3); });
  output_refused([](ProjectTangent& t) { t.conic = t.conic.subview(0, 5); });
  output_refused([](ProjectTangent& t) { t.amplitude = t.amplitude.subview(0, 1); });
  for (std::size_t i = 0; i < 12; ++i) {
    auto numbers = pose_numbers(kSomeTangent);
    numbers[i] = i % 2 == 0 ? NAN : INFINITY;
    CHECK_THROWS_AS(project_pose_forward(ctx, good, pose_of<PoseTangent>(numbers), out), InvalidArgument);
  }
}

TEST_CASE("project: derivatives by the pose on CUDA agree with the CPU", "[project][pose][parity]") {
  Context cpu = Context::cpu(1), ctx = make_context();
  for (const std::size_t n : {0, 1, 1027})
    for (const bool footprint : {false, true}) {
      Problem p(n, footprint);
      if (n > 1) p.cloud.place(1, p.pose.source_mm);
      const auto sums = pose_sums(ctx, p), sums_cpu = pose_sums(cpu, p);
      for (std::ptrdiff_t first : {0, 3, 6, 9}) {
        const auto part = [&](const std::vector<float>& v) {
          return std::vector<float>(v.begin() + first, v.begin() + first + 3);
        };
        CHECK(relative_l2(part(sums), part(sums_cpu)) < 5e-5);  // sums of both signs
      }
      for (const int m : {12, 13}) CHECK(std::abs(sums[m] - sums_cpu[m]) < 1e-7 * double(n) + 1e-7);
      const Tangents a = pose_tangents(cpu, p, kSomeTangent), b = pose_tangents(ctx, p, kSomeTangent);
      CHECK(relative_l2(b.mean_px, a.mean_px) < 1e-6);
      CHECK(relative_l2(b.conic, a.conic) < 1e-5);
      CHECK(relative_l2(b.amplitude, a.amplitude) < 1e-5);
    }
}

}  // namespace dsasrgs::test

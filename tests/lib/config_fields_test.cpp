// SPDX-License-Identifier: Apache-2.0
// Every member of the configuration is in the one list of fields: one that is forgotten there would be lost in model
// files and checkpoints without a word.

#include "config_fields.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <set>
#include <utility>

using namespace dsasrgs;

namespace {

/// Converts to whatever a member is.
struct Anything {
  template <class T>
  operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}

/// How many members an aggregate has: with one initialiser more it is ill-formed.
template <class T, std::size_t N = 0>
constexpr std::size_t num_members() {
  if constexpr (takes<T>(std::make_index_sequence<N + 1>{}))
    return num_members<T, N + 1>();
  else
    return N;
}

static_assert(num_members<Decay>() == 2 && num_members<GridConfig>() == 4, "the count itself");
static_assert(num_members<Config>() == 11, "a new section must be counted below");

/// Where the fields that are visited lie.
struct Visited {
  std::set<const void*> at;
  std::size_t count = 0;
  template <class Body>
  void section(const char*, Body&& body) {
    body();
  }
  template <class T>
  void field(const char*, const T& value, Range = {}) {
    at.insert(&value);
    ++count;
  }
  template <class T>
  std::size_t inside(const T& section) const {
    const auto *begin = reinterpret_cast<const std::byte*>(&section), *end = begin + sizeof(T);
    return static_cast<std::size_t>(std::count_if(at.begin(), at.end(), [&](const void* p) {
      const auto* b = static_cast<const std::byte*>(p);
      return b >= begin && b < end;
    }));
  }
};

}  // namespace

TEST_CASE("config: every member of every section is in the list of fields, once", "[config]") {
  const Config c;
  Visited visited;
  visit_fields(c, visited);
  CHECK(visited.at.size() == visited.count);
  CHECK(visited.inside(c.training) == num_members<TrainingConfig>());
  CHECK(visited.inside(c.gaussians) == num_members<GaussianConfig>());
  CHECK(visited.inside(c.field) == num_members<FieldConfig>() - 2 + 2 * num_members<GridConfig>());  // two grids
  CHECK(visited.inside(c.learning_rate) == num_members<LearningRateConfig>());
  CHECK(visited.inside(c.density_control) == num_members<DensityControlConfig>());
  CHECK(visited.inside(c.residual_split) == num_members<ResidualSplitConfig>());
  CHECK(visited.inside(c.residual_births) == num_members<ResidualBirthsConfig>());
  CHECK(visited.inside(c.nuisance) == num_members<NuisanceConfig>());
  CHECK(visited.inside(c.geometry) == num_members<GeometryConfig>());
  CHECK(visited.inside(c.super_resolution) == num_members<SuperResolutionConfig>());
  CHECK(visited.inside(c.preset) == 1);
}

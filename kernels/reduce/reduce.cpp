#include "reduce/reduce.hpp"

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "reduce/reduce_cpu.hpp"
#include "reduce/reduce_cuda.hpp"

namespace dsasrgs {

ImageStatistics image_statistics(Context& ctx, View<const float> rendered, View<const float> reference,
                                 View<const std::uint8_t> valid) {
  constexpr const char* op = "image_statistics";
  require_size(op, "reference", rendered.size(), reference.size());
  if (!valid.empty()) require_size(op, "valid", rendered.size(), valid.size());
  if (rendered.empty()) return {};
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::image_statistics(ctx, rendered, reference, valid);
  return cpu::image_statistics(ctx, rendered, reference, valid);
}

}  // namespace dsasrgs

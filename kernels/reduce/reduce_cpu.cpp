#include "reduce/reduce_cpu.hpp"

#include <vector>

#include "common/parallel.hpp"
#include "reduce/reduce_math.hpp"

namespace dsasrgs::cpu {

ImageStatistics image_statistics(const Context& ctx, View<const float> rendered, View<const float> reference,
                                 View<const std::uint8_t> valid) {
  constexpr std::size_t kBlock = 16384;
  const std::size_t n = rendered.size();
  std::vector<ImageStatistics> partial((n + kBlock - 1) / kBlock);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    ImageStatistics s;
    for (std::size_t i = begin; i < end; ++i)
      if (valid.empty() || valid[i] != 0) add_pixel(rendered[i], reference[i], s);
    partial[begin / kBlock] = s;
  });
  ImageStatistics sum;
  for (const ImageStatistics& s : partial) add_statistics(s, sum);
  return sum;
}

}  // namespace dsasrgs::cpu

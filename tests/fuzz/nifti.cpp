// SPDX-License-Identifier: Apache-2.0
// NIfTI files: the input as it is, and as what a gzip file holds.
#include "nifti.hpp"

#include <zlib.h>

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read_volume("v.nii", fuzz::text_of(data, size));
  std::string packed(compressBound(size) + 64, '\0');
  z_stream stream{};
  fuzz::require(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "no zlib");
  stream.next_in = const_cast<std::uint8_t*>(data);
  stream.avail_in = static_cast<unsigned>(size);
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<unsigned>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  fuzz::read_volume("v.nii.gz", packed);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers of VTK's XML files.

#include <string>
#include <string_view>
#include <vector>

#include "files/number_array.hpp"

namespace dsasrgs {

/// How a file stores binary data.
struct VtpEncoding {
  bool big_endian = false, wide_header = false, compressed = false;
  int header_bytes() const { return wide_header ? 8 : 4; }
};

/// The bytes that `text` holds: a header of sizes, then the data, in base64 or as they are; `text` may go on behind
/// them. At most `most` bytes. Throws BadInput with `file` and `field`.
std::string vtp_bytes(const std::string& file, const std::string& field, std::string_view text, const VtpEncoding&,
                      bool base64, std::size_t most);

}  // namespace dsasrgs

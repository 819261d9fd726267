// SPDX-License-Identifier: Apache-2.0
// The format: https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html
#include "simulate/vtp_data.hpp"

#include <zlib.h>

#include <algorithm>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

namespace {

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// Reads bytes, from base64 or as they are. VTK pads the header of compressed data by itself, so that base64 begins
/// anew behind it.
class VtpSource {
 public:
  VtpSource(std::string file, std::string field, std::string_view text, bool base64)
      : file_(std::move(file)), field_(std::move(field)), text_(text), base64_(base64) {}

  std::string take(std::size_t bytes) {
    if (!base64_) {
      if (bytes > text_.size()) fail(std::to_string(bytes) + " bytes", std::to_string(text_.size()));
      std::string taken(text_.substr(0, bytes));
      text_.remove_prefix(bytes);
      return taken;
    }
    if (bytes > text_.size() + ready_.size()) fail(std::to_string(bytes) + " bytes", "fewer");
    while (ready_.size() < bytes) decode_four();
    std::string taken = ready_.substr(0, bytes);
    ready_.erase(0, bytes);
    return taken;
  }
  [[noreturn]] void fail(std::string_view expected, std::string_view found) const {
    throw BadInput(file_, field_, expected, found);
  }

 private:
  void decode_four() {
    constexpr std::size_t kPiece = 3 << 14;
    std::string piece;
    while (piece.size() < kPiece) {
      if (text_.size() < 4) break;
      const std::string_view four = text_.substr(0, 4);
      const int padding = four[3] != '=' ? 0 : four[2] != '=' ? 1 : 2;
      unsigned word = 0;
      for (int i = 0; i < 4; ++i) {
        const int digit = i < 4 - padding ? base64_digit(four[static_cast<std::size_t>(i)]) : 0;
        if (digit < 0) return finish(piece, "base64", "another character");
        word = word << 6 | static_cast<unsigned>(digit);
      }
      text_.remove_prefix(4);
      for (int i = 0; i < 3 - padding; ++i) piece.push_back(static_cast<char>(word >> (16 - 8 * i) & 0xFF));
      if (padding > 0) break;
    }
    finish(piece, "more base64", "its end");
  }
  void finish(const std::string& piece, std::string_view expected, std::string_view found) {
    if (piece.empty()) fail(expected, found);
    ready_ += piece;
  }

  std::string file_, field_;
  std::string_view text_;
  bool base64_;
  std::string ready_;  ///< decoded, not yet taken
};

std::size_t header_number(const std::string& bytes, std::size_t i, const VtpEncoding& encoding) {
  const auto width = static_cast<std::size_t>(encoding.header_bytes());
  std::size_t number = 0;
  for (std::size_t k = 0; k < width; ++k) {
    const std::size_t at = i * width + (encoding.big_endian ? k : width - 1 - k);
    number = number << 8 | static_cast<unsigned char>(bytes[at]);
  }
  return number;
}

void inflate_block(const VtpSource& source, const std::string& packed, std::size_t bytes, std::string& data) {
  const std::size_t begin = data.size();
  if (bytes / kMaxDeflateRatio > packed.size())
    source.fail("no more than zlib can hold", std::to_string(bytes) + " bytes");
  data.resize(begin + bytes);
  uLongf length = bytes;
  const int result = uncompress(reinterpret_cast<Bytef*>(data.data() + begin), &length,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (result == Z_MEM_ERROR) throw_out_of_host_memory();
  if (result != Z_OK || length != bytes) source.fail("whole zlib data", "damage");
}

}  // namespace

std::string vtp_bytes(const std::string& file, const std::string& field, std::string_view text,
                      const VtpEncoding& encoding, bool base64, std::size_t most) {
  VtpSource source(file, field, text, base64);
  const auto width = static_cast<std::size_t>(encoding.header_bytes());
  const std::string first = source.take(width);
  const std::size_t number = header_number(first, 0, encoding);
  if (!encoding.compressed) {
    if (number > most) source.fail("at most " + std::to_string(most) + " bytes", std::to_string(number));
    return source.take(number);
  }
  // Blocks, bytes of each, bytes of the last if it is shorter; then how many each takes.
  if (number > text.size() / width) source.fail("as many blocks as there is room for", std::to_string(number));
  const std::string sizes = source.take(width * 2 + width * number);
  const std::size_t block = header_number(sizes, 0, encoding), last = header_number(sizes, 1, encoding);
  std::string data;
  for (std::size_t i = 0; i < number; ++i) {
    const std::size_t bytes = i + 1 == number && last != 0 ? last : block;
    if (bytes > most - data.size()) source.fail("at most " + std::to_string(most) + " bytes", "more");
    inflate_block(source, source.take(header_number(sizes, 2 + i, encoding)), bytes, data);
  }
  return data;
}

}  // namespace dsasrgs

// SPDX-License-Identifier: Apache-2.0
#include "files/byte_stream.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/file_suffix.hpp"
#include "files/read_error.hpp"

namespace dsasrgs {

namespace {

/// zlib counts bytes in int and unsigned.
constexpr std::size_t kMaxPiece = std::size_t{1} << 28;

bool is_gzip_name(const std::filesystem::path& path) { return has_suffix(path, ".gz"); }

[[noreturn]] void refuse_to_read(const std::string& name, int code) {
  if (code == ENOMEM) throw_out_of_host_memory();
  throw_read_error(name, code);
}

}  // namespace

ByteReader::ByteReader(const std::filesystem::path& path) : name_(path.string()) {
  require_regular_file(path);
  std::error_code code;
  max_size_ = std::filesystem::file_size(path, code);
  if (code) refuse_to_read(name_, code.value());
  if (is_gzip_name(path)) max_size_ *= kMaxDeflateRatio;
  errno = 0;
  if (!is_gzip_name(path)) {
    plain_.open(path, std::ios::binary);
    if (!plain_) refuse_to_read(name_, errno);
    return;
  }
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) refuse_to_read(name_, errno == 0 ? ENOMEM : errno);  // zlib says so by silence
  gzbuffer(file, 1 << 18);
  if (gzdirect(file) != 0) {
    int reason = Z_OK;
    gzerror(file, &reason);
    gzclose(file);
    if (reason == Z_MEM_ERROR) throw_out_of_host_memory();
    throw BadInput(name_, "file", "gzip data, as the name says", "something else");
  }
  compressed_ = file;
}

ByteReader::~ByteReader() {
  if (compressed_ != nullptr) gzclose(static_cast<gzFile>(compressed_));
}

std::size_t ByteReader::read(void* destination, std::size_t bytes) {
  if (compressed_ != nullptr) return read_compressed(static_cast<char*>(destination), bytes);
  errno = 0;
  plain_.read(static_cast<char*>(destination), static_cast<std::streamsize>(bytes));
  if (plain_.bad()) refuse_to_read(name_, errno);
  return static_cast<std::size_t>(plain_.gcount());
}

void ByteReader::skip(std::size_t bytes) {
  std::array<char, 1 << 16> block;
  while (bytes > 0) {
    const std::size_t piece = std::min(bytes, block.size());
    if (read(block.data(), piece) < piece) return;
    bytes -= piece;
  }
}

std::size_t ByteReader::read_compressed(char* destination, std::size_t bytes) {
  const gzFile file = static_cast<gzFile>(compressed_);
  std::size_t done = 0;
  while (done < bytes) {
    const int count = gzread(file, destination + done, static_cast<unsigned>(std::min(bytes - done, kMaxPiece)));
    int code = Z_OK;
    const char* message = gzerror(file, &code);
    if (code == Z_ERRNO) throw_read_error(name_, errno);
    if (code == Z_MEM_ERROR) throw_out_of_host_memory();
    if (count < 0 || (code != Z_OK && code != Z_STREAM_END))
      throw BadInput(name_, "file", "whole gzip data", std::string("damage (") + message + ")");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

struct ByteWriter::Deflater {
  z_stream stream{};
  std::vector<unsigned char> output = std::vector<unsigned char>(1 << 18);

  Deflater() {
    constexpr int kGzipFormat = 16;  // zlib: added to the window bits
    // Level 3: float voxels hardly shrink further at the default 6, which takes about twice as long.
    if (deflateInit2(&stream, 3, Z_DEFLATED, MAX_WBITS + kGzipFormat, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw_out_of_host_memory();
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void run(const void* data, std::size_t bytes, int flush, AtomicFile& file) {
    stream.next_in = static_cast<unsigned char*>(const_cast<void*>(data));  // zlib's API lacks the const
    stream.avail_in = static_cast<unsigned>(bytes);
    do {
      stream.next_out = output.data();
      stream.avail_out = static_cast<unsigned>(output.size());
      deflate(&stream, flush);
      file.write(output.data(), output.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
};

ByteWriter::ByteWriter(const std::filesystem::path& path)
    : target_(path), deflater_(is_gzip_name(path) ? std::make_unique<Deflater>() : nullptr) {}

ByteWriter::~ByteWriter() = default;

void ByteWriter::write(const void* data, std::size_t bytes) {
  if (!deflater_) return target_.write(data, bytes);
  const char* next = static_cast<const char*>(data);
  for (std::size_t done = 0; done < bytes; done += std::min(bytes - done, kMaxPiece))
    deflater_->run(next + done, std::min(bytes - done, kMaxPiece), Z_NO_FLUSH, target_);
}

void ByteWriter::commit() {
  if (deflater_) deflater_->run(nullptr, 0, Z_FINISH, target_);
  target_.commit();
}

}  // namespace dsasrgs

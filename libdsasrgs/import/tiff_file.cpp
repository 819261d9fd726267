// SPDX-License-Identifier: Apache-2.0
#include "import/tiff_file.hpp"

#include <string>

#include "dsasrgs/error.hpp"
#include "import/file_servers.hpp"

#if DSASRGS_HAS_TIFF
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/file_reading.hpp"
#include "files/byte_stream.hpp"
#include "files/input_file.hpp"
#include "files/reading_dialogue.hpp"
#endif

namespace dsasrgs {

#if DSASRGS_HAS_TIFF

namespace {

constexpr std::uint64_t kMostTiffPixels = std::uint64_t{1} << 28;

/// The file's bytes, and where libtiff is in them.
struct TiffBytes {
  std::vector<char> bytes;
  std::uint64_t at = 0;
  std::string complaint;  ///< the first error, in libtiff's words
  std::string guess;      ///< the first warning that it does not believe how long the parts are said to be
};

tmsize_t read_piece(thandle_t handle, void* to, tmsize_t count) {
  auto* file = static_cast<TiffBytes*>(handle);
  if (count <= 0 || file->at >= file->bytes.size()) return 0;
  const std::uint64_t piece = std::min<std::uint64_t>(static_cast<std::uint64_t>(count), file->bytes.size() - file->at);
  std::memcpy(to, file->bytes.data() + file->at, piece);
  file->at += piece;
  return static_cast<tmsize_t>(piece);
}

toff_t seek_to(thandle_t handle, toff_t offset, int whence) {
  auto* file = static_cast<TiffBytes*>(handle);
  const std::uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->at : file->bytes.size();
  file->at = from + offset;
  return file->at;
}

/// libtiff's handlers take the arguments of printf.
int keep_complaint(TIFF* /*tiff*/, void* data, const char* /*module*/, const char* format, va_list arguments) {
  auto* file = static_cast<TiffBytes*>(data);
  if (!file->complaint.empty()) return 1;
  char text[200];
  std::vsnprintf(text, sizeof text, format, arguments);
  file->complaint = text;
  return 1;
}
/// Of all warnings one matters: parts whose lengths are too small are read with lengths that libtiff makes up. That
/// there are none is common in old files.
int keep_guess(TIFF* /*tiff*/, void* data, const char* /*module*/, const char* format, va_list arguments) {
  char text[200];
  std::vsnprintf(text, sizeof text, format, arguments);
  const std::string_view said(text);
  auto* file = static_cast<TiffBytes*>(data);
  if (file->guess.empty() && said.find("ByteCounts\"") != said.npos && said.find("missing") == said.npos)
    file->guess = text;
  return 1;
}

struct OpenTiff {
  TiffBytes file;
  std::unique_ptr<TIFF, decltype(&TIFFClose)> tiff{nullptr, &TIFFClose};

  OpenTiff(const std::string& name, std::vector<char> bytes) {
    file.bytes = std::move(bytes);
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   &TIFFOpenOptionsFree);
    if (!options) throw_out_of_host_memory();
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_complaint, &file);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_guess, &file);
    // No table and no compressed part of a sound file is larger than the file; decoders have tables of their own.
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(),
                                        static_cast<tmsize_t>(file.bytes.size() + (std::size_t{1} << 24)));
    tiff.reset(TIFFClientOpenExt(
        name.c_str(), "rm", &file, read_piece, [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; }, seek_to,
        [](thandle_t) { return 0; }, [](thandle_t h) -> toff_t { return static_cast<TiffBytes*>(h)->bytes.size(); },
        nullptr, nullptr, options.get()));
    if (!tiff) throw BadInput(name, "file", "a TIFF file", file.complaint.empty() ? "something else" : file.complaint);
  }

  bool has(ttag_t tag) const {
    std::uint16_t value = 0;
    return TIFFGetField(tiff.get(), tag, &value) != 0;
  }

  std::uint32_t field(ttag_t tag, bool is_long) const {
    std::uint32_t wide = 0;
    std::uint16_t narrow = 0;
    if (is_long) return TIFFGetFieldDefaulted(tiff.get(), tag, &wide) != 0 ? wide : 0;
    return TIFFGetFieldDefaulted(tiff.get(), tag, &narrow) != 0 ? narrow : 0;
  }
};

struct TiffPixels {
  std::uint32_t width = 0, height = 0;
  std::uint32_t bits = 0;
  bool is_float = false, inverted = false;
};

/// What would be read as another picture than the file's.
void require_one_upright_picture(const std::string& name, const OpenTiff& open) {
  if (const tdir_t pages = TIFFNumberOfDirectories(open.tiff.get()); pages != 1)
    throw BadInput(name, "pages", "1, a file for each picture", std::to_string(pages));
  if (const std::uint32_t orientation = open.field(TIFFTAG_ORIENTATION, false); orientation != ORIENTATION_TOPLEFT)
    throw BadInput(name, "orientation", "1: rows from the top, columns from the left", std::to_string(orientation));
  if (!open.has(TIFFTAG_PHOTOMETRIC))
    throw BadInput(name, "photometric interpretation", "0 or 1: whether 0 is white or black", "no such tag");
}

/// The photometric interpretation as the directory has it: libtiff makes grey of a palette whose colours are not there.
std::uint64_t stored_photometric(const OpenTiff& open) {
  const std::vector<char>& bytes = open.file.bytes;
  TIFF* const tiff = open.tiff.get();
  const bool is_big = TIFFIsBigTIFF(tiff) != 0;
  const auto number = [&](std::uint64_t at, std::size_t size) {
    std::array<char, sizeof(std::uint64_t)> part{};
    if (at > bytes.size() || size > bytes.size() - at) return std::uint64_t{0};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, part.begin());
    // The file's order, as the lowest byte first.
    if (TIFFIsBigEndian(tiff) != 0) std::reverse(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(part[i]);
    return value;
  };
  const std::size_t count_bytes = is_big ? 8 : 2, entry_bytes = is_big ? 20 : 12, value_at = is_big ? 12 : 8;
  const std::uint64_t begin = TIFFCurrentDirOffset(tiff), count = number(begin, count_bytes);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, bytes.size() / entry_bytes); ++i) {
    const std::uint64_t entry = begin + count_bytes + i * entry_bytes, type = number(entry + 2, 2);
    if (number(entry, 2) != TIFFTAG_PHOTOMETRIC) continue;
    return number(entry + value_at, type == TIFF_BYTE ? 1 : type == TIFF_SHORT ? 2 : type == TIFF_LONG ? 4 : 8);
  }
  return open.field(TIFFTAG_PHOTOMETRIC, false);
}

TiffPixels checked_pixels(const std::string& name, const OpenTiff& open) {
  TiffPixels p;
  p.width = open.field(TIFFTAG_IMAGEWIDTH, true);
  p.height = open.field(TIFFTAG_IMAGELENGTH, true);
  p.bits = open.field(TIFFTAG_BITSPERSAMPLE, false);
  const std::uint32_t samples = open.field(TIFFTAG_SAMPLESPERPIXEL, false);
  const std::uint32_t format = open.field(TIFFTAG_SAMPLEFORMAT, false);
  const std::uint32_t photometric = open.field(TIFFTAG_PHOTOMETRIC, false);
  require_one_upright_picture(name, open);
  if (p.width < 1 || p.height < 1 || std::uint64_t{p.width} * p.height > kMostTiffPixels)
    throw BadInput(name, "size", "1 to 2^28 pixels", std::to_string(p.width) + " x " + std::to_string(p.height));
  if (samples != 1) throw BadInput(name, "samples per pixel", "1", std::to_string(samples));
  for (const std::uint64_t told : {std::uint64_t{photometric}, stored_photometric(open)})
    if (told != PHOTOMETRIC_MINISBLACK && told != PHOTOMETRIC_MINISWHITE)
      throw BadInput(name, "photometric interpretation", "0 or 1: greyscale",
                     std::to_string(told) + (told == PHOTOMETRIC_PALETTE ? ", a palette of colours" : ""));
  p.is_float = format == SAMPLEFORMAT_IEEEFP;
  const bool known = p.is_float ? p.bits == 32 : format == SAMPLEFORMAT_UINT && (p.bits == 8 || p.bits == 16);
  if (!known)
    throw BadInput(name, "bits per sample", "8 or 16 without sign, or 32 of a float",
                   std::to_string(p.bits) + " of sample format " + std::to_string(format));
  if (photometric == PHOTOMETRIC_MINISWHITE && p.is_float)
    throw BadInput(name, "photometric interpretation", "1: a float's 0 is black", "0");
  p.inverted = photometric == PHOTOMETRIC_MINISWHITE;
  if (!open.file.guess.empty())
    throw BadInput(name, "pixels", "parts as long as the file says", "others (" + open.file.guess + ")");
  return p;
}

void take_pixels(const std::string& name, const TiffPixels& p, const std::uint8_t* stored, std::size_t count,
                 float* out) {
  const auto most = static_cast<float>((1U << std::min(p.bits, 16U)) - 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (p.bits == 8) {
      out[i] = stored[i];
    } else if (p.bits == 16) {
      std::uint16_t value = 0;
      std::memcpy(&value, stored + 2 * i, sizeof value);
      out[i] = value;
    } else {
      std::memcpy(out + i, stored + 4 * i, sizeof(float));
      if (!std::isfinite(out[i])) throw BadInput(name, "pixels", "finite numbers", plain_number(out[i]));
    }
    if (p.inverted) out[i] = most - out[i];
  }
}

/// Row by row, or tile by tile; libtiff has swapped the bytes.
void read_pixels(const std::string& name, const OpenTiff& open, const TiffPixels& p, std::vector<float>& values) {
  TIFF* tiff = open.tiff.get();
  const auto fail = [&] {
    throw BadInput(name, "pixels", "those of a whole TIFF file",
                   open.file.complaint.empty() ? "damage" : "damage (" + open.file.complaint + ")");
  };
  const std::size_t width = p.width, bytes_of_pixel = p.bits / 8;
  if (TIFFIsTiled(tiff) == 0) {
    const tmsize_t row_bytes = TIFFScanlineSize(tiff);
    if (row_bytes < static_cast<tmsize_t>(width * bytes_of_pixel)) fail();
    HostVector<std::uint8_t> row(static_cast<std::size_t>(row_bytes));
    for (std::uint32_t r = 0; r < p.height; ++r) {
      if (TIFFReadScanline(tiff, row.data(), r, 0) != 1) fail();
      values.resize((r + std::size_t{1}) * width);
      take_pixels(name, p, row.data(), width, values.data() + r * width);
    }
    return;
  }
  const std::uint32_t tile_width = open.field(TIFFTAG_TILEWIDTH, true),
                      tile_height = open.field(TIFFTAG_TILELENGTH, true);
  const tmsize_t tile_bytes = TIFFTileSize(tiff);
  if (tile_width < 1 || tile_height < 1 || tile_bytes < 1 ||
      static_cast<std::uint64_t>(tile_bytes) < std::uint64_t{tile_width} * tile_height * bytes_of_pixel ||
      static_cast<std::uint64_t>(tile_bytes) / kMaxDeflateRatio > open.file.bytes.size())
    fail();
  HostVector<std::uint8_t> tile(static_cast<std::size_t>(tile_bytes));
  values.resize(width * p.height);
  for (std::uint32_t y = 0; y < p.height; y += std::min(tile_height, p.height - y))
    for (std::uint32_t x = 0; x < p.width; x += std::min(tile_width, p.width - x)) {
      if (TIFFReadTile(tiff, tile.data(), x, y, 0, 0) < 0) fail();
      for (std::uint32_t r = 0; r < std::min(tile_height, p.height - y); ++r)
        take_pixels(name, p, tile.data() + std::size_t{r} * tile_width * bytes_of_pixel,
                    std::min(tile_width, p.width - x), values.data() + (std::size_t{y} + r) * width + x);
    }
}

/// Reads the file that can be opened as `path` in this process. `name` stands in messages; `begin` is called once width
/// and height are known and can be in the file.
Image read_tiff_here(const std::filesystem::path& path, const std::string& name,
                     const std::function<void(const Image&)>& begin) {
  ByteReader file(path);
  std::vector<char> bytes = host_vector<char>(file.max_size());
  bytes.resize(file.read(bytes.data(), bytes.size()));
  const std::size_t size = bytes.size();
  const OpenTiff open(name, std::move(bytes));
  const TiffPixels pixels = checked_pixels(name, open);
  // Every compression of libtiff's that could do better than deflate is for pictures of one bit.
  if (std::uint64_t{pixels.width} * pixels.height / kMaxDeflateRatio > size)
    throw BadInput(name, "size", "no more than " + std::to_string(size) + " bytes can hold",
                   std::to_string(pixels.width) + " x " + std::to_string(pixels.height));
  Image image{static_cast<int>(pixels.width), static_cast<int>(pixels.height), {}};
  begin(image);
  with_host_memory(num_elements(image.width_px, image.height_px) * sizeof(float),
                   [&] { read_pixels(name, open, pixels, image.values); });
  return image;
}

/// What `command`, started for the file, reads of it.
Image read_tiff_through(const std::vector<std::string>& command, const InputFile& file, const std::string& name) try {
  ReadingDialogue dialogue(command, file, name, {"the TIFF library", "a TIFF file"});
  Request request;
  request.question = Question::tiff;
  request.object_bytes = static_cast<std::uint32_t>(name.size());
  dialogue.ask(std::string(reinterpret_cast<const char*>(&request), sizeof request) + name, "file", 0);
  Image image;
  const std::string head = dialogue.answer(kMaxFactsBytes);
  MessageReader reader(head);
  reader(image.width_px, image.height_px);
  if (!reader.complete() || image.width_px < 1 || image.height_px < 1 ||
      std::uint64_t{static_cast<std::uint32_t>(image.width_px)} * static_cast<std::uint32_t>(image.height_px) >
          std::min(kMostTiffPixels, (std::uint64_t{file.size()} + 1) * kMaxDeflateRatio))
    dialogue.fail("an answer that is none");
  const std::size_t pixels = num_elements(image.width_px, image.height_px);
  dialogue.allow(pixels * sizeof(float));
  image.values = host_vector<float>(pixels);
  dialogue.read_values(std::as_writable_bytes(std::span(image.values)));
  if (!std::all_of(image.values.begin(), image.values.end(), [](float value) { return std::isfinite(value); }))
    dialogue.fail("an answer that is none");
  return image;
} catch (const ReadingRefusal& refusal) {
  throw_refusal(name, refusal);
}

}  // namespace

Image read_tiff(const std::filesystem::path& path) try {
  const InputFile file(path);
  const std::vector<std::string> command = file_reading_command();
  return command.empty() ? read_tiff_here(path, path.string(), [](const Image&) {})
                         : read_tiff_through(command, file, path.string());
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void serve_tiff(const ServedFile& served, std::string_view message) {
  const std::string name(message);
  // The file, and as much as libtiff may take at once.
  const std::size_t working = 3 * served.bytes;
  limit_memory(working);
  limit_descriptors(1);
  limit_processor_time(served.bytes >> 20);
  answer_or_refuse(name, "file", [&] {
    Image image = read_tiff_here(served.path, name, [&](const Image& begun) {
      constexpr std::size_t kBytesOfPixel = 16;  // values as they grow, a tile
      const std::size_t pixels = num_elements(begun.width_px, begun.height_px);
      limit_memory(working + kBytesOfPixel * pixels);
      limit_processor_time((served.bytes + pixels) >> 20);
      MessageWriter head;
      head(begun.width_px, begun.height_px);
      send_answer(head.bytes);
    });
    send_answer(Answer::Kind::answer, image.values.data(), image.values.size() * sizeof(float));
  });
}

#else

Image read_tiff(const std::filesystem::path& path) {
  throw BackendUnavailable(path.string() +
                           ": TIFF: expected a build with libtiff, found one without (Debian: libtiff-dev)");
}

void serve_tiff(const ServedFile&, std::string_view) {}  // this build asks no such thing

#endif

}  // namespace dsasrgs

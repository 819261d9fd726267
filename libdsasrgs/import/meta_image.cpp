// SPDX-License-Identifier: Apache-2.0
// The format: https://itk.org/Wiki/ITK/MetaIO/Documentation
#include "import/meta_image.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/byte_stream.hpp"
#include "files/text_lines.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostMetaHeader = 1 << 20, kAxes = 3;

/// "Key = value" lines, up to ElementDataFile, which is the last.
class MetaHeader {
 public:
  explicit MetaHeader(ByteReader& file) : name_(file.name()) {
    std::string line;
    for (std::size_t size = 0; size < kMostMetaHeader; ++size) {
      char byte = 0;
      if (file.read(&byte, 1) != 1) throw BadInput(name_, "ElementDataFile", "that line last", "none");
      if (byte != '\n') {
        line.push_back(byte);
        continue;
      }
      const std::size_t equal = line.find('=');
      if (equal == std::string::npos) throw BadInput(name_, "header", "lines Key = value", line.substr(0, 40));
      const std::string key = trimmed(line.substr(0, equal));
      if (!values_.emplace(key, trimmed(line.substr(equal + 1))).second) refuse(key, "one line", "two");
      line.clear();
      header_bytes_ = size + 1;
      if (key == "ElementDataFile") return;
    }
    throw BadInput(name_, "header", "at most 2^20 bytes", "more");
  }

  std::size_t header_bytes() const { return header_bytes_; }
  bool has(const std::string& key) const { return values_.count(key) != 0; }
  std::string text(const std::string& key, const std::string& otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }
  bool flag(const std::string& key) const {
    const std::string value = text(key, "False");
    return !value.empty() && (value[0] == 'T' || value[0] == 't' || value[0] == '1');
  }
  /// Of the keys, which mean the same, that which is there; of several the numbers must be the same.
  std::vector<double> numbers(const std::vector<std::string>& keys, const std::vector<double>& otherwise) const {
    std::vector<double> found;
    std::string before;
    for (const std::string& key : keys) {
      if (!has(key)) continue;
      std::vector<double> numbers;
      const std::string value = text(key, "");
      for (const std::string_view word : words_of(value)) {
        double number = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(number))
          refuse(key, "finite numbers", std::string(word));
        numbers.push_back(number);
      }
      if (numbers.size() != otherwise.size())
        refuse(key, std::to_string(otherwise.size()) + " numbers", std::to_string(numbers.size()));
      if (!found.empty() && numbers != found) refuse(key, "the numbers of " + before, text(key, ""));
      found = numbers;
      before = key;
    }
    return found.empty() ? otherwise : found;
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& expected, const std::string& found) const {
    throw BadInput(name_, key, expected, found.substr(0, 80));
  }

 private:
  static std::string trimmed(const std::string& text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
    return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
  }

  std::string name_;
  std::map<std::string, std::string> values_;
  std::size_t header_bytes_ = 0;
};

NumberType meta_type(const MetaHeader& header) {
  using Kind = NumberType::Kind;
  static const std::map<std::string, NumberType> kTypes{
      {"MET_CHAR", {Kind::integer, 1}},     {"MET_UCHAR", {Kind::whole, 1}}, {"MET_SHORT", {Kind::integer, 2}},
      {"MET_USHORT", {Kind::whole, 2}},     {"MET_INT", {Kind::integer, 4}}, {"MET_UINT", {Kind::whole, 4}},
      {"MET_LONG", {Kind::integer, 4}},     {"MET_ULONG", {Kind::whole, 4}}, {"MET_LONG_LONG", {Kind::integer, 8}},
      {"MET_ULONG_LONG", {Kind::whole, 8}}, {"MET_FLOAT", {Kind::real, 4}},  {"MET_DOUBLE", {Kind::real, 8}}};
  const std::string name = header.text("ElementType", "");
  const auto found = kTypes.find(name);
  if (found == kTypes.end()) header.refuse("ElementType", "a type of numbers such as MET_FLOAT", name);
  NumberType type = found->second;
  type.big_endian = header.flag("BinaryDataByteOrderMSB") || header.flag("ElementByteOrderMSB");
  return type;
}

void check_meta_header(const MetaHeader& header) {
  if (const std::string type = header.text("ObjectType", "Image"); type != "Image")
    header.refuse("ObjectType", "Image", type);
  if (const std::string axes = header.text("NDims", ""); axes != "3") header.refuse("NDims", "3", axes);
  if (const std::string channels = header.text("ElementNumberOfChannels", "1"); channels != "1")
    header.refuse("ElementNumberOfChannels", "1", channels);
  if (!header.flag("BinaryData")) header.refuse("BinaryData", "True", header.text("BinaryData", "none"));
}

MetaImage meta_geometry(const MetaHeader& header) {
  MetaImage meta;
  const std::vector<double> size = header.numbers({"DimSize"}, {0, 0, 0});
  constexpr double kLongestSide = 1 << 20;
  for (std::size_t axis = kAxes; axis-- > 0;) {
    if (!(size[axis] >= 1 && size[axis] <= kLongestSide) || size[axis] != std::floor(size[axis]))
      header.refuse("DimSize", "whole numbers of 1 to 1048576", header.text("DimSize", "none"));
    meta.image.shape.push_back(static_cast<std::size_t>(size[axis]));
  }
  const std::vector<double> spacing = header.numbers({"ElementSpacing"}, header.numbers({"ElementSize"}, {1, 1, 1}));
  const std::vector<double> origin = header.numbers({"Offset", "Origin", "Position"}, {0, 0, 0});
  const std::vector<double> direction =
      header.numbers({"TransformMatrix", "Rotation", "Orientation"}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  for (std::size_t a = 0; a < kAxes; ++a) {
    if (!is_length(spacing[a])) header.refuse("ElementSpacing", "lengths of 1e-6 to 1e9", plain_number(spacing[a]));
    meta.spacing[a] = spacing[a];
    meta.origin[a] = origin[a];
    for (std::size_t i = 0; i < kAxes; ++i) meta.direction[a][i] = direction[kAxes * a + i];
  }
  return meta;
}

/// The numbers' bytes, one piece after the other.
class MetaData {
 public:
  MetaData(ByteReader& file, bool compressed) : file_(file) {
    if (!compressed) return;
    inflater_ = std::make_unique<Inflater>();
  }
  std::size_t read(char* to, std::size_t bytes) {
    if (!inflater_) return file_.read(to, bytes);
    z_stream& stream = inflater_->stream;
    stream.next_out = reinterpret_cast<unsigned char*>(to);
    stream.avail_out = static_cast<unsigned>(bytes);
    while (stream.avail_out > 0 && !inflater_->ended) {
      if (stream.avail_in == 0) {
        stream.next_in = inflater_->input.data();
        stream.avail_in = static_cast<unsigned>(file_.read(inflater_->input.data(), inflater_->input.size()));
        if (stream.avail_in == 0) break;
      }
      const int result = inflate(&stream, Z_NO_FLUSH);
      if (result == Z_MEM_ERROR) throw_out_of_host_memory();
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        throw BadInput(file_.name(), "numbers", "whole zlib data", "damage");
      inflater_->ended = result == Z_STREAM_END;
    }
    return bytes - stream.avail_out;
  }

 private:
  struct Inflater {
    z_stream stream{};
    std::vector<unsigned char> input = std::vector<unsigned char>(1 << 16);
    bool ended = false;
    Inflater() {
      if (inflateInit(&stream) != Z_OK) throw_out_of_host_memory();
    }
    ~Inflater() { inflateEnd(&stream); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
  };

  ByteReader& file_;
  std::unique_ptr<Inflater> inflater_;
};

void read_meta_numbers(ByteReader& file, const MetaHeader& header, std::vector<float>& values, std::size_t count) {
  const NumberType type = meta_type(header);
  const auto bytes = static_cast<std::size_t>(type.bytes);
  const bool compressed = header.flag("CompressedData");
  const std::size_t most = size_product(file.max_size(), compressed ? kMaxDeflateRatio : 1) / bytes;
  if (count > most)  // do not believe sizes that the file cannot hold
    throw BadInput(file.name(), "numbers", std::to_string(count) + ", as DimSize says",
                   "at most " + std::to_string(most));
  MetaData data(file, compressed);
  with_host_memory(count * sizeof(float), [&] {
    if (!compressed) values.reserve(count);
    std::vector<char> block(std::min<std::size_t>(count, 1 << 16) * bytes);
    while (values.size() < count) {
      const std::size_t wanted = std::min((count - values.size()) * bytes, block.size()), first = values.size();
      const std::size_t got = data.read(block.data(), wanted);
      if (got != wanted)
        throw BadInput(file.name(), "numbers", std::to_string(count), std::to_string(first + got / bytes));
      append_numbers(type, block.data(), wanted / bytes, values);
      for (std::size_t i = first; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
          throw BadInput(file.name(), "numbers", "finite ones", plain_number(values[i]) + " at " + std::to_string(i));
    }
  });
}

}  // namespace

MetaImage read_meta_image(const std::filesystem::path& path) try {
  ByteReader file(path);
  const MetaHeader header(file);
  check_meta_header(header);
  MetaImage meta = meta_geometry(header);
  const std::size_t count = num_numbers(meta.image.shape);
  const std::string data_file = header.text("ElementDataFile", "");
  if (data_file == "LOCAL") {
    read_meta_numbers(file, header, meta.image.values, count);
    return meta;
  }
  if (data_file.empty() || data_file == "LIST" || data_file.find('%') != std::string::npos)
    header.refuse("ElementDataFile", "LOCAL or one file", data_file);
  ByteReader data(path.parent_path() / data_file);
  const double skipped = header.numbers({"HeaderSize"}, {0})[0];
  const auto type_bytes = static_cast<std::size_t>(meta_type(header).bytes);
  // −1: whatever stands before as many numbers as there are, at the end of the file.
  if (skipped == -1 && data.max_size() > size_product(count, type_bytes))
    data.skip(data.max_size() - count * type_bytes);
  else if (skipped > 0)
    data.skip(static_cast<std::size_t>(std::min(skipped, static_cast<double>(data.max_size()))));
  read_meta_numbers(data, header, meta.image.values, count);
  return meta;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs

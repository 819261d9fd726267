// SPDX-License-Identifier: Apache-2.0
// VTK's XML files of polylines. The format: https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html
#include "dsasrgs/error.hpp"
#include "simulate/polylines.hpp"

#if DSASRGS_HAS_PUGIXML
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <pugixml.hpp>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "files/byte_stream.hpp"
#include "files/text_lines.hpp"
#include "simulate/vtp_data.hpp"
#endif

namespace dsasrgs {

#if DSASRGS_HAS_PUGIXML

namespace {

NumberType xml_type(std::string_view name, bool big_endian) {
  using Kind = NumberType::Kind;
  static const std::map<std::string_view, NumberType> kTypes{
      {"Int8", {Kind::integer, 1}},  {"UInt8", {Kind::whole, 1}},   {"Int16", {Kind::integer, 2}},
      {"UInt16", {Kind::whole, 2}},  {"Int32", {Kind::integer, 4}}, {"UInt32", {Kind::whole, 4}},
      {"Int64", {Kind::integer, 8}}, {"UInt64", {Kind::whole, 8}},  {"Float32", {Kind::real, 4}},
      {"Float64", {Kind::real, 8}}};
  const auto found = kTypes.find(name);
  NumberType type = found == kTypes.end() ? NumberType{} : found->second;
  type.big_endian = big_endian;
  return type;
}

class VtpReader {
 public:
  VtpReader(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}

  Polylines read() {
    // Appended data may be no XML: what stands before them is read as one document.
    const std::size_t appended = text_.find("<AppendedData");
    std::string xml = text_.substr(0, appended);
    if (appended != std::string::npos) take_appended(appended), xml += "</VTKFile>";
    pugi::xml_document document;
    if (const pugi::xml_parse_result result = document.load_buffer_inplace(xml.data(), xml.size()); !result) {
      if (result.status == pugi::status_out_of_memory) throw_out_of_host_memory();
      fail("byte " + std::to_string(result.offset), "XML", result.description());
    }
    const pugi::xml_node root = document.child("VTKFile");
    if (std::string_view(root.attribute("type").value()) != "PolyData")
      fail("VTKFile", "type=\"PolyData\"", root.attribute("type").value());
    read_encoding(root);
    Polylines p;
    for (const pugi::xml_node& piece : root.child("PolyData").children("Piece")) add_piece(piece, p);
    return p;
  }

 private:
  [[noreturn]] void fail(const std::string& field, std::string_view expected, std::string_view found) const {
    throw BadInput(name_, field, expected, found.empty() ? "none" : found.substr(0, 60));
  }

  void take_appended(std::size_t at) {
    const std::size_t close = text_.find('>', at), underscore = text_.find('_', std::min(close, text_.size()));
    if (close == std::string::npos || underscore == std::string::npos)
      fail("AppendedData", "_ and the data", "the end of the file");
    const std::string_view tag = std::string_view(text_).substr(at, close - at);
    appended_base64_ = tag.find("base64") != std::string_view::npos;
    appended_ = std::string_view(text_).substr(underscore + 1);
  }

  void read_encoding(const pugi::xml_node& root) {
    encoding_.big_endian = std::string_view(root.attribute("byte_order").value()) == "BigEndian";
    encoding_.wide_header = std::string_view(root.attribute("header_type").value()) == "UInt64";
    const std::string_view compressor = root.attribute("compressor").value();
    encoding_.compressed = !compressor.empty();
    if (encoding_.compressed && compressor != "vtkZLibDataCompressor")
      fail("compressor", "none or vtkZLibDataCompressor", compressor);
  }

  std::size_t attribute(const pugi::xml_node& node, const char* name) const {
    const std::string_view text = node.attribute(name).value();
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) fail(name, "a whole number", text);
    return value;
  }

  void add_piece(const pugi::xml_node& piece, Polylines& p) const {
    const std::size_t points = attribute(piece, "NumberOfPoints");
    const std::size_t lines = piece.attribute("NumberOfLines") ? attribute(piece, "NumberOfLines") : 0;
    if (points == 0) return;
    const std::vector<double> coordinates =
        numbers(piece.child("Points").child("DataArray"), "Points", size_product(points, 3));
    std::vector<double> ends, connectivity, radii;
    for (const pugi::xml_node& array : piece.child("Lines").children("DataArray"))
      if (std::string_view(array.attribute("Name").value()) == "offsets") ends = numbers(array, "offsets", lines);
    const std::size_t indices =
        ends.empty() || !(ends.back() >= 0 && ends.back() < 0x1p48) ? 0 : static_cast<std::size_t>(ends.back());
    for (const pugi::xml_node& array : piece.child("Lines").children("DataArray"))
      if (std::string_view(array.attribute("Name").value()) == "connectivity")
        connectivity = numbers(array, "connectivity", indices);
    for (const pugi::xml_node& array : piece.child("PointData").children("DataArray"))
      if (is_radius_name(array.attribute("Name").value()) && radii.empty()) radii = numbers(array, "radii", points);
    add_polylines(name_, coordinates, ends, connectivity, radii, p);
  }

  /// `count` numbers of a DataArray.
  std::vector<double> numbers(const pugi::xml_node& array, const std::string& field, std::size_t count) const {
    const NumberType type = xml_type(array.attribute("type").value(), encoding_.big_endian);
    if (type.kind == NumberType::Kind::none) fail(field, "a DataArray of numbers", array.attribute("type").value());
    const std::string_view format = array.attribute("format").value();
    std::vector<double> values;
    if (format == "ascii") {
      values = text_numbers(array.child_value(), field, count);
    } else {
      const auto bytes = static_cast<std::size_t>(type.bytes);
      const std::string data = format == "appended" ? appended_bytes(array, field, size_product(count, bytes))
                                                    : inline_bytes(array, field, size_product(count, bytes));
      append_numbers(type, data.data(), data.size() / bytes, values);
    }
    if (values.size() != count) fail(field, std::to_string(count) + " numbers", std::to_string(values.size()));
    return values;
  }

  std::vector<double> text_numbers(std::string text, const std::string& field, std::size_t count) const {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    std::vector<double> values;
    std::size_t at = 0;
    for (std::string_view word = next_word(text, at); !word.empty(); word = next_word(text, at)) {
      double value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
        fail(field, "finite numbers", word);
      if (values.size() == count) fail(field, std::to_string(count) + " numbers", "more");
      values.push_back(value);
    }
    return values;
  }

  std::string inline_bytes(const pugi::xml_node& array, const std::string& field, std::size_t most) const {
    std::string text = array.child_value();
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
    return vtp_bytes(name_, field, text, encoding_, true, most);
  }

  std::string appended_bytes(const pugi::xml_node& array, const std::string& field, std::size_t most) const {
    const std::size_t offset = attribute(array, "offset");
    if (offset >= appended_.size()) fail(field, "an offset within the appended data", std::to_string(offset));
    return vtp_bytes(name_, field, appended_.substr(offset), encoding_, appended_base64_, most);
  }

  std::string name_, text_;
  std::string_view appended_;
  bool appended_base64_ = false;
  VtpEncoding encoding_;
};

}  // namespace

Polylines read_vtp(const std::filesystem::path& path) {
  ByteReader file(path);
  return with_host_memory([&] {
    std::string text(file.max_size(), '\0');
    text.resize(file.read(text.data(), text.size()));
    return VtpReader(file.name(), std::move(text)).read();
  });
}

#else

Polylines read_vtp(const std::filesystem::path& path) {
  throw BackendUnavailable(path.string() +
                           ": XML: expected a build with pugixml, found one without (Debian: libpugixml-dev)");
}

#endif

}  // namespace dsasrgs

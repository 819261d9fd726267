// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_tags.hpp"

#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/oflog.h>
#include <dcmtk/oflog/spi/logevent.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "files/input_file.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostNumbers = 65536;

std::string_view trimmed(std::string_view text) {
  const auto is_padding = [](char c) { return c == ' ' || c == '\0' || c == '\t'; };
  while (!text.empty() && is_padding(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_padding(text.back())) text.remove_suffix(1);
  return text;
}

/// A decimal string as DICOM writes it, a plus sign too.
std::optional<double> parsed(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The first tag that stands twice in what this thread reads. DCMTK keeps the first, and tells nobody but its log.
thread_local std::optional<DcmTagKey> doubled_tag;

class DcmtkLog : public dcmtk::log4cplus::Appender {
 public:
  ~DcmtkLog() override { destructorImpl(); }
  void close() override {}

 protected:
  void append(const dcmtk::log4cplus::spi::InternalLoggingEvent& event) override {
    const std::string_view said(event.getMessage().c_str(), event.getMessage().length());
    unsigned group = 0, element = 0;
    const std::size_t tag = said.find('(');
    if (!doubled_tag && said.find("found twice") != said.npos && tag != said.npos &&
        std::sscanf(said.data() + tag, "(%4x,%4x)", &group, &element) == 2)
      doubled_tag = DcmTagKey(static_cast<Uint16>(group), static_cast<Uint16>(element));
  }
};

/// What DCMTK has to say goes into our errors, not to a terminal.
void listen_to_dcmtk() {
  static const bool once = [] {
    OFLogger log = OFLog::getLogger("dcmtk");
    log.setLogLevel(OFLogger::WARN_LOG_LEVEL);
    log.setAdditivity(false);
    log.removeAllAppenders();
    log.addAppender(dcmtk::log4cplus::SharedAppenderPtr(new DcmtkLog));
    return true;
  }();
  static_cast<void>(once);
}

template <class T, class Read>
bool add_binary(std::vector<double>& values, unsigned long count, const Read& read) {
  for (unsigned long i = 0; i < count; ++i) {
    T value{};
    if (read(value, i).bad()) return false;
    values.push_back(static_cast<double>(value));
  }
  return true;
}

}  // namespace

std::string tag_name(const DcmTagKey& key) {
  DcmTag tag(key);
  const OFString number = key.toString();
  return std::string(number.begin(), number.end()) + " " + tag.getTagName();
}

DicomDataset::DicomDataset(const std::filesystem::path& path, const std::string& name) : name_(name) {
  listen_to_dcmtk();
  doubled_tag.reset();
  file_bytes_ = InputFile(path).size();
  const auto load = [&](E_FileReadMode mode) {
    file_ = std::make_unique<DcmFileFormat>();
    const OFCondition status =
        file_->loadFile(OFFilename(path.c_str()), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, mode);
    if (status.bad()) throw BadInput(name_, "file", "a whole DICOM file", status.text());
  };
  load(ERM_metaOnly);
  OFString syntax;
  if (file_->getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, syntax).good() && !syntax.empty()) {
    const DcmXfer transfer(syntax.c_str());
    // A few bytes could become any amount of memory; and what DCMTK cannot decode is said before it is read.
    if (transfer.getXfer() == EXS_Unknown || transfer.getStreamCompression() != ESC_none)
      throw BadInput(name_, tag_name(DCM_TransferSyntaxUID),
                     "one that is not compressed as a whole (dcmconv +te makes one)",
                     transfer.getXfer() == EXS_Unknown ? syntax.c_str() : transfer.getXferName());
  }
  load(ERM_autoDetect);
  if (doubled_tag) refuse(*doubled_tag, "one in a data set or item", "it said twice");
  if (root().card() == 0) throw BadInput(name_, "file", "a DICOM file", "something else");
  per_frame_ = items(root(), DCM_PerFrameFunctionalGroupsSequence);
  const std::vector<DcmItem*> shared = items(root(), DCM_SharedFunctionalGroupsSequence);
  if (!shared.empty()) shared_ = shared.front();
}

void DicomDataset::refuse(const DcmTagKey& tag, std::string_view expected, std::string_view found) const {
  throw BadInput(name_, tag_name(tag), expected, found);
}

std::vector<double> DicomDataset::numbers(DcmItem& item, const DcmTagKey& tag) const {
  DcmElement* element = nullptr;
  std::vector<double> values;
  if (item.findAndGetElement(tag, element).bad() || element == nullptr || element->isEmpty()) return values;
  const auto bad = [&](std::string_view found) { refuse(tag, "finite numbers", found); };
  if (element->getLength() > file_bytes_) bad("a length beyond the file's end");
  const unsigned long count = element->getVM();
  if (count > kMostNumbers) refuse(tag, "at most " + std::to_string(kMostNumbers) + " numbers", std::to_string(count));
  switch (element->ident()) {
    case EVR_DS:
    case EVR_IS: {
      OFString all;
      if (element->getOFStringArray(all).bad()) bad("none that can be read");
      std::string_view rest(all.c_str(), all.length());
      while (true) {
        const std::size_t end = rest.find('\\');
        const std::string_view one = rest.substr(0, end);
        const std::optional<double> value = parsed(one);
        if (!value) bad('"' + std::string(one) + '"');
        values.push_back(*value);
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
      }
      return values;
    }
    case EVR_US:
    case EVR_xs:
      if (!add_binary<Uint16>(values, count, [&](Uint16& v, unsigned long i) { return element->getUint16(v, i); }))
        bad("none that can be read");
      return values;
    case EVR_SS:
      if (!add_binary<Sint16>(values, count, [&](Sint16& v, unsigned long i) { return element->getSint16(v, i); }))
        bad("none that can be read");
      return values;
    case EVR_UL:
      if (!add_binary<Uint32>(values, count, [&](Uint32& v, unsigned long i) { return element->getUint32(v, i); }))
        bad("none that can be read");
      return values;
    case EVR_SL:
      if (!add_binary<Sint32>(values, count, [&](Sint32& v, unsigned long i) { return element->getSint32(v, i); }))
        bad("none that can be read");
      return values;
    case EVR_FL:
      if (!add_binary<Float32>(values, count, [&](Float32& v, unsigned long i) { return element->getFloat32(v, i); }))
        bad("none that can be read");
      break;
    case EVR_FD:
      if (!add_binary<Float64>(values, count, [&](Float64& v, unsigned long i) { return element->getFloat64(v, i); }))
        bad("none that can be read");
      break;
    default:
      bad(std::string("the type ") + DcmVR(element->ident()).getVRName());
  }
  for (const double value : values)
    if (!std::isfinite(value)) bad(plain_number(value));
  return values;
}

std::optional<double> DicomDataset::number(DcmItem& item, const DcmTagKey& tag) const {
  const std::vector<double> all = numbers(item, tag);
  if (all.empty()) return std::nullopt;
  return all.front();
}

std::optional<int> DicomDataset::integer(DcmItem& item, const DcmTagKey& tag, int least, int most) const {
  const std::optional<double> value = number(item, tag);
  if (!value) return std::nullopt;
  if (*value != std::floor(*value) || *value < least || *value > most)
    refuse(tag, std::to_string(least) + " to " + std::to_string(most), plain_number(*value));
  return static_cast<int>(*value);
}

std::string DicomDataset::text(DcmItem& item, const DcmTagKey& tag) const {
  OFString value;
  if (item.findAndGetOFString(tag, value).bad()) return {};
  return std::string(trimmed(std::string_view(value.c_str(), value.length())));
}

std::vector<std::string> DicomDataset::texts(DcmItem& item, const DcmTagKey& tag) const {
  OFString all;
  std::vector<std::string> values;
  if (item.findAndGetOFStringArray(tag, all).bad()) return values;
  std::string_view rest(all.c_str(), all.length());
  for (std::size_t end = 0; end != rest.npos; rest.remove_prefix(end == rest.npos ? 0 : end + 1)) {
    end = rest.find('\\');
    values.emplace_back(trimmed(rest.substr(0, end)));
  }
  return values;
}

std::vector<DcmItem*> DicomDataset::items(DcmItem& item, const DcmTagKey& tag) const {
  DcmSequenceOfItems* sequence = nullptr;
  std::vector<DcmItem*> all;
  if (item.findAndGetSequence(tag, sequence).bad() || sequence == nullptr) return all;
  for (DcmObject* one = nullptr; (one = sequence->nextInContainer(one)) != nullptr;)
    if (auto* const found = dynamic_cast<DcmItem*>(one)) all.push_back(found);
  return all;
}

std::vector<DcmItem*> DicomDataset::group_items(std::size_t frame, const DcmTagKey& group) const {
  std::vector<DcmItem*> found;
  if (frame < per_frame_.size()) found = items(*per_frame_[frame], group);
  if (found.empty() && shared_ != nullptr) found = items(*shared_, group);
  return found;
}

bool DicomDataset::is_per_frame(const DcmTagKey& group) const {
  return !per_frame_.empty() && !items(*per_frame_.front(), group).empty();
}

std::vector<double> DicomDataset::numbers_at(std::size_t frame, const DcmTagKey& group, const DcmTagKey& tag) const {
  const std::vector<DcmItem*> found = group_items(frame, group);
  std::vector<double> values;
  if (!found.empty()) values = numbers(*found.front(), tag);
  return values.empty() ? numbers(root(), tag) : values;
}

std::string DicomDataset::text_at(std::size_t frame, const DcmTagKey& group, const DcmTagKey& tag) const {
  const std::vector<DcmItem*> found = group_items(frame, group);
  const std::string value = found.empty() ? std::string() : text(*found.front(), tag);
  return value.empty() ? text(root(), tag) : value;
}

}  // namespace dsasrgs

// SPDX-License-Identifier: Apache-2.0
#include "import/dicom_values.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

/// A table of a LUT sequence's item (C.11.1.1).
struct Table {
  double first = 0;
  std::vector<float> values;

  float at(double stored) const {
    const double last = static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(std::clamp(stored - first, 0.0, last))];
  }
};

Table read_table(const DicomDataset& file, DcmItem& item) {
  const std::vector<double> descriptor = file.numbers(item, DCM_LUTDescriptor);
  constexpr std::size_t kDescribed = 3;
  constexpr double kWord = 65536;
  if (descriptor.size() != kDescribed)
    file.refuse(DCM_LUTDescriptor, "three numbers", std::to_string(descriptor.size()));
  double entries = descriptor[0];
  if (entries < 0) entries += kWord;
  if (entries == 0) entries = kWord;  // as the standard writes it
  Table table{descriptor[1], {}};
  const Uint16* words = nullptr;
  unsigned long count = 0;
  DcmElement* element = nullptr;
  if (item.findAndGetElement(DCM_LUTData, element).bad() || element == nullptr ||
      element->getLength() > file.file_bytes() || item.findAndGetUint16Array(DCM_LUTData, words, &count).bad() ||
      words == nullptr)
    file.refuse(DCM_LUTData, "a table of 16-bit words", "none that can be read");
  const auto wanted = static_cast<unsigned long>(entries);
  if (count < wanted && 2 * count < wanted)
    file.refuse(DCM_LUTData, std::to_string(wanted) + " values", std::to_string(count));
  for (unsigned long i = 0; i < wanted; ++i) {
    // Entries of 8 bits may lie two in a word.
    const int word = count >= wanted ? words[i] : words[i / 2] >> (i % 2 == 0 ? 0 : 8) & 0xff;
    table.values.push_back(static_cast<float>(word));
  }
  return table;
}

/// What makes counts, or logarithms of them, of stored values.
struct Rule {
  DicomIntensity intensity = DicomIntensity::linear;
  std::optional<Table> table;
  bool table_rises = false;  ///< it gives counts whatever the stored values' sign is
};

/// Adds a line once.
void say(std::vector<std::string>& lines, const std::string& line) {
  if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
}

/// The table of a Pixel Intensity Relationship LUT (C.7.6.16.2.13) that turns stored values into counts.
std::optional<Table> table_to_linear(const DicomDataset& file, std::size_t frame) {
  for (DcmItem* const item : file.group_items(frame, DCM_PixelIntensityRelationshipLUTSequence))
    if (file.text(*item, DCM_LUTFunction) == "TO_LINEAR") return read_table(file, *item);
  return std::nullopt;
}

/// What the user says, as it is.
Rule rule_by_hand(DicomIntensity intensity, const std::string& relationship, DicomRun& run) {
  const bool linear = intensity == DicomIntensity::linear;
  if (relationship != (linear ? "LIN" : "LOG"))
    say(run.warnings, run.name + ": " + tag_name(DCM_PixelIntensityRelationship) + " is " +
                          (relationship.empty() ? "not there" : '"' + relationship + '"') +
                          ": line integrals of values that are not told to follow the X-ray intensity show shapes, not "
                          "attenuation");
  return {intensity, std::nullopt, false};
}

Rule told_rule(const DicomDataset& file, std::size_t frame, const std::string& relationship, DicomRun& run) {
  Rule rule;
  if (relationship == "LIN") {
    say(run.found, "stored values: LIN, the logarithm is taken");
    return rule;
  }
  rule.table = table_to_linear(file, frame);
  if (!rule.table && relationship == "LOG") {
    // Required with LOG (A.14.3), to make linear values of it for display; of a linear one the difference is the same.
    const std::vector<DcmItem*> modality = file.items(file.root(), DCM_ModalityLUTSequence);
    if (!modality.empty()) rule.table = read_table(file, *modality.front());
  }
  if (rule.table) {
    rule.table_rises = true;
    say(run.found,
        "stored values: " + relationship + ", made linear by the file's LUT; the logarithm is taken of that");
    return rule;
  }
  if (relationship != "LOG")
    file.refuse(DCM_PixelIntensityRelationship, "LIN or LOG, or one of them by hand (tags.relationship)",
                relationship.empty() ? "no such tag" : relationship);
  rule.intensity = DicomIntensity::logarithmic;
  say(run.found, "stored values: LOG, subtracted as they are");
  return rule;
}

}  // namespace

bool has_value_map_per_frame(const DicomDataset& file) {
  return file.is_per_frame(DCM_PixelIntensityRelationshipLUTSequence) ||
         file.is_per_frame(DCM_FramePixelDataPropertiesSequence) ||
         file.is_per_frame(DCM_PixelValueTransformationSequence);
}

ValueMap value_map(const DicomDataset& file, const DicomTags& tags, const StoredBits& bits, std::size_t frame,
                   DicomRun& run) {
  const std::string relationship =
      file.text_at(frame, DCM_FramePixelDataPropertiesSequence, DCM_PixelIntensityRelationship);
  Rule rule = tags.relationship ? rule_by_hand(*tags.relationship, relationship, run)
                                : told_rule(file, frame, relationship, run);
  const auto first = [](const std::vector<double>& numbers, double otherwise) {
    return numbers.empty() ? otherwise : numbers.front();
  };
  const std::vector<double> slopes = file.numbers_at(frame, DCM_PixelValueTransformationSequence, DCM_RescaleSlope);
  const double slope = first(slopes, 1);
  const double intercept = first(file.numbers_at(frame, DCM_PixelValueTransformationSequence, DCM_RescaleIntercept), 0);
  if (slope == 0) file.refuse(DCM_RescaleSlope, "a number other than 0", "0");
  if (rule.intensity == DicomIntensity::linear && !rule.table) {
    const std::vector<DcmItem*> modality = file.items(file.root(), DCM_ModalityLUTSequence);
    if (!modality.empty()) rule.table = read_table(file, *modality.front());
  }
  const double told_sign =
      first(file.numbers_at(frame, DCM_FramePixelDataPropertiesSequence, DCM_PixelIntensityRelationshipSign), 1);
  const double sign = tags.sign ? *tags.sign : rule.table_rises ? 1 : told_sign;
  if (sign != 1 && sign != -1) {
    if (tags.sign) throw BadInput(run.name, "tags.sign", "1 or -1", plain_number(sign));
    file.refuse(DCM_PixelIntensityRelationshipSign, "1 or -1", plain_number(sign));
  }

  std::vector<double> values;
  for (int stored = bits.least(); stored <= bits.most(); ++stored)
    values.push_back(rule.table ? static_cast<double>(rule.table->at(stored)) : slope * stored + intercept);
  const double largest = *std::max_element(values.begin(), values.end());
  const bool linear = rule.intensity == DicomIntensity::linear;
  const double scale = linear ? 1 : tags.log_scale.value_or(1);
  if (!(scale > 0) || !std::isfinite(scale))
    throw BadInput(run.name, "tags.log_scale", "a positive number", plain_number(scale));
  if (linear && tags.log_scale)
    throw BadInput(run.name, "tags.log_scale", "logarithmic values, of which it is the scale",
                   "linear ones, which have none");
  run.has_scale = run.has_scale && (linear || tags.log_scale || !slopes.empty());
  if (!run.has_scale)
    say(run.warnings, run.name +
                          ": logarithmic values without a scale: line integrals are in units of stored values; "
                          "give tags.log_scale by hand (the line integral of a difference of 1)");
  if (linear && sign < 0)
    say(run.warnings, run.name + ": linear values that fall with the intensity: counted down from " +
                          plain_number(largest) + ", the largest that can be stored");
  ValueMap map;
  map.intensity = rule.intensity;
  map.values.reserve(values.size());
  for (const double value : values)
    map.values.push_back(static_cast<float>(scale * (sign > 0 ? value : linear ? largest - value : -value)));
  return map;
}

}  // namespace dsasrgs

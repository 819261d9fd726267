// SPDX-License-Identifier: Apache-2.0
#pragma once
// A DICOM file's attributes, typed and checked. Known to the sources that see DCMTK only.

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsasrgs {

/// "(0018,1110) DistanceSourceToDetector"
std::string tag_name(const DcmTagKey&);

/// An open file. Attributes that are not there or empty give nothing; those that are not what they should be throw
/// BadInput.
class DicomDataset {
 public:
  /// `name` stands in messages. Throws IoError where it is no regular file that can be read, BadInput where it is no
  /// DICOM file or damaged.
  DicomDataset(const std::filesystem::path&, const std::string& name);

  const std::string& name() const { return name_; }
  DcmDataset& root() const { return *file_->getDataset(); }
  std::size_t file_bytes() const { return file_bytes_; }

  /// Throws BadInput about a tag of this file.
  [[noreturn]] void refuse(const DcmTagKey&, std::string_view expected, std::string_view found) const;

  /// All numbers of an attribute, decimal and integer strings too: finite, at most 65536 of them.
  std::vector<double> numbers(DcmItem&, const DcmTagKey&) const;
  /// The first of them.
  std::optional<double> number(DcmItem&, const DcmTagKey&) const;
  /// A whole one from `least` to `most`.
  std::optional<int> integer(DcmItem&, const DcmTagKey&, int least, int most) const;
  /// Text without the spaces around it; of several values the first.
  std::string text(DcmItem&, const DcmTagKey&) const;
  /// All of several values.
  std::vector<std::string> texts(DcmItem&, const DcmTagKey&) const;
  /// Items of a sequence; none where there is none.
  std::vector<DcmItem*> items(DcmItem&, const DcmTagKey&) const;

  /// Items of a functional group (C.7.6.16) of a frame, from 0: its own, else those that all frames share.
  std::vector<DcmItem*> group_items(std::size_t frame, const DcmTagKey& group) const;
  /// Items of single frames' functional groups; 0 where there are none.
  std::size_t num_per_frame() const { return per_frame_.size(); }
  /// Whether frames have `group` to themselves.
  bool is_per_frame(const DcmTagKey& group) const;
  /// What an attribute says of a frame: in the functional group `group` (Enhanced XA), else in the data set.
  std::vector<double> numbers_at(std::size_t frame, const DcmTagKey& group, const DcmTagKey&) const;
  std::string text_at(std::size_t frame, const DcmTagKey& group, const DcmTagKey&) const;

 private:
  std::string name_;
  std::size_t file_bytes_ = 0;
  std::unique_ptr<DcmFileFormat> file_;
  std::vector<DcmItem*> per_frame_;
  DcmItem* shared_ = nullptr;
};

}  // namespace dsasrgs

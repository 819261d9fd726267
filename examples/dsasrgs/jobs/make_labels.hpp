#pragma once
// Pseudo-labels without a network, from options to file.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/option_list.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace dsasrgs::program {

struct LabelOptions {
  std::string method;  ///< bicubic, lanczos or kOracleMethod
  std::string views = "train", storage = "float16";
  int scale = 4;
  OracleOptions oracle;
  bool quiet = false;
};
inline constexpr const char* kOracleMethod = "oracle";
const std::vector<std::string>& label_methods();

/// Every option of `dsasrgs labels` but --output. They must outlive the list.
OptionList options_of(LabelOptions&);
/// Of the options that were given the first one that only the oracle heeds, while another method is asked for; empty:
/// none.
std::string option_without_oracle(const LabelOptions&, const std::vector<std::string>& given);

/// Makes the labels and writes them. Throws UsageError, InvalidArgument, BadInput, IoError, Interrupted.
void make_labels(const std::filesystem::path& case_file, const std::filesystem::path& output, const LabelOptions&);

}  // namespace dsasrgs::program

// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pseudo-labels, from options to file.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/option_list.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"

namespace dsasrgs::program {

inline constexpr const char* kOracleMethod = "oracle";
inline constexpr const char* kNetworkMethod = "network";

struct LabelOptions {
  std::string method = kNetworkMethod;  ///< or kOracleMethod, bicubic, lanczos
  std::string network;                  ///< network file; empty: the one that comes with the program
  std::string model;                    ///< of the case: its renders are the network's second input; empty: none
  bool single_orientation = false;
  std::string views = "train", storage = "float16";
  int scale = 4;
  OracleOptions oracle;
  int threads = 0;
  bool strict = false;  ///< images unlike those that the network was trained on are refused
  bool quiet = false;
};
const std::vector<std::string>& label_methods();

/// Every option of `dsasrgs labels` but --output. They must outlive the list.
OptionList options_of(LabelOptions&);
/// Of the options that were given (by name) the first one that only another method heeds.
UnheededOption unheeded_option(const LabelOptions&, const std::vector<std::string>& given);
/// The network file that the options lead to. Throws as shipped_network.
std::filesystem::path network_file(const LabelOptions&, bool reads_render);
/// Throws as SuperResolver::open, and BadInput for a network of another scale or another input.
void require_network(Context&, const std::filesystem::path& file, int scale, bool reads_render);

/// Makes the labels and writes them. Throws UsageError, InvalidArgument, BadInput, IoError, Interrupted.
void make_labels(const std::filesystem::path& case_file, const std::filesystem::path& output, const LabelOptions&);
/// The same of an acquisition that is there already, whose split may be another than its file's, and a model (in the
/// context's memory) in place of the options', or null.
void make_labels(Context&, const Acquisition&, const Model*, const std::filesystem::path& output, const LabelOptions&);

}  // namespace dsasrgs::program

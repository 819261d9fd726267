// SPDX-License-Identifier: Apache-2.0
#pragma once
// The files of examples/report as the build put them into the program.

#include <span>
#include <string_view>

namespace dsasrgs::program {

struct PageFile {
  std::string_view name, text;
};

/// In the order in which the page takes them.
std::span<const PageFile> page_files();

}  // namespace dsasrgs::program

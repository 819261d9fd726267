// SPDX-License-Identifier: Apache-2.0
#pragma once
// The page around a report's data.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dsasrgs::program {

/// What a page shows: JSON, and packed arrays by the names that the JSON calls them by.
struct PageData {
  nlohmann::ordered_json json;
  std::vector<std::pair<std::string, std::string>> blobs;
  /// Packs nothing: `text` is base64. Returns the name.
  std::string add(std::string name, std::string text);
  std::size_t blob_bytes() const;
};

/// How a report's file begins, by which it is known again.
extern const std::string_view kPageBegin;

/// One HTML file that needs no other. What `data` holds cannot become markup.
std::string page_text(const PageData& data);

/// What this program was built without, as sentences; empty: nothing.
std::vector<std::string> missing_parts();

}  // namespace dsasrgs::program

// SPDX-License-Identifier: Apache-2.0
#include "report/page.hpp"

#include <algorithm>

#include "jobs/scores_json.hpp"
#include "report/packed.hpp"
#include "report/page_files.hpp"

namespace dsasrgs::program {

const std::string_view kPageBegin = "<!doctype html>\n<!-- dsasrgs report -->\n";

namespace {

std::string_view page_file(std::string_view name) {
  for (const PageFile& file : page_files())
    if (file.name == name) return file.text;
  return {};
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

/// JSON in which no HTML parser sees markup, whatever its strings hold.
std::string json_for_html(const nlohmann::ordered_json& json) {
  std::string text = json_text(json, -1);
  replace_all(text, "<", "\\u003c");
  replace_all(text, ">", "\\u003e");
  replace_all(text, "&", "\\u0026");
  return text;
}

std::string data_element(std::string_view id, std::string_view text, std::string_view type) {
  return "<script type=\"" + std::string(type) + "\" id=\"" + std::string(id) + "\">" + std::string(text) +
         "</script>\n";
}

/// Code ends where its element does, not before.
std::string script_element(std::string_view code) {
  std::string text(code);
  replace_all(text, "</script", "<\\/script");
  return "<script>\n" + text + "\n</script>\n";
}

std::string scripts() {
  std::string text;
  for (const PageFile& file : page_files())
    if (file.name.ends_with(".js") && file.name != "niivue.js") text += script_element(file.text);
  return text;
}

}  // namespace

std::string PageData::add(std::string name, std::string text) {
  blobs.emplace_back(name, std::move(text));
  return name;
}

std::size_t PageData::blob_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, text] : blobs) bytes += text.size();
  return bytes;
}

std::string page_text(const PageData& data) {
  constexpr std::string_view kBinary = "application/octet-stream";
  std::string elements = data_element("data", json_for_html(data.json), "application/json");
  for (const auto& [name, text] : data.blobs) elements += data_element("blob-" + name, text, kBinary);
  // Decompressed and run only when the reader comes to it.
  if (const auto niivue = page_file("niivue.js"); !niivue.empty())
    elements += data_element("blob-niivue", packed(niivue), kBinary);
  if (const auto licenses = page_file("licenses.txt"); !licenses.empty())
    elements += data_element("blob-licenses", packed(licenses), kBinary);

  std::string page(kPageBegin);
  std::string_view frame = page_file("page.html");
  const auto take_until = [&](std::string_view mark) {
    const std::size_t at = frame.find(mark);
    page += frame.substr(0, at);
    frame.remove_prefix(std::min(frame.size(), at == std::string_view::npos ? frame.size() : at + mark.size()));
  };
  take_until("<!--STYLE-->");
  page += "<style>\n" + std::string(page_file("uplot.css")) + "\n" + std::string(page_file("style.css")) + "</style>";
  take_until("<!--DATA-->");
  page += elements;
  take_until("<!--SCRIPTS-->");
  page += scripts();
  return page += frame;
}

std::vector<std::string> missing_parts() {
  std::vector<std::string> missing;
  if (page_file("uplot.js").empty())
    missing.emplace_back(
        "No curves are drawn: this program was built without uPlot (run npm ci in examples/report and build again).");
  if (page_file("niivue.js").empty())
    missing.emplace_back(
        "There is no 3D view: this program was built without NiiVue (run npm ci in examples/report and build again).");
  return missing;
}

}  // namespace dsasrgs::program

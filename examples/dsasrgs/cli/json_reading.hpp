// SPDX-License-Identifier: Apache-2.0
#pragma once
// JSON that the program wrote once, and others may have changed since.

#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dsasrgs::program {

/// Throws what the JSON library throws where the text is no JSON, and std::runtime_error, which says where, for an
/// object that has two values of one name: the library would keep one of them unseen.
template <class Json, class Text>
Json parse_json(Text&& text) {
  using Event = typename Json::parse_event_t;
  std::vector<std::set<std::string>> names;  // of the objects that are open
  return Json::parse(std::forward<Text>(text), [&](int, Event event, const Json& parsed) {
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.template get<std::string>()).second)
      throw std::runtime_error(parsed.template get<std::string>().substr(0, 40) +
                               ": expected one value, found two in one object");
    return true;
  });
}

}  // namespace dsasrgs::program

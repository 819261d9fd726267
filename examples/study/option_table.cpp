// SPDX-License-Identifier: Apache-2.0
#include "study/option_table.hpp"

#include <algorithm>
#include <limits>

namespace dsasrgs::program {

namespace {

/// One option of one table.
class ValueReader {
 public:
  ValueReader(const TomlTable& table, const Option& option) : table_(&table), option_(&option) {}

  void read(const toml::node& node, bool& value) const {
    const auto found = node.value_exact<bool>();
    if (!found) refuse("true or false", node);
    value = *found;
  }
  void read(const toml::node& node, int& value) const {
    value = static_cast<int>(integer(node, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  }
  void read(const toml::node& node, std::uint64_t& value) const {
    value = static_cast<std::uint64_t>(integer(node, 0, std::numeric_limits<std::int64_t>::max()));
  }
  void read(const toml::node& node, double& value) const {
    const auto found = node.value<double>();
    if (!node.is_number() || !found || !option_->range.holds(*found)) refuse(option_->range.words(), node);
    value = *found;
  }
  void read(const toml::node& node, std::string& value) const {
    const auto found = node.value_exact<std::string>();
    const auto& choices = option_->choices;
    if (!found || (!choices.empty() && std::find(choices.begin(), choices.end(), *found) == choices.end())) {
      std::string expected;
      for (const std::string& c : choices) expected += (expected.empty() ? "" : " or ") + c;
      refuse(choices.empty() ? "a string" : expected, node);
    }
    if (found->empty()) refuse("a string that is not empty", node);
    value = *found;
  }
  template <class T>
  void read(const toml::node& node, std::optional<T>& value) const {
    read(node, value.emplace());
  }
  template <class T, std::size_t n>
  void read(const toml::node& node, std::array<T, n>& value) const {
    const toml::array* items = node.as_array();
    if (items == nullptr || items->size() != n) refuse("an array of " + std::to_string(n) + " numbers", node);
    for (std::size_t i = 0; i < n; ++i) read((*items)[i], value[i]);
  }
  template <class T>
  void read(const toml::node& node, std::vector<T>& value) const {
    const toml::array* items = node.as_array();
    value.assign(items == nullptr ? 1 : items->size(), T{});
    if (value.empty() || value.size() > static_cast<std::size_t>(option_->most_values))
      refuse("1 to " + std::to_string(option_->most_values) + " numbers", node);
    for (std::size_t i = 0; i < value.size(); ++i) read(items == nullptr ? node : (*items)[i], value[i]);
  }

 private:
  /// An integer in the option's range and the type's.
  std::int64_t integer(const toml::node& node, std::int64_t lowest, std::int64_t highest) const {
    const std::int64_t low = option_->least ? *option_->least : lowest, high = option_->most ? *option_->most : highest;
    const auto found = node.value_exact<std::int64_t>();
    if (found && *found >= low && *found <= high) return *found;
    const bool to_high = option_->most.has_value(), from_low = low > std::numeric_limits<int>::min();
    refuse("an integer" + (to_high    ? " of " + std::to_string(low) + " to " + std::to_string(high)
                           : from_low ? " of " + std::to_string(low) + " or more"
                                      : ""),
           node);
  }
  [[noreturn]] void refuse(const std::string& expected, const toml::node& found) const {
    table_->refuse(option_->name, expected, toml_text(found));
  }

  const TomlTable* table_;
  const Option* option_;
};

}  // namespace

std::vector<std::string> read_options(const TomlTable& table, const OptionList& list,
                                      const std::vector<std::string>& taken) {
  const auto is_taken = [&](const std::string& name) {
    return std::find(taken.begin(), taken.end(), name) != taken.end();
  };
  std::vector<std::string> given;
  for (const auto& [key, node] : table.raw()) {
    const std::string name(key.str());
    const auto option = std::find_if(list.begin(), list.end(), [&](const Option& o) { return o.name == name; });
    if (option == list.end() || is_taken(name)) {
      std::string names;
      for (const Option& o : list)
        if (!is_taken(o.name)) names += (names.empty() ? "" : ", ") + o.name;
      table.refuse(name, "one of " + names, is_taken(name) ? "what the study decides itself" : "an unknown name");
    }
    const ValueReader reader(table, *option);
    std::visit([&, &value = node](auto* field) { reader.read(value, *field); }, option->field);
    given.push_back(name);
  }
  return given;
}

}  // namespace dsasrgs::program

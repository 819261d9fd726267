// SPDX-License-Identifier: Apache-2.0
#pragma once
// Python's pickles, as far as they hold numbers, texts, lists, tuples, dictionaries and NumPy's arrays.

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/number_array.hpp"

namespace dsasrgs {

/// A pickle is a program; this reads one without running anything. Opcodes that only build the values above are
/// carried out, on values that this object owns; of the names that a pickle may call, NumPy's own for arrays, scalars
/// and types are known, and what they would make is made here. Any other opcode or name is BadInput that says which.
/// Memory is of the order of the file's size: values are told from bytes that the file has, at most 2^20 of them.
class PickleFile {
 public:
  /// Protocols 0 to 5. Throws IoError where it is no regular file.
  explicit PickleFile(const std::filesystem::path&);

  /// Index of a value.
  using Value = std::uint32_t;
  Value root() const { return root_; }
  const std::string& file() const { return file_; }

  /// Of a dictionary's entry. Throw BadInput that names `path` where it is another value; `path` is how it was come to.
  bool has(Value dictionary, const std::string& key) const;
  Value at(Value dictionary, const std::string& key) const;
  double number(Value, const std::string& path) const;
  std::string text(Value, const std::string& path) const;
  /// A number, a list or tuple of numbers, or an array. Throws for numbers that are not finite.
  template <class T>
  NumberArray<T> numbers(Value, const std::string& path) const;

 private:
  friend class PickleMachine;
  enum class Kind : std::uint8_t { none, number, text, bytes, list, tuple, dictionary, name, type, array };
  struct Item {
    Kind kind = Kind::none;
    bool column_major = false;            ///< of an array
    double number = 0;                    ///< or which of the known names it is
    NumberType type = {};                 ///< of a type or array
    std::string_view bytes = {};          ///< of texts, bytes and arrays; lies in contents_ or decoded_
    std::vector<Value> items = {};        ///< of lists and tuples; keys and values of dictionaries, in turn
    std::vector<std::size_t> shape = {};  ///< of an array
  };

  /// Texts of Python 2 are bytes.
  static bool is_text(const Item& item) { return item.kind == Kind::text || item.kind == Kind::bytes; }
  [[noreturn]] void refuse(const std::string& path, std::string_view expected, Value found) const;
  /// The value of a key, or nothing.
  const Value* find(Value dictionary, const std::string& key) const;

  std::string file_, contents_;
  std::deque<std::string> decoded_;  ///< texts that had to be made
  std::vector<Item> values_;
  Value root_ = 0;
};

extern template NumberArray<float> PickleFile::numbers(Value, const std::string&) const;
extern template NumberArray<double> PickleFile::numbers(Value, const std::string&) const;

}  // namespace dsasrgs

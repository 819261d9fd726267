// SPDX-License-Identifier: Apache-2.0
#pragma once
// Carries out a pickle's opcodes, on values alone. The opcodes: Python's Lib/pickletools.py.

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/pickle_file.hpp"

namespace dsasrgs {

class PickleMachine {
 public:
  explicit PickleMachine(PickleFile& file) : file_(file), rest_(file.contents_) {}
  /// From the first opcode to STOP; leaves the file's root.
  void run();

 private:
  using Value = PickleFile::Value;
  using Kind = PickleFile::Kind;
  using Item = PickleFile::Item;
  /// NumPy's functions and types that are known, and _codecs.encode, by which protocols 0 to 2 write bytes.
  enum Name { kReconstruct, kFromBuffer, kScalar, kArrayType, kTypeOfNumbers, kEncode };

  bool step(unsigned char opcode);
  bool step_of_numbers(unsigned char opcode);
  bool step_of_texts(unsigned char opcode);
  bool step_of_lists(unsigned char opcode);
  bool step_of_memo(unsigned char opcode);

  [[noreturn]] void fail(std::string_view expected, std::string_view found) const;
  /// The next bytes of the file; their number may be huge.
  std::string_view take(std::size_t count);
  std::string_view take_line();
  std::size_t take_size(std::size_t bytes);
  double line_number();
  std::string unescaped(std::string_view line) const;
  std::string unquoted(std::string_view line) const;

  Value make(Item item);
  void push(Item item) { stack_.push_back(make(std::move(item))); }
  void push_number(double number) { push({Kind::number, false, number}); }
  void push_bytes(Kind kind, std::string_view bytes) { push({kind, false, 0, {}, bytes}); }
  Value pop();
  Item& top(Kind kind, const char* name);
  /// What lies above the last mark, which goes.
  std::vector<Value> pop_to_mark();
  void push_list(Kind kind, std::vector<Value> items) { push({kind, false, 0, {}, {}, std::move(items)}); }
  void add_to(Item& container, const std::vector<Value>& items);

  void push_name(std::string_view module, std::string_view name);
  void call();
  void build();
  void build_array(Item& array, const std::vector<Value>& state);
  void build_type(Item& type, const std::vector<Value>& state);
  Item type_of_numbers(const std::vector<Value>& arguments);
  Item scalar(const std::vector<Value>& arguments);
  Item from_buffer(const std::vector<Value>& arguments);
  Item encoded(const std::vector<Value>& arguments);
  void set_shape(Item& array, Value shape);
  void require_array_bytes(const Item& array) const;
  const Item& item(Value value) const { return file_.values_[value]; }
  const Item& argument(const std::vector<Value>& arguments, std::size_t i, Kind kind, const char* name) const;

  PickleFile& file_;
  std::string_view rest_;  ///< not yet read
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;  ///< sizes of the stack
  std::unordered_map<std::size_t, Value> memo_;
  std::size_t decoded_bytes_ = 0;
};

}  // namespace dsasrgs

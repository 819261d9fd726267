// SPDX-License-Identifier: Apache-2.0
#include "import/pickle_machine.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

constexpr std::size_t kMostPickleValues = std::size_t{1} << 20;

}  // namespace

void PickleMachine::fail(std::string_view expected, std::string_view found) const {
  throw BadInput(file_.file_, "byte " + std::to_string(file_.contents_.size() - rest_.size()), expected,
                 found.substr(0, 80));
}

std::string_view PickleMachine::take(std::size_t count) {
  if (count > rest_.size()) fail(std::to_string(count) + " more bytes", std::to_string(rest_.size()));
  const std::string_view bytes = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return bytes;
}

std::string_view PickleMachine::take_line() {
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) fail("a whole line", "the end of the file");
  const std::string_view line = take(end);
  take(1);
  return line;
}

std::size_t PickleMachine::take_size(std::size_t bytes) {
  std::size_t size = 0, shift = 0;
  for (const char byte : take(bytes)) {
    size |= std::size_t{static_cast<unsigned char>(byte)} << shift;
    shift += 8;
  }
  return size;
}

double PickleMachine::line_number() {
  std::string_view line = take_line();
  if (line == "00") return 0;  // False and True of protocol 0
  if (line == "01") return 1;
  if (line.ends_with('L')) line.remove_suffix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc{} || end != line.data() + line.size()) fail("a number", line);
  return number;
}

PickleMachine::Value PickleMachine::make(Item item) {
  if (file_.values_.size() >= kMostPickleValues) fail("at most 1048576 values", "more");
  file_.values_.push_back(std::move(item));
  return static_cast<Value>(file_.values_.size() - 1);
}

PickleMachine::Value PickleMachine::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) fail("a value", "an empty stack");
  const Value value = stack_.back();
  stack_.pop_back();
  return value;
}

PickleMachine::Item& PickleMachine::top(Kind kind, const char* name) {
  if (stack_.empty() || item(stack_.back()).kind != kind) fail(name, "another value");
  return file_.values_[stack_.back()];
}

std::vector<PickleMachine::Value> PickleMachine::pop_to_mark() {
  if (marks_.empty()) fail("a mark", "none");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Value> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleMachine::add_to(Item& container, const std::vector<Value>& items) {
  if (container.kind == Kind::dictionary && items.size() % 2 != 0) fail("keys with values", "a key without one");
  container.items.insert(container.items.end(), items.begin(), items.end());
}

void PickleMachine::run() {
  for (;;) {
    const auto opcode = static_cast<unsigned char>(take(1)[0]);
    if (opcode == '.') break;
    if (!step_of_numbers(opcode) && !step_of_texts(opcode) && !step_of_lists(opcode) && !step_of_memo(opcode) &&
        !step(opcode))
      fail("opcodes that make numbers, texts, lists, tuples, dictionaries and NumPy's arrays",
           "opcode " + std::to_string(opcode));
  }
  if (stack_.size() != 1 || !marks_.empty()) fail("one value at the end", std::to_string(stack_.size()));
  file_.root_ = stack_.back();
}

bool PickleMachine::step_of_numbers(unsigned char opcode) {
  switch (opcode) {
    case 'N':  // NONE
      push({});
      return true;
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      push_number(opcode == 0x88 ? 1 : 0);
      return true;
    case 'I':  // INT
    case 'L':  // LONG
    case 'F':  // FLOAT
      push_number(line_number());
      return true;
    case 'K':  // BININT1
    case 'M':  // BININT2
      push_number(static_cast<double>(take_size(opcode == 'K' ? 1 : 2)));
      return true;
    case 'J':  // BININT
      push_number(static_cast<std::int32_t>(static_cast<std::uint32_t>(take_size(4))));
      return true;
    case 0x8a: {  // LONG1
      const std::size_t bytes = take_size(1);
      if (bytes > 8) fail("a whole number of at most 8 bytes", std::to_string(bytes));
      const std::size_t word = bytes == 0 ? 0 : take_size(bytes);
      const bool negative = bytes > 0 && (word >> (8 * bytes - 1) & 1) != 0;
      const std::size_t extended = negative && bytes < 8 ? word | ~std::size_t{0} << (8 * bytes) : word;
      push_number(static_cast<double>(static_cast<std::int64_t>(extended)));
      return true;
    }
    case 'G': {  // BINFLOAT
      std::uint64_t word = 0;
      for (const char byte : take(8)) word = word << 8 | static_cast<unsigned char>(byte);
      push_number(std::bit_cast<double>(word));
      return true;
    }
    default:
      return false;
  }
}

/// A text of protocol 0 in UTF-8: code points up to 255 stand as bytes, others, and backslashes, by four hexadecimal
/// digits.
std::string PickleMachine::unescaped(std::string_view line) const {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    unsigned code = static_cast<unsigned char>(line[i]);
    if (line[i] == '\\') {
      const std::string_view digits = line.substr(std::min(i + 2, line.size()), 4);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (i + 1 >= line.size() || line[i + 1] != 'u' || digits.size() != 4 || error != std::errc{} ||
          end != digits.data() + digits.size())
        fail("\\uXXXX in a text", line.substr(i, 6));
      i += 5;
    }
    if (code < 0x80) {
      text.push_back(static_cast<char>(code));
    } else {
      if (code < 0x800) {
        text.push_back(static_cast<char>(0xC0 | code >> 6));
      } else {
        text.push_back(static_cast<char>(0xE0 | code >> 12));
        text.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
      }
      text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
  }
  return text;
}

/// A text of protocol 0 as Python 2 writes it: between quotes, with its escapes.
std::string PickleMachine::unquoted(std::string_view line) const {
  constexpr std::string_view kEscapes = "\\'\"nrt", kMeanings = "\\'\"\n\r\t";
  if (line.size() < 2 || (line.front() != '\'' && line.front() != '"') || line.back() != line.front())
    fail("a text between quotes", line);
  std::string text;
  for (line = line.substr(1, line.size() - 2); !line.empty();) {
    std::size_t used = 1;
    unsigned code = static_cast<unsigned char>(line[0]);
    if (line[0] == '\\') {
      const std::size_t known = line.size() < 2 ? kEscapes.npos : kEscapes.find(line[1]);
      const std::string_view digits = line.substr(std::min<std::size_t>(2, line.size()), 2);
      if (known != kEscapes.npos) {
        used = 2;
        code = static_cast<unsigned char>(kMeanings[known]);
      } else {
        used = 4;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (!line.starts_with("\\x") || digits.size() != 2 || error != std::errc{} ||
            end != digits.data() + digits.size())
          fail("\\xXX in a text", line.substr(0, 4));
      }
    }
    text.push_back(static_cast<char>(code));
    line.remove_prefix(used);
  }
  return text;
}

bool PickleMachine::step_of_texts(unsigned char opcode) {
  switch (opcode) {
    case 'X':   // BINUNICODE
    case 0x8c:  // SHORT_BINUNICODE
    case 0x8d:  // BINUNICODE8
      push_bytes(Kind::text, take(take_size(opcode == 'X' ? 4 : opcode == 0x8c ? 1 : 8)));
      return true;
    case 'V':  // UNICODE
      file_.decoded_.push_back(unescaped(take_line()));
      push_bytes(Kind::text, file_.decoded_.back());
      return true;
    case 'S':  // STRING
      file_.decoded_.push_back(unquoted(take_line()));
      push_bytes(Kind::bytes, file_.decoded_.back());
      return true;
    case 'B':   // BINBYTES
    case 'C':   // SHORT_BINBYTES
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
    case 'T':   // BINSTRING
    case 'U':   // SHORT_BINSTRING
      push_bytes(Kind::bytes, take(take_size(opcode == 'C' || opcode == 'U'     ? 1
                                             : opcode == 0x8e || opcode == 0x96 ? 8
                                                                                : 4)));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step_of_lists(unsigned char opcode) {
  switch (opcode) {
    case '(':  // MARK
      marks_.push_back(stack_.size());
      if (marks_.size() > kMostPickleValues) fail("at most 1048576 marks", "more");
      return true;
    case ']':  // EMPTY_LIST
      push_list(Kind::list, {});
      return true;
    case ')':  // EMPTY_TUPLE
      push_list(Kind::tuple, {});
      return true;
    case '}':  // EMPTY_DICT
      push_list(Kind::dictionary, {});
      return true;
    case 'l':  // LIST
    case 't':  // TUPLE
      push_list(opcode == 'l' ? Kind::list : Kind::tuple, pop_to_mark());
      return true;
    case 'd': {  // DICT
      std::vector<Value> items = pop_to_mark();
      if (items.size() % 2 != 0) fail("keys with values", "a key without one");
      push_list(Kind::dictionary, std::move(items));
      return true;
    }
    case 0x85:    // TUPLE1
    case 0x86:    // TUPLE2
    case 0x87: {  // TUPLE3
      std::vector<Value> items(opcode - 0x84U);
      for (std::size_t i = items.size(); i-- > 0;) items[i] = pop();
      push_list(Kind::tuple, std::move(items));
      return true;
    }
    case 'a': {  // APPEND
      const Value value = pop();
      add_to(top(Kind::list, "a list to append to"), {value});
      return true;
    }
    case 'e': {  // APPENDS
      const std::vector<Value> items = pop_to_mark();
      add_to(top(Kind::list, "a list to append to"), items);
      return true;
    }
    case 's': {  // SETITEM
      const Value value = pop(), key = pop();
      add_to(top(Kind::dictionary, "a dictionary to set in"), {key, value});
      return true;
    }
    case 'u': {  // SETITEMS
      const std::vector<Value> items = pop_to_mark();
      add_to(top(Kind::dictionary, "a dictionary to set in"), items);
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_of_memo(unsigned char opcode) {
  const auto put = [&](std::size_t key) {
    if (stack_.empty()) fail("a value", "an empty stack");
    memo_[key] = stack_.back();
  };
  const auto get = [&](std::size_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("a value of the memo", "none with the number " + std::to_string(key));
    stack_.push_back(found->second);
    if (stack_.size() > kMostPickleValues) fail("at most 1048576 values", "more");
  };
  const auto key_of_line = [&] {
    const double key = line_number();
    if (!(key >= 0 && key < 1e9)) fail("a number of the memo", "another");
    return static_cast<std::size_t>(key);
  };
  switch (opcode) {
    case 0x94:  // MEMOIZE
      put(memo_.size());
      return true;
    case 'q':  // BINPUT
    case 'r':  // LONG_BINPUT
      put(take_size(opcode == 'q' ? 1 : 4));
      return true;
    case 'p':  // PUT
      put(key_of_line());
      return true;
    case 'h':  // BINGET
    case 'j':  // LONG_BINGET
      get(take_size(opcode == 'h' ? 1 : 4));
      return true;
    case 'g':  // GET
      get(key_of_line());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step(unsigned char opcode) {
  switch (opcode) {
    case 0x80:  // PROTO
      if (const std::size_t protocol = take_size(1); protocol > 5) fail("a protocol up to 5", std::to_string(protocol));
      return true;
    case 0x95:  // FRAME: how many bytes follow, for readers that read ahead
      take(8);
      return true;
    case 'c': {  // GLOBAL
      const std::string_view module = take_line();
      push_name(module, take_line());
      return true;
    }
    case 0x93: {  // STACK_GLOBAL
      const Item name = item(pop()), module = item(pop());
      if (name.kind != Kind::text || module.kind != Kind::text) fail("the texts of a name", "other values");
      push_name(module.bytes, name.bytes);
      return true;
    }
    case 'R':  // REDUCE: a call in Python
      call();
      return true;
    case 'b':  // BUILD
      build();
      return true;
    default:
      return false;
  }
}

}  // namespace dsasrgs

// SPDX-License-Identifier: Apache-2.0
#include "static_shared.hpp"

#include <elf.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "execution.hpp"

namespace emulation {

namespace {

std::atomic<bool> poisoned{false};

/// A thread-local variable: where from threadIdx, and how long.
struct Variable {
  std::ptrdiff_t from_thread_index;
  std::size_t bytes;
};

/// Of kernels and what they call, and of the tests' own kernels: variables of functions in namespaces of theirs.
bool is_of_kernel(std::string_view mangled) {
  return mangled.starts_with("_ZZN7dsasrgs4cuda") || mangled.starts_with("_ZZN12_GLOBAL__N_1");
}

/// All there are in this program, by its symbol table (System V ABI, chapter 4).
std::vector<Variable> find_variables() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const auto at = [&]<class T>(std::size_t offset, T& value) {
    if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  };
  Elf64_Ehdr header{};
  at(0, header);
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  for (std::size_t i = 0; i < sections.size(); ++i) at(header.e_shoff + i * sizeof(Elf64_Shdr), sections[i]);
  std::vector<Variable> variables;
  std::ptrdiff_t thread_index = -1;
  for (const Elf64_Shdr& table : sections) {
    if (table.sh_type != SHT_SYMTAB) continue;
    const std::size_t names = sections[table.sh_link].sh_offset;
    for (std::size_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym symbol{};
      at(table.sh_offset + i * sizeof(Elf64_Sym), symbol);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_TLS) continue;
      const std::string_view name(bytes.data() + names + symbol.st_name);
      const auto place = static_cast<std::ptrdiff_t>(symbol.st_value);
      if (name == "threadIdx") thread_index = place;
      if (is_of_kernel(name)) variables.push_back({place, symbol.st_size});
    }
  }
  if (thread_index < 0 || variables.empty()) {
    std::fprintf(stderr, "emulation: this program has no symbols, so static shared memory cannot be found\n");
    std::abort();
  }
  for (Variable& v : variables) v.from_thread_index -= thread_index;
  return variables;
}

}  // namespace

void poison_static_shared(bool on) { poisoned = on; }

void begin_block_with_static_shared() {
  if (!poisoned) return;
  static const std::vector<Variable> variables = find_variables();
  for (const Variable& v : variables)
    std::memset(reinterpret_cast<char*>(&threadIdx) + v.from_thread_index, 0xff, v.bytes);
}

}  // namespace emulation

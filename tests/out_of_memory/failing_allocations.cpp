// SPDX-License-Identifier: Apache-2.0
#include "out_of_memory/failing_allocations.hpp"

#include <link.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <string_view>

#include "dsasrgs/error.hpp"

// The C library's own, below the functions of this file that take the place of malloc and its like in the program and
// in every shared library.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

std::atomic<bool> armed{false};
std::atomic<long> allocations_left{0}, live{0};

/// Where a shared library's code lies.
struct Code {
  const char* library;
  std::uintptr_t first = 0, last = 0;

  explicit Code(const char* name) : library(name) {
    const auto look = [](dl_phdr_info* loaded, std::size_t, void* self) {
      auto& code = *static_cast<Code*>(self);
      if (std::string_view(loaded->dlpi_name).find(code.library) == std::string_view::npos) return 0;
      for (int i = 0; i < loaded->dlpi_phnum; ++i) {
        const auto& part = loaded->dlpi_phdr[i];
        if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
        code.first = loaded->dlpi_addr + part.p_vaddr;
        code.last = code.first + part.p_memsz;
      }
      return 1;
    };
    dl_iterate_phdr(look, this);
  }
  bool has(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at >= first && at < last;
  }
};

/// Whether the allocation that failed last was HDF5's; a child's parent sees it too.
std::atomic<bool>& in_hdf5() {
  static void* const page =
      ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return *static_cast<std::atomic<bool>*>(page);
}

bool fails(const void* caller) {
  static const Code libgomp("libgomp"), libhdf5("libhdf5");
  if (!armed.load() || libgomp.has(caller) || allocations_left.fetch_sub(1) != 0) return false;
  in_hdf5() = libhdf5.has(caller);
  errno = ENOMEM;
  return true;
}

void* counted(void* data) {
  if (data != nullptr) ++live;
  return data;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) { return fails(__builtin_return_address(0)) ? nullptr : counted(__libc_malloc(size)); }
// For its caller, which the C library's own hides.
char* strdup(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  void* const copy = fails(__builtin_return_address(0)) ? nullptr : counted(__libc_malloc(size));
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}
void* calloc(std::size_t count, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : counted(__libc_calloc(count, size));
}
void* realloc(void* data, std::size_t size) {
  if (size > 0 && fails(__builtin_return_address(0))) return nullptr;
  void* const moved = __libc_realloc(data, size);
  if (data == nullptr && moved != nullptr) ++live;
  if (data != nullptr && size == 0) --live;
  return moved;
}
void* memalign(std::size_t alignment, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** data, std::size_t alignment, std::size_t size) {
  void* const found = fails(__builtin_return_address(0)) ? nullptr : counted(__libc_memalign(alignment, size));
  if (found == nullptr) return ENOMEM;
  *data = found;
  return 0;
}
void free(void* data) {
  if (data != nullptr) --live;
  __libc_free(data);
}
}

namespace dsasrgs::test {

void fail_allocation(long which) {
  allocations_left = which;
  armed = true;
}
bool disarm() {
  armed = false;
  return allocations_left < 0;
}
long live_allocations() { return live.load(); }

Which chosen_allocations() { return std::getenv("DSASRGS_EVERY_ALLOCATION") != nullptr ? Which::every : Which::some; }

namespace {

void undisturbed(const Failing& f) {
  if (f.prepare) f.prepare();
  f.call();
}

enum class Outcome : std::uint8_t { done, out_of_memory, file_error, ended, undisturbed, other };

/// One call in which allocation `which` fails.
Outcome attempt(long which, const Failing& f, std::string& message) {
  if (f.prepare) f.prepare();
  std::exception_ptr thrown;
  fail_allocation(which);
  try {
    f.call();
  } catch (...) {
    thrown = std::current_exception();
  }
  const bool failed = disarm();
  try {
    if (thrown) std::rethrow_exception(thrown);
    return failed ? Outcome::done : Outcome::undisturbed;
  } catch (const OutOfMemory& e) {
    message = e.what();
    return Outcome::out_of_memory;
  } catch (const Error& e) {
    message = e.what();
    if (message.find(".h5: ") != std::string::npos) return Outcome::file_error;
  } catch (const std::exception& e) {
    message = e.what();
  }
  return Outcome::other;
}

long count_allocations(const Failing& f) {
  if (f.prepare) f.prepare();
  fail_allocation(LONG_MAX);
  f.call();
  const long left = allocations_left;
  disarm();
  return LONG_MAX - left;
}

/// What came of one failure.
struct Verdict {
  Outcome outcome = Outcome::other;
  bool hdf5 = false, unusable = false;
  std::string fault;  // empty: none
};

/// After a failure within HDF5, which may leave HDF5 itself in no state to go on and keeps memory of its own: the same
/// result, or an error about the file again.
void try_after_hdf5(const Failing& f, const std::string& expected, Verdict& verdict) {
  try {
    undisturbed(f);
    if (f.result() != expected) verdict.fault = "another result afterwards";
  } catch (const Error& e) {
    verdict.unusable = true;
    if (std::string_view(e.what()).find(".h5: ") == std::string_view::npos) verdict.fault = e.what();
  }
}

Verdict judge(long which, const Failing& f, const std::string& expected) {
  Verdict verdict;
  {
    std::string message;
    verdict.outcome = attempt(which, f, message);
    verdict.hdf5 = in_hdf5();
    if (verdict.outcome == Outcome::undisturbed) return verdict;
    if (verdict.outcome == Outcome::other || (verdict.outcome == Outcome::file_error && !verdict.hdf5))
      verdict.fault = "expected OutOfMemory, found " + message;
    if (verdict.outcome == Outcome::done && f.result() != expected) verdict.fault = "another result";
    if (verdict.outcome == Outcome::out_of_memory && message.find_first_of("0123456789") == std::string::npos)
      verdict.fault = "expected an amount, found " + message;
  }
  if (!verdict.fault.empty()) return verdict;
  if (f.look) verdict.fault = f.look();
  if (!verdict.fault.empty()) return verdict;
  if (verdict.hdf5) {
    try_after_hdf5(f, expected, verdict);
    return verdict;
  }
  undisturbed(f);
  if (f.result() != expected) verdict.fault = "another result afterwards";
  // What is kept for the next time (by C++ for exceptions, by HDF5) is there now; a leak comes again.
  const long live_before = live_allocations();
  {
    std::string message;
    attempt(which, f, message);
  }
  undisturbed(f);
  if (const long more = live_allocations() - live_before; more != 0)
    verdict.fault = std::to_string(more) + " allocations were not freed";
  return verdict;
}

/// In a process of its own, which may crash and whose HDF5 may become unusable.
Verdict judge_in_child(long which, const Failing& f, const std::string& expected) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  std::cout.flush();  // HDF5 may end the child by exit()
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) std::signal(signal, SIG_DFL);  // Catch2 reports them
    Verdict verdict;
    try {
      verdict = judge(which, f, expected);
    } catch (const std::exception& e) {
      verdict.fault = std::string("afterwards: ") + e.what();
    }
    const std::string text = std::string{static_cast<char>(verdict.outcome), static_cast<char>(verdict.hdf5),
                                         static_cast<char>(verdict.unusable)} +
                             verdict.fault;
    ::_exit(::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string text(4096, '\0');
  std::size_t size = 0;
  for (ssize_t got = 0; (got = ::read(pipe[0], text.data() + size, text.size() - size)) > 0;)
    size += static_cast<std::size_t>(got);
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  Verdict verdict;
  // HDF5 1.10.8 uses null pointers, or ends the process where the table of its identifiers cannot grow (uthash_fatal).
  constexpr int kEndOfHdf5 = 255;
  if (in_hdf5() && (WIFSIGNALED(status) || WEXITSTATUS(status) == kEndOfHdf5)) {
    verdict.outcome = Outcome::ended;
    if (f.look) f.look();  // clears away what it left
    return verdict;
  }
  if (status != 0 || size < 3) {
    verdict.fault = "the process ended with status " + std::to_string(status);
    return verdict;
  }
  verdict.outcome = static_cast<Outcome>(text[0]);
  verdict.hdf5 = text[1] != 0;
  verdict.unusable = text[2] != 0;
  verdict.fault = text.substr(3, size - 3);
  return verdict;
}

}  // namespace

long fail_allocations(const std::string& name, Which which, const Failing& failing) {
  INFO(name);
  undisturbed(failing);
  const std::string expected = failing.result();
  undisturbed(failing);
  const long count = count_allocations(failing), step = which == Which::every ? 1 : std::max(count / 40, 1L);
  // Some begin anywhere in the first stride, so that they are not always of the same kind.
  const long first = static_cast<long>(std::hash<std::string>()(name) % static_cast<unsigned long>(step));
  std::array<long, 4> outcomes{};
  long failed = 0, unusable = 0;
  int faults = 0;
  for (long at = first;; at += step) {
    const Verdict verdict = failing.in_child ? judge_in_child(at, failing, expected) : judge(at, failing, expected);
    INFO("allocation " << at << (verdict.hdf5 ? " (HDF5's)" : "") << ": " << verdict.fault);
    CHECK(verdict.fault.empty());
    if (!verdict.fault.empty() && ++faults == 20) break;
    if (verdict.outcome == Outcome::undisturbed) break;
    if (verdict.fault.empty()) ++outcomes.at(static_cast<std::size_t>(verdict.outcome));
    ++failed;
    unusable += verdict.unusable ? 1 : 0;
  }
  if (failing.in_child && chosen_allocations() == Which::every)
    std::cout << name << ": " << failed << " allocations, " << outcomes[1] << " OutOfMemory, " << outcomes[2]
              << " other errors about the file, " << outcomes[0] << " done without; after " << unusable
              << " HDF5 was unusable, " << outcomes[3] << " times it ended the process\n";
  return failed;
}

}  // namespace dsasrgs::test

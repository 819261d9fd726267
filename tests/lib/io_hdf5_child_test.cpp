// SPDX-License-Identifier: Apache-2.0
// file_reading.hpp: files read by a child process, which may crash, hang or lie.

#include <fcntl.h>
#include <hdf5.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/file_reading.hpp"
#include "dsasrgs/io.hpp"
#include "files/hdf5_file.hpp"
#include "files/hdf5_messages.hpp"
#include "files/input_file.hpp"
#include "files/reading_process.hpp"
#include "support/mutation.hpp"
#include "support/reading_child.hpp"
#include "support/small_acquisition.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::TemporaryFolder;

namespace {

int open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

/// A file whose one attribute `format` is a string of variable length, and of which the size of its global heap object
/// is `size`: 7 is right.
void write_heap(const std::filesystem::path& path, std::uint64_t size) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t attribute = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
  const char* text = "dsasrgs";
  H5Awrite(attribute, type, &text);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  std::string bytes = test::read_bytes(path);
  const std::size_t heap = bytes.find("GCOL");
  REQUIRE(heap != std::string::npos);
  constexpr std::size_t kHeader = 16, kSizeInObject = 8;
  std::memcpy(bytes.data() + heap + kHeader + kSizeInObject, &size, sizeof size);
  test::write_bytes(path, bytes);
}

template <class T>
std::string bytes_of_struct(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string answer(const std::string& bytes, Answer::Kind kind = Answer::Kind::answer) {
  return bytes_of_struct(Answer{kind, 0, bytes.size()}) + bytes;
}

}  // namespace

TEST_CASE("hdf5 child: an acquisition is the same as read in this process", "[io][hdf5]") {
  const TemporaryFolder folder;
  const Acquisition a = test::small_acquisition();
  write_acquisition(folder / "a.h5", a);
  const int descriptors = open_descriptors();
  {
    const test::ReadInChild child;
    const Acquisition b = read_acquisition(folder / "a.h5");
    CHECK(b.projections == a.projections);
    CHECK(b.valid == a.valid);
    CHECK(b.reference_volume->values == a.reference_volume->values);
    CHECK(b.reference_volume->time_s == a.reference_volume->time_s);
    CHECK(b.poses[2].source_mm.x == a.poses[2].source_mm.x);
    require_error<BadInput>([&] { Hdf5Reader(folder / "a.h5").read<float>("/nothing", {1}); },
                            {"a.h5: /nothing: expected a dataset, found nothing"});
    CHECK(read_format(folder / "a.h5") == "dsasrgs.acquisition");
  }
  CHECK(open_descriptors() == descriptors);
  CHECK_FALSE(has_children());
}

TEST_CASE("hdf5 child: crashes and endless loops of the HDF5 library are errors", "[io][hdf5][long]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  const test::ReadInChild child;
  write_heap(path, 7);
  CHECK(read_format(path) == "dsasrgs");
  write_heap(path, std::uint64_t{1} << 40);
  const int descriptors = open_descriptors();
  {
    const Hdf5Reader file(path);
    for (int again = 0; again < 2; ++again)
      require_error<BadInput>([&] { file.attribute<std::string>("/", "format"); },
                              {path, "/@format", "an HDF5 file that can be read", "damage"});
  }
  write_heap(path, static_cast<std::uint64_t>(-16));
  const auto begin = std::chrono::steady_clock::now();
  require_error<BadInput>([&] { read_format(path); }, {path, "/@format", "damage that leads to an endless loop"});
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
  CHECK(open_descriptors() == descriptors);
  CHECK_FALSE(has_children());
}

TEST_CASE("hdf5 child: a command that does not read is said to be none", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_acquisition(path, test::small_acquisition());
  const auto read = [&] { read_format(path); };
  read_files_through({"/no/such/program"});
  CHECK(file_reading_command() == std::vector<std::string>{"/no/such/program"});
  require_error<IoError>(read, {path, "cannot start /no/such/program", "No such file"});
  read_files_through({"true"});
  require_error<IoError>(read, {path, "expected true to read files", "an end of the process"});
  read_files_through({"sh", "-c", "echo something else entirely >&3"});
  require_error<IoError>(read, {path, "another program or version"});
  read_files_through({});
  CHECK(read_format(path) == "dsasrgs.acquisition");
  CHECK_FALSE(has_children());
}

TEST_CASE("hdf5 child: one that sleeps is not waited for", "[io][hdf5]") {
  const TemporaryFolder folder;
  write_acquisition(folder / "a.h5", test::small_acquisition());
  const InputFile file(folder / "a.h5");
  ReadingProcess child({"sleep", "1000"}, file.descriptor(), "a.h5", "the HDF5 library");
  child.allow(std::chrono::seconds(60));
  char byte = 0;
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(child.receive(&byte, 1, std::chrono::milliseconds(200)));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  CHECK(child.end() == "silence of the process that reads it");
  CHECK_FALSE(has_children());
}

TEST_CASE("hdf5 child: whatever it answers is checked", "[io][hdf5]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5", answers = folder / "answers";
  write_acquisition(path, test::small_acquisition());
  const std::string opened = std::string(kGreeting) + answer("");
  StoredArray array;
  array.type = ElementType::float32;
  array.type_in_words = "float32";
  array.element_bytes = 4;
  const auto facts = [&](const Shape& shape, ElementType type = ElementType::float32) {
    array.shape = shape;
    array.type = type;
    return to_message(array);
  };
  ReadingRefusal refusal{ReadingRefusal::Kind::bad_input, "/x", "this", "that"};
  // Gone a moment after it ran out of answers.
  read_files_through({"sh", "-c", "cat \"$0\" >&3; exec timeout 0.2 cat <&3 >/dev/null", answers});
  const auto read = [&](const std::string& rest) {
    test::write_bytes(answers, opened + rest);
    return Hdf5Reader(path).read<float>("/x", {kAnyExtent});
  };
  CHECK(read(answer(facts({2})) + answer(std::string(8, '\0'))) == std::vector<float>{0, 0});
  require_error<BadInput>([&] { read(answer(to_message(refusal), Answer::Kind::refusal)); },
                          {"/x: expected this, found that"});
  const auto refused = [&](const std::string& rest) {
    require_error<BadInput>([&] { read(rest); }, {path, "/x", "damage that leads to"});
  };
  refused("");
  refused("half an answer");
  refused(bytes_of_struct(Answer{Answer::Kind::answer, 0, std::uint64_t{1} << 60}));
  refused(bytes_of_struct(Answer{Answer::Kind::refusal, 0, std::uint64_t{1} << 40}));
  refused(bytes_of_struct(Answer{static_cast<Answer::Kind>(7), 0, 0}));
  refused(answer("not what an array looks like"));
  refused(answer(facts({2}) + "more"));
  refused(answer(facts(Shape(33, 1))));
  refused(answer(facts({2}, static_cast<ElementType>(99))));
  refused(answer("nor a refusal", Answer::Kind::refusal));
  refused(answer(facts({2})) + answer(std::string(9, '\0')));  // more than was asked for
  refused(answer(facts({2})) + answer(""));
  refusal.kind = static_cast<ReadingRefusal::Kind>(9);
  refused(answer(to_message(refusal), Answer::Kind::refusal));
  for (const Shape& shape : {Shape{std::size_t{1} << 62}, Shape{std::size_t{1} << 40}})
    require_error<BadInput>([&] { read(answer(facts(shape))); }, {path, "/x", "which cannot hold them"});
  array.element_bytes = std::size_t{1} << 40;
  require_error<BadInput>([&] { read(answer(facts({2}))); }, {path, "/x", "which cannot hold them"});
  // Half of the values, and the end.
  array.element_bytes = 4;
  refused(answer(facts({2})) + answer(std::string(4, '\0')));
  // Another array when it is asked again: the first answer counts.
  test::write_bytes(answers, opened + answer(facts({2, 1})) + answer(std::string(4, '\0')) + answer(facts({0, 0})) +
                                 answer(std::string(4, '\0')));
  {
    const Hdf5Reader file(path);
    float value = 1;
    file.read_slab("/x", 0, std::span(&value, 1));
    require_error<BadInput>([&] { file.read_slab("/x", 1, std::span(&value, 1)); }, {path, "/x", "damage that leads"});
  }
  read_files_through({});
  CHECK_FALSE(has_children());
}

TEST_CASE("hdf5 child: it ends at a question that no reader asks", "[io][hdf5]") {
  const TemporaryFolder folder;
  write_acquisition(folder / "a.h5", test::small_acquisition());
  const InputFile file(folder / "a.h5");
  const auto end_after = [&](const std::vector<Request>& requests) {
    ReadingProcess child({"/proc/self/exe", test::kReadForAnother}, file.descriptor(), "a.h5", "the HDF5 library");
    child.allow(std::chrono::seconds(60));
    std::string greeting(kGreeting.size(), '\0');
    REQUIRE(child.receive(greeting.data(), greeting.size(), std::chrono::seconds(60)));
    for (const Request& request : requests) child.send(&request, sizeof request);
    Answer answer;
    const std::chrono::seconds wait(20);
    while (child.receive(&answer, sizeof answer, wait)) {
      std::string bytes(answer.bytes, '\0');
      child.receive(bytes.data(), bytes.size(), wait);
    }
    return child.end();
  };
  const std::string quietly = "an end of the process that reads it";
  const Request open;
  CHECK(end_after({{.question = Question::has}}) == quietly);  // before a file is open
  CHECK(end_after({open, open}) == quietly);
  CHECK(end_after({open, {.question = static_cast<Question>(99)}}) == quietly);
  CHECK(end_after({open, {.question = Question::rows, .number = static_cast<ElementType>(99)}}) == quietly);
  CHECK(end_after({open, {.question = Question::has, .object_bytes = 0xFFFFFFFF}}) == quietly);
  CHECK(end_after({open, {.question = Question::has, .attribute_bytes = 0xFFFFFFFF}}) == quietly);
  CHECK(end_after({open, {.question = Question::attribute_values, .count = std::uint64_t{1} << 62}}) == quietly);
}

TEST_CASE("hdf5 child: it is out of the reach of this program's Ctrl-C and holds none of its files", "[io][hdf5]") {
  const TemporaryFolder folder;
  write_acquisition(folder / "a.h5", test::small_acquisition());
  const int kept = ::open((folder / "a.h5").c_str(), O_RDONLY);  // left open across exec on purpose
  const test::ReadInChild set;
  const Hdf5Reader file(folder / "a.h5");
  pid_t child = 0;
  std::ifstream("/proc/self/task/" + std::to_string(::gettid()) + "/children") >> child;
  REQUIRE(child > 0);
  CHECK(::getpgid(child) == child);
  const std::filesystem::directory_iterator descriptors("/proc/" + std::to_string(child) + "/fd");
  CHECK(std::distance(begin(descriptors), end(descriptors)) == 6);  // 0 to 2, the socket, the file, HDF5's own
  ::close(kept);
}

TEST_CASE("hdf5 child: two threads read at once, with and without children", "[io][hdf5]") {
  const TemporaryFolder folder;
  const Acquisition a = test::small_acquisition();
  write_acquisition(folder / "a.h5", a);
  const auto read_in_two_threads = [&] {
    std::vector<int> right(2, 0);
    std::vector<std::thread> threads;
    for (int& count : right)
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i)
          if (read_acquisition(folder / "a.h5").projections == a.projections) ++count;
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(right == std::vector<int>{5, 5});
  };
  read_in_two_threads();
  {
    const test::ReadInChild child;
    read_in_two_threads();
    // One reader asked by both: an answer is not mixed up with another.
    const Hdf5Reader file(folder / "a.h5");
    std::thread other([&] {
      for (int i = 0; i < 50; ++i) file.shape("/projections");
    });
    for (int i = 0; i < 50; ++i) CHECK(file.attribute<std::string>("/", "format") == "dsasrgs.acquisition");
    other.join();
  }
  CHECK_FALSE(has_children());
}

// [long]: a process takes 50 ms to start. tests/reliability/mutated_files.sh does the same ten thousand times.
TEST_CASE("hdf5 child: damage anywhere is an error or read", "[io][hdf5][long]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_acquisition(path, test::small_acquisition());
  const std::string whole = test::read_bytes(path);
  const test::ReadInChild child;
  std::mt19937 random(1);
  constexpr int kFiles = 60;
  int read = 0, refused = 0;
  for (int k = 0; k < kFiles; ++k) {
    test::write_bytes(path, test::mutated(whole, random));
    try {
      read_acquisition(path);
      ++read;
    } catch (const Error& e) {
      INFO(e.what());
      CHECK((dynamic_cast<const BadInput*>(&e) != nullptr || dynamic_cast<const OutOfMemory*>(&e) != nullptr ||
             dynamic_cast<const IoError*>(&e) != nullptr));
      ++refused;
    }
  }
  CHECK(read + refused == kFiles);
  CHECK(refused > 0);
  CHECK_FALSE(has_children());
}

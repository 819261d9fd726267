// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files read in a child process (dsasrgs/file_reading.hpp), which is not trusted.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "files/hdf5_messages.hpp"
#include "files/hdf5_source.hpp"
#include "files/input_file.hpp"
#include "files/reading_dialogue.hpp"

namespace dsasrgs {

class RemoteHdf5 final : public Hdf5Source {
 public:
  /// Throws IoError, naming `name`, where `command` cannot be started or is no reader of this build. The file stays
  /// open.
  RemoteHdf5(const std::vector<std::string>& command, const InputFile& file, const std::string& name);

  bool has(const std::string& object) override;
  bool has_attribute(const std::string& object, const std::string& attribute) override;
  StoredArray dataset(const std::string& dataset) override;
  StoredArray attribute(const std::string& object, const std::string& attribute) override;
  void read_rows(const std::string& dataset, std::size_t first, std::size_t count, ElementType number,
                 std::span<std::byte> to) override;
  void read_attribute(const std::string& object, const std::string& attribute, ElementType number,
                      std::span<std::byte> to) override;
  std::string read_string(const std::string& object, const std::string& attribute) override;

 private:
  void send(Request, const std::string& object, const std::string& attribute, std::size_t bytes);
  /// A question with a short answer.
  std::string ask(Question, const std::string& object, const std::string& attribute, std::size_t most);
  void read_values(const Request&, const std::string& object, const std::string& attribute, std::span<std::byte> to);

  std::mutex one_at_a_time_;
  std::size_t file_bytes_;
  std::map<std::string, StoredArray> datasets_;  ///< that were asked about: what a dataset is does not change
  ReadingDialogue dialogue_;
};

}  // namespace dsasrgs

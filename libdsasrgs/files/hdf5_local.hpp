// SPDX-License-Identifier: Apache-2.0
#pragma once
// HDF5 files read in this process.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "files/hdf5_source.hpp"

namespace dsasrgs {

class LocalHdf5 final : public Hdf5Source {
 public:
  /// Opens the file at `path`, which has `file_bytes`. Takes no lock: see InputFile.
  LocalHdf5(const std::string& path, std::size_t file_bytes);
  ~LocalHdf5() override;

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
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsasrgs

// SPDX-License-Identifier: Apache-2.0
// In place of dicom_seeds.cpp in a build without DCMTK, which has no targets for them.
#include "dicom_seeds.hpp"

namespace dsasrgs::fuzz {

void write_dicom_seeds(const std::function<std::filesystem::path(const std::string&, const std::string&)>&) {}

}  // namespace dsasrgs::fuzz

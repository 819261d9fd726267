#pragma once
// On what numbers were made.

#include <nlohmann/json.hpp>

namespace dsasrgs::program {

/// Processor, its number of threads, the commit the program was built from ("unknown" outside a git clone), and when
/// (UTC).
nlohmann::ordered_json machine_as_json();

}  // namespace dsasrgs::program

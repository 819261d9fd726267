// SPDX-License-Identifier: Apache-2.0
#pragma once
// On what numbers were made.

#include <nlohmann/json.hpp>
#include <string>

namespace dsasrgs::program {

struct MachineFacts {
  std::string processor;
  unsigned processor_threads = 0;
  std::string commit;    ///< that the program was built from; "unknown" outside a git clone
  std::string finished;  ///< when, UTC
};

/// Such as 2026-11-30T05:20:00Z.
std::string now_utc();
/// Of this machine, now.
MachineFacts machine_facts();
nlohmann::ordered_json as_json(const MachineFacts&);

}  // namespace dsasrgs::program

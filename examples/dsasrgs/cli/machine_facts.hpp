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

/// Of this machine, now.
MachineFacts machine_facts();
nlohmann::ordered_json as_json(const MachineFacts&);

}  // namespace dsasrgs::program

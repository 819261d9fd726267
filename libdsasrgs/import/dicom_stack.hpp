// SPDX-License-Identifier: Apache-2.0
#pragma once
// Room for DCMTK to read what lies deep: it calls itself for each sequence within a sequence, without a limit.

#include <filesystem>
#include <functional>
#include <string>

namespace dsasrgs {

/// Calls `read` on a thread whose stack is large enough for every item of the file to lie within another. Throws what
/// it throws, BadInput, with this name of the file, where a file has more items than any that is meant, and OutOfMemory
/// where there is no such stack.
void read_on_deep_stack(const std::filesystem::path&, const std::string& name, const std::function<void()>& read);

}  // namespace dsasrgs

// SPDX-License-Identifier: Apache-2.0
#pragma once
// The context the tests run on, chosen by --backend.

#include "dsasrgs/context.hpp"

namespace dsasrgs::test {

/// The backend named on the command line.
Backend selected_backend();
void select_backend(Backend);
/// A fresh context of the selected backend; threads only matters for the CPU.
Context make_context(int threads = 2);
/// Whether the device is the host's emulation, where long runs take too long.
bool is_emulated(const Context&);

/// Whether ThreadSanitizer watches. Cases that are only larger, not different, are then left out to keep to minutes.
#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitized = true;
#else
constexpr bool kThreadSanitized = false;
#endif

}  // namespace dsasrgs::test

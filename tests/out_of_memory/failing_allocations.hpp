#pragma once
// Allocations of this program that fail when asked to: operator new everywhere, and malloc in what is linked statically
// (the library, Eigen, nanoflann), which the linker wraps (not the rows that
// Highway, a shared library, allocates: their operators look at a null themselves).

namespace dsasrgs::test {

/// Until disarm(), allocation number `which` (from 0, by any thread) fails, once.
void fail_allocation(long which);
/// Whether it did.
bool disarm();

}  // namespace dsasrgs::test

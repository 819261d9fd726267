// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// What a shared libdsasrgs shows to the programs that link it: the public headers' namespaces. The rest of the library
/// is compiled with hidden visibility.

/// Marks what a shared library shows.
#define DSASRGS_API [[gnu::visibility("default")]]

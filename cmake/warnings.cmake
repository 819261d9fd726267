# SPDX-License-Identifier: Apache-2.0
# Flags every target of this project shares: warnings, reproducible floating point, sanitizers.
add_library(dsasrgs_flags INTERFACE)
target_compile_options(dsasrgs_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -ffp-contract=off>)
if(DSASRGS_WARNINGS_AS_ERRORS)
  target_compile_options(dsasrgs_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(DSASRGS_SANITIZE)
  # The first report ends the process: UBSan alone would print it and go on, and the test would pass. Not of dynamic
  # types: that check opens a pipe, which the child that reads files may not, and takes every object for a wrong one.
  target_compile_options(dsasrgs_flags INTERFACE -fsanitize=${DSASRGS_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g)
  target_link_options(dsasrgs_flags INTERFACE -fsanitize=${DSASRGS_SANITIZE})
endif()
if((DSASRGS_FUZZ OR DSASRGS_COVERAGE) AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "DSASRGS_FUZZ, DSASRGS_COVERAGE: expected clang, found ${CMAKE_CXX_COMPILER_ID}")
endif()
if(DSASRGS_COVERAGE)
  target_compile_options(dsasrgs_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(dsasrgs_flags INTERFACE -fprofile-instr-generate)
elseif(DSASRGS_FUZZ)
  target_compile_options(dsasrgs_flags INTERFACE -fsanitize=fuzzer-no-link
    -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/fuzz/ignored.txt)
endif()

# On x86, vector code is compiled for AVX-512, AVX2 and scalar, and chosen at run time (others would only add size).
set(DSASRGS_HWY_DEFINITIONS "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3_DL)")
if(DSASRGS_COVERAGE)  # once: of a source that is compiled again and again, llvm-cov counts the last time only
  list(APPEND DSASRGS_HWY_DEFINITIONS HWY_COMPILE_ONLY_STATIC)
endif()

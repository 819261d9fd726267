# Flags every target of this project shares: warnings, reproducible floating point, sanitizers.
add_library(dsasrgs_flags INTERFACE)
target_compile_options(dsasrgs_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -ffp-contract=off>)
if(DSASRGS_WARNINGS_AS_ERRORS)
  target_compile_options(dsasrgs_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(DSASRGS_SANITIZE)
  target_compile_options(dsasrgs_flags INTERFACE -fsanitize=${DSASRGS_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(dsasrgs_flags INTERFACE -fsanitize=${DSASRGS_SANITIZE})
endif()

# Vector code is compiled for these x86 targets and chosen at run time: SSE2, AVX2, AVX-512 (others would only add size).
set(DSASRGS_HWY_DEFINITIONS "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3_DL)")

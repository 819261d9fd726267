# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=… -DHEADER=… -P source_commit.cmake: a header with the commit of the source tree, touched only when it
# changes.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=10 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "")
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#pragma once\n#define DSASRGS_SOURCE_COMMIT \"@commit@\"\n" @ONLY)

# SPDX-License-Identifier: Apache-2.0
# How the library is put together. Most sources do not know whether there is a CUDA backend; they are compiled once
# (dsasrgs_host). The few that ask, and the CUDA bodies, are compiled once per flavour: a flavour is the library with no
# CUDA backend (OFF), with NVIDIA's compiler (ON), or with the .cu files run on the host (EMULATED).

file(GLOB DSASRGS_HOST_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/libdsasrgs/*.cpp
     ${PROJECT_SOURCE_DIR}/libdsasrgs/*/*.cpp ${PROJECT_SOURCE_DIR}/kernels/*/*.cpp)
if(DCMTK_FOUND)
  list(FILTER DSASRGS_HOST_SOURCES EXCLUDE REGEX "/import/dicom_absent.cpp")
else()
  list(FILTER DSASRGS_HOST_SOURCES EXCLUDE REGEX "/import/dicom")
  list(APPEND DSASRGS_HOST_SOURCES ${PROJECT_SOURCE_DIR}/libdsasrgs/import/dicom_absent.cpp)
endif()
# The C interface last, in a unity batch of its own as far as may be: no other source needs compiling again for it.
set(c_sources ${DSASRGS_HOST_SOURCES})
list(FILTER c_sources INCLUDE REGEX "/libdsasrgs/c_api/")
list(REMOVE_ITEM DSASRGS_HOST_SOURCES ${c_sources})
list(APPEND DSASRGS_HOST_SOURCES ${c_sources})
file(GLOB DSASRGS_CUDA_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*/*.cu)
set(DSASRGS_FLAVOUR_SOURCES ${PROJECT_SOURCE_DIR}/kernels/common/context.cpp ${PROJECT_SOURCE_DIR}/kernels/common/buffer.cpp
    ${PROJECT_SOURCE_DIR}/kernels/common/submission.cpp ${PROJECT_SOURCE_DIR}/kernels/common/stage_clock.cpp)
file(GLOB operators RELATIVE ${PROJECT_SOURCE_DIR}/kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*)
foreach(operator ${operators})
  set(source ${PROJECT_SOURCE_DIR}/kernels/${operator}/${operator}.cpp)
  if(EXISTS ${source})
    list(APPEND DSASRGS_FLAVOUR_SOURCES ${source})
  endif()
endforeach()
list(REMOVE_ITEM DSASRGS_HOST_SOURCES ${DSASRGS_FLAVOUR_SOURCES})
# Sources that are a translation unit each where others are put together: operators (Highway includes their sources anew),
# point_tree.cpp (GCC warns of its types without linkage), what is of DICOM (macros of DCMTK in most).
set(DSASRGS_ALONE_SOURCES ${DSASRGS_HOST_SOURCES} ${DSASRGS_FLAVOUR_SOURCES})
list(FILTER DSASRGS_ALONE_SOURCES INCLUDE REGEX "/kernels/|/point_tree.cpp|/dicom_(frames|geometry|masks|pixels|run|server|tags|times|values|views).cpp")

# Include paths, definitions and libraries of everything the library is made of. A shared library shows the public headers
# (DSASRGS_API) and nothing else, unless DSASRGS_HIDE_INTERNALS is off.
function(dsasrgs_use_dependencies target)
  if(DSASRGS_HIDE_INTERNALS)
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON)
  endif()
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/kernels ${PROJECT_SOURCE_DIR}/libdsasrgs)
  target_include_directories(${target} SYSTEM PRIVATE ${HDF5_INCLUDE_DIRS} ${DSASRGS_TOML_INCLUDE}
    ${DSASRGS_RANDOM123_INCLUDE} ${DSASRGS_NANOFLANN_INCLUDE} ${DSASRGS_STB_INCLUDE})
  target_compile_definitions(${target} PRIVATE ${HDF5_DEFINITIONS} "${DSASRGS_HWY_DEFINITIONS}"
    ${DSASRGS_FORMAT_DEFINITIONS})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:dsasrgs_flags> OpenMP::OpenMP_CXX ${HDF5_C_LIBRARIES}
    hwy::hwy ZLIB::ZLIB $<BUILD_INTERFACE:Eigen3::Eigen> $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>
    ${DSASRGS_FORMAT_LIBRARIES})
endfunction()

# add_library(target) of one flavour; further arguments: STATIC, or what BUILD_SHARED_LIBS says. An EMULATED flavour must
# be added in a directory of its own, because there the .cu files are C++.
function(dsasrgs_add_flavour target cuda)
  add_library(${target} ${ARGN} $<TARGET_OBJECTS:dsasrgs_host> ${DSASRGS_FLAVOUR_SOURCES})
  dsasrgs_use_dependencies(${target})
  if(cuda STREQUAL "OFF")
    target_compile_definitions(${target} PRIVATE DSASRGS_HAS_CUDA=0)
    return()
  endif()
  target_compile_definitions(${target} PRIVATE DSASRGS_HAS_CUDA=1)
  set(cuda_sources ${DSASRGS_CUDA_SOURCES})
  if(cuda STREQUAL "EMULATED")
    set(emulation ${PROJECT_SOURCE_DIR}/tests/emulation)
    list(REMOVE_ITEM cuda_sources ${PROJECT_SOURCE_DIR}/kernels/common/sort_scan.cu)
    file(GLOB emulation_sources CONFIGURE_DEPENDS ${emulation}/*.cpp)
    set(options -xc++ -Wno-unknown-pragmas)
    if(DSASRGS_DEVICE_ARITHMETIC)
      list(APPEND options -mfma -ffp-contract=fast -DDSASRGS_DEVICE_ARITHMETIC)
    endif()
    set_source_files_properties(${cuda_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "${options}")
    target_sources(${target} PRIVATE ${cuda_sources} ${emulation_sources})
    target_include_directories(${target} PRIVATE ${emulation}/include ${emulation})
    target_link_libraries(${target} PRIVATE Boost::context)
    if(DSASRGS_SANITIZE STREQUAL "thread")  # the scheduler of the fibers is not part of what is checked
      set_source_files_properties(${emulation}/execution.cpp PROPERTIES
        COMPILE_OPTIONS "-fno-sanitize=thread;-DEMULATION_THREAD_SANITIZER=1")
    endif()
  else()
    target_sources(${target} PRIVATE ${cuda_sources})
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -lineinfo -Xcompiler=-Wall,-Wextra,-fopenmp>)
    target_link_libraries(${target} PRIVATE CUDA::cudart_static)
  endif()
endfunction()

# SPDX-License-Identifier: Apache-2.0
# Installation: the library, its public headers and the package configuration for find_package(dsasrgs).
include(CMakePackageConfigHelpers)

# Components are the packages of cmake/package.cmake; `cmake --install` takes all.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)
install(TARGETS dsasrgs EXPORT dsasrgsTargets LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/dsasrgs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/dsasrgs/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dsasrgs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dsasrgs)
install(EXPORT dsasrgsTargets NAMESPACE dsasrgs:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/dsasrgsConfig.cmake.in
  ${PROJECT_BINARY_DIR}/dsasrgsConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/dsasrgsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/dsasrgsConfig.cmake ${PROJECT_BINARY_DIR}/dsasrgsConfigVersion.cmake
  DESTINATION ${package_dir})

# For builds without CMake: `pkg-config --cflags --libs dsasrgs`, with --static for a static library.
set(private_libraries ${HDF5_C_LIBRARIES} ${DSASRGS_FORMAT_LINK_FLAGS} -lhwy -lz -lgomp -lstdc++ -lm)
if(DSASRGS_CUDA_FLAVOUR STREQUAL "ON")
  list(APPEND private_libraries -L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -lpthread -lrt -ldl)
endif()
list(JOIN private_libraries " " private_libraries)
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/dsasrgs.pc.in ${PROJECT_BINARY_DIR}/dsasrgs.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/dsasrgs.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

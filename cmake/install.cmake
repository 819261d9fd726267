# Installation: the library, its public headers and the package configuration for find_package(dsasrgs).
include(CMakePackageConfigHelpers)

install(TARGETS dsasrgs EXPORT dsasrgsTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/dsasrgs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(FILES ${PROJECT_BINARY_DIR}/include/dsasrgs/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dsasrgs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dsasrgs)
install(EXPORT dsasrgsTargets NAMESPACE dsasrgs:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/dsasrgsConfig.cmake.in
  ${PROJECT_BINARY_DIR}/dsasrgsConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/dsasrgsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/dsasrgsConfig.cmake ${PROJECT_BINARY_DIR}/dsasrgsConfigVersion.cmake
  DESTINATION ${package_dir})

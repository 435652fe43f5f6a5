# What a program outside the tree builds against: headers, one static library, a CMake package, a pkg-config file. The library
# is the objects of the folders that it is made of, in one archive; what they need besides is named to whoever links it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(objects "")
foreach(folder ${TIDEGATE_LIBRARY_FOLDERS})
  list(APPEND objects "$<TARGET_OBJECTS:tidegate_${folder}>")
endforeach()
# The log is the program's; a library hands its notices to its caller.
add_library(tidegate_library STATIC "$<FILTER:${objects},EXCLUDE,/log\\.cc\\.o$>")
set_target_properties(tidegate_library PROPERTIES OUTPUT_NAME tidegate EXPORT_NAME tidegate LINKER_LANGUAGE CXX)
target_compile_features(tidegate_library INTERFACE cxx_std_23)
target_include_directories(tidegate_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(tidegate_library INTERFACE $<INSTALL_INTERFACE:fmt::fmt> $<INSTALL_INTERFACE:PkgConfig::TIDEGATE_MARIADB>
  $<INSTALL_INTERFACE:Threads::Threads>)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tidegate)
configure_package_config_file(cmake/tidegateConfig.cmake.in tidegateConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(tidegateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH TIDEGATE_PREFIX_FROM_PC "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/tidegate.pc.in tidegate.pc @ONLY)

install(TARGETS tidegate_library EXPORT tidegateTargets COMPONENT library)
install(EXPORT tidegateTargets NAMESPACE tidegate:: DESTINATION ${package_folder} COMPONENT library)
install(DIRECTORY include/tidegate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tidegateConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/tidegateConfigVersion.cmake"
  DESTINATION ${package_folder} COMPONENT library)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tidegate.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

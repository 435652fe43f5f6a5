# tidegate_layer(<folder> [LINK <libraries>..]): one static library of a folder of src/, its tests beside it.
#   x.cc        goes into the library tidegate_<folder> (sub-folders included);
#   x_test.cc   goes into the program <folder>_test, which CTest runs as one test.
# The links are the layers: a folder names each library that it uses, and tests/toolchain holds the #includes against them.
function(tidegate_layer folder)
  cmake_parse_arguments(LAYER "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(library tidegate_${folder})
  if(sources)
    add_library(${library} STATIC ${sources})
    target_link_libraries(${library} PUBLIC tidegate_options ${LAYER_LINK})
  else()
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE tidegate_options ${LAYER_LINK})
  endif()

  if(BUILD_TESTING AND tests)
    add_executable(${folder}_test ${tests})
    target_link_libraries(${folder}_test PRIVATE ${library} GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME unit.${folder} COMMAND ${folder}_test WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(unit.${folder} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()

# tidegate_fuzz(<name> <source> LINK <libraries>..): a libFuzzer program under TIDEGATE_FUZZ; elsewhere nothing.
function(tidegate_fuzz name source)
  if(NOT TIDEGATE_FUZZ)
    return()
  endif()
  cmake_parse_arguments(FUZZ "" "" "LINK" ${ARGN})
  add_executable(fuzz_${name} ${source})
  target_link_libraries(fuzz_${name} PRIVATE tidegate_options ${FUZZ_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()

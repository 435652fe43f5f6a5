# What every target is built with: the language, the warnings, the sanitizer of the preset.
option(TIDEGATE_BENCH "Build the benchmarks" OFF)
option(TIDEGATE_FUZZ "Build the fuzz targets (clang only)" OFF)
set(TIDEGATE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(TIDEGATE_CCACHE ccache)
if(TIDEGATE_CCACHE)
  # What one checkout has compiled serves the next, wherever it lies.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
    "${TIDEGATE_CCACHE}")
endif()

add_library(tidegate_options INTERFACE)
target_compile_options(tidegate_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wunused -Werror -fno-omit-frame-pointer)
target_compile_definitions(tidegate_options INTERFACE TIDEGATE_VERSION="${PROJECT_VERSION}")
target_include_directories(tidegate_options INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(tidegate_options INTERFACE -Wthread-safety)
  find_program(TIDEGATE_LLD NAMES ld.lld-19)
  if(TIDEGATE_LLD)
    target_link_options(tidegate_options INTERFACE "-fuse-ld=lld-19")
  endif()
endif()
if(TIDEGATE_SANITIZE)
  target_compile_options(tidegate_options INTERFACE "-fsanitize=${TIDEGATE_SANITIZE}" -fno-sanitize-recover=all)
  target_link_options(tidegate_options INTERFACE "-fsanitize=${TIDEGATE_SANITIZE}")
endif()
if(TIDEGATE_FUZZ)
  target_compile_options(tidegate_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tidegate_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

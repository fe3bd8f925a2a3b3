# Everything comes from Debian 12 packages; docs/DEPENDENCIES.md says why each is here.
find_package(Threads REQUIRED)
set(Protobuf_USE_STATIC_LIBS ON)  # as Archives.cmake says
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
if(SWARM_TESTS)
  find_package(GTest REQUIRED)
endif()
include(Archives)
# CRC32C of the raft log. Debian has no package of google/crc32c; ISA-L computes the same sum faster.
find_library(ISAL_LIBRARY isal REQUIRED)
add_library(swarm_isal INTERFACE)
target_link_libraries(swarm_isal INTERFACE ${ISAL_LIBRARY})
# From their headers, into the one file that logs (Archives.cmake says why).
add_library(swarm_spdlog INTERFACE)
target_compile_definitions(swarm_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_include_directories(swarm_spdlog SYSTEM INTERFACE
  $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_link_libraries(swarm_spdlog INTERFACE fmt::fmt-header-only)
# The allocator of swarmd and of the benchmarks that stand for it; a sanitizer brings its own.
add_library(swarm_jemalloc INTERFACE)
if(SWARM_SANITIZER STREQUAL "")
  find_library(JEMALLOC_ARCHIVE libjemalloc_pic.a REQUIRED)
  target_sources(swarm_jemalloc INTERFACE ${CMAKE_SOURCE_DIR}/src/daemon/jemalloc_options.cpp)
  target_link_libraries(swarm_jemalloc INTERFACE ${JEMALLOC_ARCHIVE} Threads::Threads ${CMAKE_DL_LIBS} m)
endif()

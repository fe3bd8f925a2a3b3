# swarm_module(NAME [PATH dir] SOURCES ... [DEPENDS module ...] [LIBRARIES target ...]
#              [APART source ... | ALL])
#
# One module, one target. Its headers are exported through a farm of links,
# build/include/NAME/PATH -> src/PATH, so `#include "PATH/x.h"` resolves only in targets that list
# NAME in DEPENDS (or get it through one that does). A forbidden include fails to compile.
# LIBRARIES are third-party targets; those a module's own headers need are public. APART is never
# joined with other files (Unity.cmake).
function(swarm_module name)
  cmake_parse_arguments(ARG "" "PATH" "SOURCES;DEPENDS;LIBRARIES;PRIVATE_LIBRARIES;APART" ${ARGN})
  if(NOT ARG_PATH)
    set(ARG_PATH ${name})
  endif()
  set(farm ${CMAKE_BINARY_DIR}/include/${name})
  cmake_path(GET ARG_PATH PARENT_PATH parent)
  file(MAKE_DIRECTORY ${farm}/${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${ARG_PATH} ${farm}/${ARG_PATH} SYMBOLIC)

  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${farm})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} ${ARG_LIBRARIES}
                                PRIVATE ${ARG_PRIVATE_LIBRARIES} swarm_warnings)
  swarm_keep_apart(${name} ${ARG_APART})
endfunction()

# swarm_test(NAME MODULES module ... SOURCES ... [LIBRARIES ...] [LABELS ...] [APART ...])
#
# One test program a module, linked with that module alone: a dependency nobody declared is an
# undefined symbol here.
function(swarm_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "MODULES;SOURCES;LIBRARIES;LABELS;APART" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(SWARM_SANITIZER)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 10")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_MODULES} ${ARG_LIBRARIES} GTest::gmock
                                        GTest::gtest_main swarm_warnings)
  swarm_keep_apart(${name} ${ARG_APART})
  target_compile_definitions(${name} PRIVATE
    SWARM_TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

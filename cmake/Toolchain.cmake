# Compiler cache, linker, warnings and sanitizers for every target of ours.

find_program(SWARM_CCACHE ccache)
if(SWARM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SWARM_CCACHE})
endif()

# The default linker spends over a second on each program that carries gRPC.
find_program(SWARM_MOLD mold)
find_program(SWARM_LLD ld.lld)
if(SWARM_MOLD)
  # What only runs at startup, or hardly ever, stays together: mixed among the rest, as is mold's
  # default, it makes nearly every page of the program resident.
  add_link_options(-fuse-ld=mold -Wl,-z,keep-text-section-prefix)
elseif(SWARM_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# Warnings are for our own targets only; generated code links this without them.
add_library(swarm_warnings INTERFACE)
target_compile_options(swarm_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12 with optimization: storage inside std::variant and absl "used
  # uninitialized" (PR 105562), and copies within std::string operator+ "overlapping" (PR 105651).
  target_compile_options(swarm_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # std::stable_sort of libstdc++ 12 calls a function that it calls deprecated (fixed in 13).
  target_compile_options(swarm_warnings INTERFACE -Wno-deprecated-declarations)
endif()

if(SWARM_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(SWARM_SANITIZER STREQUAL "thread")
  # g++ has no fences under TSan, and Asio uses them.
  add_compile_options(-fsanitize=thread -DBOOST_ASIO_DISABLE_FENCED_BLOCK)
  add_link_options(-fsanitize=thread)
elseif(NOT SWARM_SANITIZER STREQUAL "")
  message(FATAL_ERROR "SWARM_SANITIZER is '${SWARM_SANITIZER}': use address or thread")
endif()

# libFuzzer's feedback from everything that it is to look into; tests/fuzz adds its entries.
if(SWARM_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "SWARM_FUZZ needs clang: libFuzzer is part of it")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

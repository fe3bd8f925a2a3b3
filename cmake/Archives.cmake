# Of C++ libraries the archives are linked, not the shared libraries: those of gRPC, Protobuf and
# Abseil are some eighty, and loading them takes longer than a whole command of swarmctl
# (docs/BENCHMARKS.md). With the last of them the shared libstdc++ goes, whose symbols are half of
# what is left to look up. OpenSSL, zlib and c-ares stay shared, so that their security updates arrive
# without a build.
#
# swarm_prefer_archives(PREFIX ...): the imported targets whose names start so, where an archive lies
# beside the shared library.
function(swarm_prefer_archives)
  get_directory_property(targets IMPORTED_TARGETS)
  foreach(prefix IN LISTS ARGN)
    foreach(target IN LISTS targets)
      if(NOT target MATCHES "^${prefix}")
        continue()
      endif()
      foreach(property IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE)
        get_target_property(shared ${target} ${property})
        string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${shared}")
        if(EXISTS "${archive}")
          set_target_properties(${target} PROPERTIES ${property} "${archive}")
        endif()
      endforeach()
    endforeach()
  endforeach()
endfunction()
swarm_prefer_archives(gRPC:: absl::)
find_library(SWARM_RE2_ARCHIVE libre2.a)
if(SWARM_RE2_ARCHIVE)
  # gRPC found it through pkg-config, which names no archive.
  set_target_properties(re2::re2 PROPERTIES INTERFACE_LINK_LIBRARIES ${SWARM_RE2_ARCHIVE})
endif()
if(NOT SWARM_SANITIZER)
  add_link_options(-static-libstdc++ -static-libgcc)
endif()
# A program loads no library that a module it links could have needed and it does not.
add_link_options(-Wl,--as-needed)

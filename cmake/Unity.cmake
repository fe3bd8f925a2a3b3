# SWARM_UNITY joins the files of a target, eight to a compilation: a build from nothing takes half as
# long, as the headers of gRPC, Asio and GoogleTest are read once for eight files; a change of one file
# takes longer. A target says itself what of it stays apart: files that use one name in their unnamed
# namespaces, or with a lambda there that g++ warns of in an included file.
option(SWARM_UNITY "Compile the files of a target together" OFF)
if(SWARM_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
endif()

# swarm_keep_apart(TARGET source ... | ALL)
function(swarm_keep_apart target)
  if("ALL" IN_LIST ARGN)
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  else()
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

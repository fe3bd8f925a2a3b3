# SWARM_UNITY joins the files of a target, eight to a compilation: a build from nothing takes half as
# long, as the headers of gRPC, Asio and GoogleTest are read once for eight files; a change of one file
# takes longer. Left apart is what uses the same name in the unnamed namespaces of several files, or
# has a lambda there that g++ warns of in an included file.
set(unity_apart_targets
  swarm_proto base raft_log dispatcher daemon swarm-sim fuzz_targets fuzz_replay_test manager_test
  raft_log_test raft_simulation_test runtime_docker_test swarm_simulation_test security_tls_test)
set(unity_apart_sources
  api/client/client_local_node.cpp api/client/client_nodes.cpp api/client/client_services.cpp
  api/client/client_swarm.cpp
  api/server/nodes_service.cpp api/server/services_service.cpp api/server/swarm_service.cpp
  api/server/tasks_service.cpp
  cli/node_commands.cpp cli/rows.cpp cli/service_commands.cpp cli/service_read_commands.cpp
  cli/service_write_commands.cpp cli/swarm_commands.cpp cli/top_level_commands.cpp
  manager/node_record.cpp manager/role_manager.cpp)

# To be called after all targets are there.
function(swarm_set_apart)
  foreach(target IN LISTS unity_apart_targets)
    if(TARGET ${target})
      set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
    endif()
  endforeach()
  foreach(source IN LISTS unity_apart_sources)
    string(REGEX MATCH "^(api/client|[a-z]+)" module "${source}")
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/${source}
      DIRECTORY ${CMAKE_SOURCE_DIR}/src/${module} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

option(SWARM_UNITY "Compile the files of a target together" OFF)
if(SWARM_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
  cmake_language(DEFER CALL swarm_set_apart)
endif()

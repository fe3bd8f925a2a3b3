# cmake --install, and a .deb from CPack (cpack -G DEB in the build folder) that starts the unit.
include(GNUInstallDirs)

if(TARGET swarmd AND TARGET swarmctl)
  install(TARGETS swarmd swarmctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

  # The unit names the program where this very install puts it: cmake --install --prefix and CPack
  # choose another place than the one that was configured.
  install(CODE "
    file(READ \"${CMAKE_SOURCE_DIR}/packaging/swarmd.service\" unit)
    string(REPLACE /usr/bin/swarmd \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/swarmd\" unit \"\${unit}\")
    file(WRITE \"${CMAKE_BINARY_DIR}/packaging/swarmd.service\" \"\${unit}\")")
  install(FILES ${CMAKE_BINARY_DIR}/packaging/swarmd.service DESTINATION lib/systemd/system)

  # Completions are printed by swarmctl itself, so that they fit it.
  foreach(shell bash zsh)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/packaging/swarmctl.${shell}
      COMMAND swarmctl completion ${shell} > ${CMAKE_BINARY_DIR}/packaging/swarmctl.${shell}
      DEPENDS swarmctl VERBATIM)
  endforeach()
  add_custom_target(completions ALL DEPENDS ${CMAKE_BINARY_DIR}/packaging/swarmctl.bash
                                            ${CMAKE_BINARY_DIR}/packaging/swarmctl.zsh)
  install(FILES ${CMAKE_BINARY_DIR}/packaging/swarmctl.bash
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME swarmctl)
  install(FILES ${CMAKE_BINARY_DIR}/packaging/swarmctl.zsh
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _swarmctl)
  install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md
          DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME swarmd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The swarmd developers <swarmd@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Swarm orchestrator whose updates drop no request")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "docker.io | podman")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/postinst
                                       ${CMAKE_SOURCE_DIR}/packaging/prerm
                                       ${CMAKE_SOURCE_DIR}/packaging/postrm)
include(CPack)

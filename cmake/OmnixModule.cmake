include(GoogleTest)

# omnix_module(NAME dep...): a static library omnix_NAME of all .cc files of this folder (a new file needs no edit here), except main.cc and
# *_test.cc. The *_test.cc files become one test program NAME_test.
function(omnix_module name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(omnix_${name} STATIC ${sources})
    target_include_directories(omnix_${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(omnix_${name} PUBLIC ${ARGN} PRIVATE omnix_warnings)
  else()
    add_library(omnix_${name} INTERFACE)
    target_include_directories(omnix_${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(omnix_${name} INTERFACE ${ARGN})
  endif()
  if(tests AND OMNIX_BUILD_TESTS)
    omnix_test(${name}_test SOURCES ${tests} LIBRARIES omnix_${name})
  endif()
endfunction()

# omnix_test(NAME SOURCES ... LIBRARIES ... [TIMEOUT s] [ALONE]): a GoogleTest program whose cases are CTest tests. ALONE: beside no other
# test, since they measure times.
function(omnix_test name)
  cmake_parse_arguments(arg "ALONE" "TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main omnix_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${arg_TIMEOUT} RUN_SERIAL ${arg_ALONE})
endfunction()

# omnix_program(NAME dep...): the program NAME from this folder's main.cc.
function(omnix_program name)
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
  target_link_libraries(${name} PRIVATE ${ARGN} omnix_warnings)
endfunction()

# omnix_with_crash_points(TARGET FOLDER...): a copy of a program for the crash tests. The sources below these folders that have
# OMNIX_CRASH_POINT or OMNIX_FAULT_POINT lines (common/crash_point.h) are compiled once more into TARGET itself, with those lines working;
# they take the place of the ones in the libraries, whose lines are nothing.
function(omnix_with_crash_points target)
  foreach(folder ${ARGN})
    file(GLOB_RECURSE candidates CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
    list(FILTER candidates EXCLUDE REGEX "(_test|/main)\\.cc$")
    foreach(source ${candidates})
      file(STRINGS ${source} points REGEX "OMNIX_(CRASH|FAULT)_POINT\\(" LIMIT_COUNT 1)
      if(points)
        target_sources(${target} PRIVATE ${source})
      endif()
    endforeach()
  endforeach()
  target_compile_definitions(${target} PRIVATE OMNIX_CRASH_POINTS)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
endfunction()

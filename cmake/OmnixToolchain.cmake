# Compiler flags, linker and compiler cache for every target.
find_program(OMNIX_CCACHE ccache)
if(OMNIX_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${OMNIX_CCACHE})
endif()

find_program(OMNIX_MOLD mold)
if(OMNIX_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)

if(OMNIX_SANITIZE)
  add_compile_options(-fsanitize=${OMNIX_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${OMNIX_SANITIZE})
endif()
if(OMNIX_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Protobuf's and Abseil's headers give their classes other members under ThreadSanitizer: the distribution's libraries, which are not built with it,
  # would read them at wrong places. What libstdc++ makes of the macro is kept.
  add_compile_options(-U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
endif()

# Warnings for our own code; generated code does not get them.
add_library(omnix_warnings INTERFACE)
# The optimizer of GCC 12 reports strings and optionals that are well (GCC bugs 105651, 105562): those warnings are shown, but don't end the build.
set(omnix_optimizer_warnings restrict maybe-uninitialized array-bounds stringop-overflow stringop-overread free-nonheap-object nonnull
                             dangling-pointer use-after-free null-dereference)
list(TRANSFORM omnix_optimizer_warnings PREPEND -Wno-error=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(omnix_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
                         ${omnix_optimizer_warnings})
endif()
if(OMNIX_SANITIZE MATCHES thread)
  target_compile_options(omnix_warnings INTERFACE -Wno-tsan)
endif()

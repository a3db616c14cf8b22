# Everything comes from the distribution's packages.
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
# Whose strings hold no half of a surrogate pair: plain_body.h relies on it.
find_package(simdjson 3.0 CONFIG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(GTest REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)

find_path(OMNIX_JQ_INCLUDE jq.h REQUIRED)
find_library(OMNIX_JQ_LIBRARY jq REQUIRED)
add_library(omnix_jq INTERFACE)
target_include_directories(omnix_jq SYSTEM INTERFACE ${OMNIX_JQ_INCLUDE})
target_link_libraries(omnix_jq INTERFACE ${OMNIX_JQ_LIBRARY})

find_path(OMNIX_CMARK_INCLUDE cmark.h REQUIRED)
find_library(OMNIX_CMARK_LIBRARY cmark REQUIRED)
add_library(omnix_cmark INTERFACE)
target_include_directories(omnix_cmark SYSTEM INTERFACE ${OMNIX_CMARK_INCLUDE})
target_link_libraries(omnix_cmark INTERFACE ${OMNIX_CMARK_LIBRARY})

pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)

# The programs' allocator: events are made by one thread and freed by another, which the C library's arenas pay dearly for (docs/performance.md).
# The sanitizers bring their own.
pkg_check_modules(JEMALLOC IMPORTED_TARGET jemalloc)
add_library(omnix_allocator INTERFACE)
if(JEMALLOC_FOUND AND NOT OMNIX_SANITIZE)
  target_link_libraries(omnix_allocator INTERFACE -Wl,--no-as-needed PkgConfig::JEMALLOC -Wl,--as-needed)
endif()

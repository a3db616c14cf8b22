// Reads what a frontend calls from its JavaScript/TypeScript sources (and JSON or .env configuration): the base URL and
// the paths, each with the place where it is written. Understands base URL constants and config objects, environment
// variables with fallbacks, axios.create, fetch and its wrappers, `this.baseUrl` of classes, WebSocket and EventSource,
// wrappers that are given their base when they are made (client_makers.h), tables of endpoints. It runs no code: what
// is computed at run time stays unknown and shows as "1" in a path.
#pragma once

#include <omnix/v1/diagnosis.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/sources/js_value.h"

namespace omnix {

struct ClientCall {
  std::string method;  // "GET" where not said
  std::string
      path;  // base path and own path joined, as requested from the server: "/v1/products"; template parts are "1"
  Literal literal;  // the path as written at the call
  bool websocket = false;
  bool has_template = false;
  // Written whole, with a host that is not the page's own: a development server never sees it.
  bool absolute = false;
  // What stands before the path is not known (a variable that nobody sets): it may be a host, or a part of the path.
  bool open_head = false;
  // Index into ClientCalls::bases of the one that stands before the path; -1: the path is written whole.
  int base = -1;
};

struct ClientCalls {
  // Literals that are put before the paths (a base URL constant, axios baseURL, ...); normally one. Text may be a path
  // or a URL.
  std::vector<Literal> bases;
  // Path part of the base that applies to most calls: "/v1", or empty.
  std::string base_path;
  // Each method and path once, in the order found.
  std::vector<ClientCall> calls;
  // Calls that are not among them, since a part of what stands before their path is computed at run time.
  size_t unknown_calls = 0;
  // Headers that the sources name and that make browsers ask before a call: "Authorization".
  std::vector<std::string> headers;
  std::vector<std::string> files;
};

inline constexpr size_t kMaxClientFiles = 500;
inline constexpr size_t kMaxClientFileBytes = 2 << 20;
inline constexpr size_t kMaxClientCalls = 1000;

// Beside the client's files the .env files next to them are read, and those next to the package.json above. Errors:
// NOT_FOUND where no file matches the client's globs; unreadable files and parts of files are skipped.
absl::StatusOr<ClientCalls> ReadClientCalls(const v1::Client& client, ClientBuild build = ClientBuild::kProduction);

// As the development server's build makes them; but those of which production knows what stands before them, and
// development does not: nothing can be said of these. Errors: as above.
absl::StatusOr<ClientCalls> ReadDevelopmentCalls(const v1::Client& client);

// Whether both are written at the same place of the same file.
bool SamePlace(const Literal& a, const Literal& b);

// Path part of a URL or path, without a trailing slash: "https://h:1/v1/" -> "/v1", "/v1" -> "/v1", "https://h" -> "".
std::string BasePathOf(const std::string& url_or_path);

}  // namespace omnix

// What a frontend's development server forwards where: vite (`server.proxy`), webpack (`devServer.proxy`),
// setupProxy.js (http-proxy-middleware) and "proxy" of package.json.
//
//   absl::StatusOr<DevProxy> proxy = ReadDevProxy(client.dev_proxy_files());
//   DevForward forward = proxy->Forward("/api/products");   // {proxied, "http://localhost:8080", "/products", 0}
//
// Semantics: vite takes the first entry in the file's order whose key is a prefix of the URL ('^...': a regular
// expression); webpack and http-proxy-middleware the first whose context is a prefix; a target's own path is put before
// the forwarded path (http-proxy, prependPath).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/sources/js_lexer.h"

namespace omnix {

struct DevRewrite {
  // Regular expression (RE2 syntax) and what its match becomes ("$1" refers to groups).
  std::string pattern;
  std::string replacement;
};

struct DevProxyEntry {
  // As written: "/api", "^/(a|b)"; "/" for package.json.
  Literal key;
  // "http://localhost:8080"; empty where it is not a constant.
  Literal target;
  std::vector<DevRewrite> rewrites;
  // Text of the rewrite as written ("path.replace(/^\/api/, '')"), for edits, and its place; empty where there is none.
  Literal rewrite;
  // False where the rewrite is a function that is not understood: then Forward can't tell the path.
  bool understood = true;
  bool change_origin = false;
  bool websocket = false;
};

struct DevForward {
  // False: the development server answers itself (a page or 404).
  bool proxied = false;
  std::string target;
  // As the target gets it, the target's own path included.
  std::string path;
  // Index into entries.
  size_t entry = 0;
  // False: the path is a guess (see DevProxyEntry.understood).
  bool certain = true;
};

struct DevProxy {
  std::vector<DevProxyEntry> entries;
  std::vector<std::string> files;
  // "vite", "webpack", "middleware", "package.json".
  std::string tool;

  DevForward Forward(std::string_view path) const;
};

// `files`: paths or globs. Errors: NOT_FOUND (no such file), FAILED_PRECONDITION (none of them holds a proxy; says what
// was looked for).
absl::StatusOr<DevProxy> ReadDevProxy(const std::vector<std::string>& files);

}  // namespace omnix

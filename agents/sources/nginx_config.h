// nginx configuration: the syntax (with includes spliced in place, every word with its position) and a model of where a
// request goes.
//
// The model knows servers (listen, server_name), locations (=, ^~, ~, ~*, longest prefix, nesting), proxy_pass with URI
// substitution, rewrite (last, break, redirect, permanent), return, try_files with its fallback (a named location or a
// path; a file that is there under the root answers), root and alias as "static". Variables in proxy_pass targets have
// the fixed value that a `set` gives them, others stay unresolved.
#pragma once

#include <omnix/v1/diagnosis.pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

struct NginxWord {
  std::string text;  // without quotes
  bool quoted = false;
  v1::Location location;
};

struct NginxDirective {
  // words[0] is the directive's name.
  std::vector<NginxWord> words;
  std::vector<NginxDirective> block;
  bool has_block = false;
  // Of the ';' or the closing '}'.
  v1::Location end;

  const std::string& name() const { return words[0].text; }
  std::string Argument(size_t index) const { return index < words.size() ? words[index].text : ""; }
  // Children with this name.
  std::vector<const NginxDirective*> Find(std::string_view name) const;
};

struct NginxConfig {
  // "main" with everything inside.
  NginxDirective root;
  // The file and all that it includes.
  std::vector<std::string> files;
};

inline constexpr int kMaxNginxDepth = 32;
inline constexpr size_t kMaxNginxFiles = 500;

// Includes are relative to `prefix` (default: the folder of the file). A file that has no http block (a conf.d part)
// reads just as well. Errors: those of ReadFile; INVALID_ARGUMENT "file:line:column: unexpected '}'" for bad syntax.
absl::StatusOr<NginxConfig> ReadNginxConfig(const std::string& path, const std::string& prefix = "");

// All server blocks, wherever they are.
std::vector<const NginxDirective*> NginxServers(const NginxConfig& config);

struct NginxRoute {
  enum class Kind { kProxy, kReturn, kStatic, kNone };
  Kind kind = Kind::kNone;
  const NginxDirective* server = nullptr;
  // Unset: the server block itself answers.
  const NginxDirective* location = nullptr;
  // Locations that the request went through before it, by their try_files: what they limit and refuse holds for it.
  std::vector<const NginxDirective*> passed;
  // kProxy: "http://127.0.0.1:9000" as written, and the addresses behind it ("127.0.0.1:9000"; of an upstream block:
  // all of its servers).
  std::string upstream;
  std::vector<std::string> addresses;
  // kProxy: the path that the upstream gets.
  std::string upstream_path;
  // kReturn
  int status = 0;
  // What was done on the way: "location /v1/ (nginx.conf:12)", "rewrite ...".
  std::vector<std::string> steps;
};

// `port` 0: any; `host` "": the first server of the port.
NginxRoute RouteRequest(const NginxConfig& config, int port, const std::string& host, const std::string& path);

}  // namespace omnix

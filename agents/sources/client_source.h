// Reads what a frontend calls from its JavaScript/TypeScript sources: the base URL and the paths, each with the place where it is written.
#pragma once

#include <omnix/v1/diagnosis.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

// A string literal (or the constant part of a template literal) in a source file.
struct Literal {
  std::string text;         // as it means, without quotes
  v1::Location location;    // of its first character after the quote
  std::string line_text;    // the whole line, without its end
};

struct ClientCall {
  std::string method;   // "GET" where not said
  std::string path;     // base path and own path joined, as requested from the server: "/v1/products"; template parts are "1"
  Literal literal;      // the path as written at the call
  bool websocket = false;
  bool has_template = false;
};

struct ClientCalls {
  // Literals that are put before the paths (a base URL constant, axios baseURL, ...); normally one. Text may be a path or a URL.
  std::vector<Literal> bases;
  // Path part of the base that applies: "/v1", or empty.
  std::string base_path;
  std::vector<ClientCall> calls;
  std::vector<std::string> files;
};

// Errors: NOT_FOUND where no file matches the client's globs; unreadable parts of a file are skipped.
absl::StatusOr<ClientCalls> ReadClientCalls(const v1::Client& client);

}  // namespace omnix

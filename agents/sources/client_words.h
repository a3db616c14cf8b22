// What the names of functions, variables and properties in a frontend's sources tell of their part in its requests.
#pragma once

#include <string>

namespace omnix {

// Lower case, without '_', '-', '$' and '#'.
std::string PlainName(const std::string& name);

// Of what stands before the paths: "API_BASE_URL".
bool IsBaseName(const std::string& name);
// Of a path: "endpoint".
bool IsPathName(const std::string& name);
// Of an object of paths: "ENDPOINTS".
bool IsEndpointTable(const std::string& name);
// "GET" of a function `get`; empty: its name tells no method.
std::string MethodOfFunction(const std::string& function);
// Functions that send what they are given, without a base of their own.
bool IsRaw(const std::string& function, const std::string& receiver);
// Functions that may send a request.
bool IsCallName(const std::string& function);
// Receivers whose get("/x") is no request.
bool IsNoClient(const std::string& receiver);

}  // namespace omnix

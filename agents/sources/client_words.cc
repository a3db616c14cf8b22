#include "agents/sources/client_words.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace omnix {

std::string PlainName(const std::string& name) {
  std::string plain = absl::AsciiStrToLower(name);
  std::erase_if(plain, [](char c) { return c == '_' || c == '-' || c == '$' || c == '#'; });
  return plain;
}

bool IsBaseName(const std::string& name) {
  const std::string n = PlainName(name);
  static const std::set<std::string> kWhole = {"base",      "prefix",     "apiroot",    "api",         "baseurl",
                                               "basepath",  "apiurl",     "apibase",    "apihost",     "root",
                                               "serverurl", "backendurl", "gatewayurl", "wsurl",       "socketurl",
                                               "wsbase",    "apiprefix",  "apipath",    "apiendpoint", "endpointbase"};
  if (kWhole.count(n) > 0) return true;
  return (absl::StrContains(n, "base") || absl::StrContains(n, "api") || absl::StrContains(n, "backend") ||
          absl::StrContains(n, "gateway")) &&
         (n.ends_with("url") || n.ends_with("uri") || n.ends_with("base") || n.ends_with("prefix") ||
          n.ends_with("root") || n.ends_with("host") || n.ends_with("origin"));
}

bool IsPathName(const std::string& name) {
  static const std::set<std::string> kNames = {"path",        "url",      "endpoint", "route",   "uri",
                                               "resource",    "pathname", "p",        "suffix",  "urlpath",
                                               "relativeurl", "input",    "target",   "apipath", "requestpath"};
  return kNames.count(PlainName(name)) > 0;
}

bool IsEndpointTable(const std::string& name) {
  const std::string n = PlainName(name);
  return n == "endpoints" || n == "urls" || n.ends_with("endpoints") || n == "apipaths" || n == "apiroutes" ||
         n == "apiurls";
}

std::string MethodOfFunction(const std::string& function) {
  const std::string f = absl::AsciiStrToLower(function);
  for (const std::string_view method : {"get", "post", "put", "patch", "delete", "head", "options"}) {
    if (f == method) return std::string(absl::AsciiStrToUpper(absl::string_view(method.data(), method.size())));
  }
  return f == "del" ? "DELETE" : "";
}

bool IsRaw(const std::string& function, const std::string& receiver) {
  return function == "fetch" || function == "WebSocket" || function == "EventSource" || function == "sendBeacon" ||
         receiver == "$" || receiver == "jQuery";
}

bool IsCallName(const std::string& function) {
  static const std::set<std::string> kExact = {"request", "send", "call", "query", "axios",  "http", "api",
                                               "ky",      "got",  "url",  "io",    "ofetch", "load", "useSWR"};
  static const std::set<std::string> kNever = {"startsWith", "endsWith", "includes", "require",  "push",
                                               "replace",    "navigate", "useRoute", "pushState"};
  if (kNever.count(function) > 0) return false;
  if (kExact.count(function) > 0 || !MethodOfFunction(function).empty()) return true;
  const std::string f = absl::AsciiStrToLower(function);
  return absl::StrContains(f, "fetch") || absl::StrContains(f, "request") || absl::StrContains(f, "api") ||
         absl::StrContains(f, "http") || absl::StrContains(f, "websocket") || absl::StrContains(f, "eventsource") ||
         absl::StrContains(f, "axios") || f.ends_with("url") || absl::StrContains(f, "getjson") ||
         absl::StrContains(f, "postjson") || absl::StrContains(f, "ajax");
}

bool IsNoClient(const std::string& receiver) {
  static const std::set<std::string> kNames = {
      "map", "cache",  "params", "searchparams", "headers",  "storage", "localstorage", "cookies", "formdata",
      "app", "router", "server", "history",      "location", "express", "console",      "expect"};
  return kNames.count(PlainName(receiver)) > 0;
}

}  // namespace omnix

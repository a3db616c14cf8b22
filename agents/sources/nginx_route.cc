#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "agents/sources/nginx_config.h"
#include "agents/sources/nginx_scopes.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// nginx itself gives up after ten internal redirects.
constexpr int kMaxInternalRedirects = 10;

// PCRE's named groups as RE2 spells them; "(?<=" and "(?<!" look behind, which RE2 does not.
std::string AsRe2(std::string pattern) {
  static const re2::RE2 kNamed(R"(\(\?<([A-Za-z_]))");
  re2::RE2::GlobalReplace(&pattern, kNamed, R"((?P<\1)");
  return pattern;
}

// What the groups of a regular expression matched, by name and by number; unset where it does not match.
using Captures = std::map<std::string, std::string>;
std::optional<Captures> Match(const std::string& pattern, const std::string& text, bool ignore_case) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  const re2::RE2 regex(AsRe2(pattern), options);
  if (!regex.ok()) return std::nullopt;
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  if (!regex.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size())))
    return std::nullopt;
  const auto names = regex.CapturingGroupNames();
  Captures captures;
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string value(groups[i].data() == nullptr ? "" : groups[i].data(), groups[i].size());
    captures[std::to_string(i)] = value;
    if (const auto name = names.find(static_cast<int>(i)); name != names.end()) captures[name->second] = value;
  }
  return captures;
}

bool RegexMatch(const std::string& pattern, const std::string& text, bool ignore_case) {
  return Match(pattern, text, ignore_case).has_value();
}

// The listen port of "80", "127.0.0.1:8080", "[::]:80", "*:80".
int ListenPort(const std::string& listen) {
  constexpr int kDefaultPort = 80;
  const size_t colon = listen.rfind(':');
  const std::string port = colon == std::string::npos || listen.ends_with(']') ? listen : listen.substr(colon + 1);
  const int number = std::atoi(port.c_str());
  return number > 0 && port.find('.') == std::string::npos ? number : kDefaultPort;
}

bool ListensOn(const NginxDirective& server, int port) {
  const auto listens = server.Find("listen");
  if (port == 0 || listens.empty()) return true;
  for (const NginxDirective* listen : listens) {
    if (ListenPort(listen->Argument(1)) == port) return true;
  }
  return false;
}

bool HasName(const NginxDirective& server, const std::string& host) {
  for (const NginxDirective* names : server.Find("server_name")) {
    for (size_t i = 1; i < names->words.size(); ++i) {
      const std::string& name = names->words[i].text;
      if (name == host || (name.starts_with("*.") && host.ends_with(name.substr(1))) ||
          (name.starts_with('~') && RegexMatch(name.substr(1), host, true)))
        return true;
    }
  }
  return false;
}

const NginxDirective* PickServer(const NginxConfig& config, int port, const std::string& host) {
  const NginxDirective* fallback = nullptr;
  bool fallback_is_default = false;
  for (const NginxDirective* server : NginxServers(config)) {
    if (!ListensOn(*server, port)) continue;
    if (!host.empty() && HasName(*server, host)) return server;
    bool is_default = false;
    for (const NginxDirective* listen : server->Find("listen")) {
      for (const NginxWord& word : listen->words) is_default |= word.text == "default_server";
    }
    if (fallback == nullptr || (is_default && !fallback_is_default)) {
      fallback = server;
      fallback_is_default = is_default;
    }
  }
  return fallback;
}

struct LocationMatch {
  std::string modifier;
  std::string pattern;
};

LocationMatch MatchOf(const NginxDirective& location) {
  if (location.words.size() > 2) return {location.Argument(1), location.Argument(2)};
  return {"", location.Argument(1)};
}

// As nginx chooses: "=" first, then the longest prefix; regular expressions in order unless that prefix has "^~".
const NginxDirective* PickLocation(const NginxDirective& scope, const std::string& path) {
  const NginxDirective* best = nullptr;
  size_t best_length = 0;
  bool best_is_final = false;
  for (const NginxDirective* location : scope.Find("location")) {
    const LocationMatch match = MatchOf(*location);
    if (match.modifier == "=" && match.pattern == path) return location;
    if ((match.modifier.empty() || match.modifier == "^~") && !match.pattern.starts_with('@') &&
        path.starts_with(match.pattern) && (best == nullptr || match.pattern.size() > best_length)) {
      best = location;
      best_length = match.pattern.size();
      best_is_final = match.modifier == "^~";
    }
  }
  if (!best_is_final) {
    for (const NginxDirective* location : scope.Find("location")) {
      const LocationMatch match = MatchOf(*location);
      if ((match.modifier == "~" || match.modifier == "~*") && RegexMatch(match.pattern, path, match.modifier == "~*"))
        return location;
    }
  }
  if (best == nullptr) return nullptr;
  const NginxDirective* inner = PickLocation(*best, path);
  return inner != nullptr ? inner : best;
}

// Where `upstream` and `map` stand: at the top of a file that is included into http, or in http itself.
std::vector<const NginxDirective*> HttpScopes(const NginxConfig& config) {
  std::vector<const NginxDirective*> scopes = {&config.root};
  for (const NginxDirective* http : config.root.Find("http")) scopes.push_back(http);
  return scopes;
}

std::vector<std::string> Addresses(const NginxConfig& config, const std::string& authority) {
  for (const NginxDirective* scope : HttpScopes(config)) {
    for (const NginxDirective* upstream : scope->Find("upstream")) {
      if (upstream->Argument(1) != authority) continue;
      // One that is kept for the failure of all others has no part in what goes to them, one that is down in nothing.
      std::vector<std::string> in_use, all;
      for (const NginxDirective* server : upstream->Find("server")) {
        all.push_back(server->Argument(1));
        const bool idle = std::any_of(server->words.begin(), server->words.end(), [](const NginxWord& word) {
          return word.text == "backup" || word.text == "down";
        });
        if (!idle) in_use.push_back(server->Argument(1));
      }
      return in_use.empty() ? all : in_use;
    }
  }
  return {authority};
}

std::string Place(const NginxDirective& directive) {
  return fmt::format("{}:{}", directive.words[0].location.file(), directive.words[0].location.line());
}

// Applies the rewrites and returns of a server or location. True where the request is answered here.
bool Rewrite(const NginxDirective& scope, std::string* path, NginxRoute* route, bool* search_again, bool* rewritten) {
  for (const NginxDirective& directive : scope.block) {
    if (directive.name() == "return") {
      route->kind = NginxRoute::Kind::kReturn;
      route->status = std::atoi(directive.Argument(1).c_str());
      if (route->status == 0) route->status = 302;
      route->steps.push_back(fmt::format("return {} ({})", directive.Argument(1), Place(directive)));
      return true;
    }
    if (directive.name() != "rewrite" || directive.words.size() < 3) continue;
    const std::string before = *path;
    const auto groups = Match(directive.Argument(1), before, false);
    if (!groups) continue;
    const std::string to = directive.Argument(2), flag = directive.Argument(3);
    std::string out;
    for (size_t i = 0; i < to.size(); ++i) {
      if (to[i] == '$' && i + 1 < to.size() && std::isdigit(static_cast<unsigned char>(to[i + 1]))) {
        const auto group = groups->find(std::string(1, to[++i]));
        if (group != groups->end()) out += group->second;
      } else {
        out.push_back(to[i]);
      }
    }
    route->steps.push_back(fmt::format("rewrite {} -> {} ({})", before, out, Place(directive)));
    if (flag == "redirect" || flag == "permanent" || out.starts_with("http://") || out.starts_with("https://")) {
      route->kind = NginxRoute::Kind::kReturn;
      route->status = flag == "permanent" ? 301 : 302;
      return true;
    }
    *path = out.substr(0, out.find('?'));
    *rewritten = true;
    *search_again = flag != "break";
    if (flag == "last" || flag == "break") return false;
  }
  return false;
}

// Variables that `set` gives a fixed value, in the location before the server; others stay as they are.
std::string Substituted(const std::string& text, const NginxDirective& location, const NginxDirective* server) {
  std::string out = text;
  std::set<std::string> seen;
  for (const NginxDirective* scope : {&location, server}) {
    for (const NginxDirective* set : scope->Find("set")) {
      const std::string name = set->Argument(1), value = set->Argument(2);
      const bool nearest = seen.insert(name).second;
      if (!nearest || name.size() < 2 || value.find('$') != std::string::npos) continue;
      size_t at = out.find(name);
      if (at == std::string::npos) continue;
      // "$backend" is not in "$backend_port".
      const size_t end = at + name.size();
      const char next = end < out.size() ? out[end] : '/';
      if (std::isalnum(static_cast<unsigned char>(next)) == 0 && next != '_') out.replace(at, name.size(), value);
    }
  }
  return out;
}

// What `map` gives a variable where nothing special is asked: its default, else its only value.
std::optional<std::string> MappedByDefault(const NginxConfig& config, const std::string& name) {
  for (const NginxDirective* scope : HttpScopes(config)) {
    for (const NginxDirective* map : scope->Find("map")) {
      if (map->Argument(2) != "$" + name) continue;
      for (const NginxDirective& entry : map->block) {
        if (entry.name() == "default" || map->block.size() == 1) return entry.Argument(1);
      }
    }
  }
  return std::nullopt;
}

// Variables that can be told from the request and the configuration; others stay as they are.
std::string WithVariables(const NginxConfig& config, const std::string& text, const std::string& path,
                          const Captures& captures) {
  static const re2::RE2 kVariable(R"(\$(?:([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\}))");
  std::string out;
  re2::StringPiece rest(text), plain, braced;
  const char* copied = text.data();
  while (re2::RE2::FindAndConsume(&rest, kVariable, &plain, &braced)) {
    const std::string name(plain.empty() ? braced : plain);
    const char* end = rest.data();
    const char* begin = end - name.size() - (plain.empty() ? 3 : 1);
    out.append(copied, begin);
    copied = end;
    const auto captured = captures.find(name);
    if (captured != captures.end()) {
      out += captured->second;
    } else if (name == "uri" || name == "request_uri" || name == "document_uri") {
      out += path;
    } else if (name != "is_args" && name != "args" && name != "query_string") {
      out += MappedByDefault(config, name).value_or(std::string(begin, end));
    }
  }
  return out.append(copied, text.data() + text.size());
}

void Proxy(const NginxConfig& config, const NginxDirective& pass, const NginxDirective* location,
           const std::string& path, bool rewritten, NginxRoute* route) {
  route->kind = NginxRoute::Kind::kProxy;
  const LocationMatch match = location != nullptr ? MatchOf(*location) : LocationMatch();
  const bool by_regex = match.modifier == "~" || match.modifier == "~*";
  const auto captures = by_regex ? Match(match.pattern, path, match.modifier == "~*") : std::nullopt;
  const std::string target = WithVariables(
      config, Substituted(pass.Argument(1), location != nullptr ? *location : *route->server, route->server), path,
      captures.value_or(Captures()));
  const size_t scheme = target.find("://");
  const size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t slash = target.find('/', host);
  route->upstream = target.substr(0, slash);
  route->addresses = Addresses(config, target.substr(host, slash == std::string::npos ? slash : slash - host));
  route->upstream_path = path;
  // With variables the URI is passed on as it stands.
  if (slash != std::string::npos && pass.Argument(1).find('$') != std::string::npos) {
    route->upstream_path = target.substr(slash);
    return;
  }
  // With a URI in proxy_pass the part that a prefix location matched is replaced by it (unless a rewrite changed the
  // path).
  if (slash != std::string::npos && !rewritten &&
      (match.modifier.empty() || match.modifier == "^~" || match.modifier == "=")) {
    route->upstream_path = target.substr(slash) + path.substr(std::min(match.pattern.size(), path.size()));
  }
  route->steps.push_back(fmt::format("proxy_pass {} ({})", target, Place(pass)));
}

const NginxDirective* NamedLocation(const NginxDirective& server, const std::string& name) {
  for (const NginxDirective* location : server.Find("location")) {
    if (location->words.size() == 2 && location->Argument(1) == name) return location;
  }
  return nullptr;
}

// Where `try_files` sends a request of which it finds no file: "@name" or a path. "": the location itself answers.
std::string Fallback(const NginxConfig& config, const NginxDirective& scope, const std::string& path) {
  // Not inherited: a server's own is for what no location takes.
  const auto found = scope.Find("try_files");
  const NginxDirective* tries = found.empty() ? nullptr : found.back();
  if (tries == nullptr || tries->words.size() < 3) return "";
  const NginxDirective* root = DirectiveInEffect(config, &scope, "root");
  const bool known_root = root != nullptr && root->Argument(1).starts_with('/') && scope.Find("alias").empty();
  for (size_t i = 1; known_root && i + 1 < tries->words.size(); ++i) {
    const std::string& wanted = tries->words[i].text;
    const std::string file = root->Argument(1) + WithVariables(config, wanted, path, Captures());
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(file, ignored);
    if (wanted.ends_with('/') ? is_folder : !is_folder && std::filesystem::exists(file, ignored)) return "";
  }
  const std::string& last = tries->words.back().text;
  if (last.starts_with('@')) return last;
  const std::string target = WithVariables(config, last.substr(0, last.find('?')), path, Captures());
  return target.starts_with('/') && target.find('$') == std::string::npos && target != path ? target : "";
}

}  // namespace

NginxRoute RouteRequest(const NginxConfig& config, int port, const std::string& host, const std::string& request_path) {
  NginxRoute route;
  route.server = PickServer(config, port, host);
  if (route.server == nullptr) return route;
  std::string path = request_path.substr(0, request_path.find('?'));
  bool again = false, rewritten = false;
  if (Rewrite(*route.server, &path, &route, &again, &rewritten)) return route;
  rewritten = false;
  const NginxDirective* named = nullptr;
  for (int i = 0; i < kMaxInternalRedirects; ++i) {
    again = false;
    route.location = named != nullptr ? named : PickLocation(*route.server, path);
    named = nullptr;
    if (route.location != nullptr) {
      route.steps.push_back(fmt::format("location {} ({})", MatchOf(*route.location).pattern, Place(*route.location)));
      if (Rewrite(*route.location, &path, &route, &again, &rewritten)) return route;
    }
    const NginxDirective& here = route.location != nullptr ? *route.location : *route.server;
    const std::string fallback = again ? "" : Fallback(config, here, path);
    if (fallback.starts_with('@')) named = NamedLocation(*route.server, fallback);
    if (!again && named == nullptr && !fallback.starts_with('/')) break;
    if (!again && route.location != nullptr) route.passed.push_back(route.location);
    if (fallback.starts_with('/')) path = fallback;
    rewritten = false;
  }
  const NginxDirective& scope = route.location != nullptr ? *route.location : *route.server;
  for (const char* pass : {"proxy_pass", "grpc_pass", "uwsgi_pass", "fastcgi_pass"}) {
    for (const NginxDirective* found : scope.Find(pass)) {
      Proxy(config, *found, route.location, path, rewritten, &route);
      return route;
    }
  }
  route.kind = NginxRoute::Kind::kStatic;
  return route;
}

}  // namespace omnix

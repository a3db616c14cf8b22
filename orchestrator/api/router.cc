#include "orchestrator/api/router.h"

#include <algorithm>
#include <set>

#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

using Parameters = std::map<std::string, std::string>;

constexpr unsigned kBadRequest = 400;
constexpr unsigned kNotFoundStatus = 404;
constexpr unsigned kMethodNotAllowed = 405;
constexpr size_t kEscapeDigits = 2;
constexpr unsigned char kFirstPrintable = 0x20;
constexpr unsigned char kDelete = 0x7f;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool IsParameter(std::string_view part) { return part.starts_with('{') && part.ends_with('}'); }

// Takes the first part off `path`.
std::string_view TakePart(std::string_view& path) {
  const size_t end = path.find('/');
  const std::string_view part = path.substr(0, end);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  return part;
}

// Each request is held against all patterns: nothing is made of a path before its shape fits.
bool FitsPattern(std::string_view pattern, std::string_view path) {
  if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return false;
  while (!pattern.empty() || !path.empty()) {
    const std::string_view wanted = TakePart(pattern), given = TakePart(path);
    if (!IsParameter(wanted) && wanted != given) return false;
  }
  return true;
}

std::optional<Parameters> MatchPattern(std::string_view pattern, std::string_view path) {
  if (!FitsPattern(pattern, path)) return std::nullopt;
  Parameters parameters;
  while (!pattern.empty() || !path.empty()) {
    const std::string_view wanted = TakePart(pattern), given = TakePart(path);
    if (!IsParameter(wanted)) continue;
    const auto value = PercentDecode(given, /*plus_is_space=*/false);
    if (!value || value->empty()) return std::nullopt;
    parameters.emplace(wanted.substr(1, wanted.size() - 2), *value);
  }
  return parameters;
}

std::optional<Parameters> ParseQuery(std::string_view query) {
  Parameters parameters;
  for (const std::string_view pair : Split(query, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const auto name = PercentDecode(pair.substr(0, equals), true);
    const auto value = equals == std::string_view::npos ? std::string() : PercentDecode(pair.substr(equals + 1), true);
    if (!name || !value || !parameters.emplace(*name, *value).second) return std::nullopt;
  }
  return parameters;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  bool ascii = true;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      if (i + kEscapeDigits >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += kEscapeDigits;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < kFirstPrintable || byte == kDelete) return std::nullopt;
    ascii &= byte < kDelete;
    out += c;
  }
  if (ascii) return out;
  // The JSON writer replaces what is no UTF-8: the text is valid where it comes through unchanged.
  const Json round_trip = Json::parse(DumpJson(out), nullptr, false);
  if (round_trip.get<std::string>() != out) return std::nullopt;
  return out;
}

Router::Match Router::Find(std::string_view method, std::string_view target) const {
  Match match;
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (method == "HEAD") method = "GET";
  std::set<std::string> allowed;
  for (const Route& route : routes_) {
    auto parameters = MatchPattern(route.pattern, path);
    if (!parameters) continue;
    allowed.insert(route.method);
    if (route.method != method || match.route != nullptr) continue;
    match.route = &route;
    match.parameters = *std::move(parameters);
  }
  if (match.route == nullptr && allowed.empty()) {
    match.problem = NotFoundProblem(path);
  } else if (match.route == nullptr) {
    if (allowed.contains("GET")) allowed.insert("HEAD");
    const std::string list = fmt::format("{}", fmt::join(allowed, ", "));
    match.problem = Problem(kMethodNotAllowed, "this path takes " + list);
    match.problem.headers.emplace_back("Allow", list);
  } else if (question != std::string_view::npos) {
    auto query = ParseQuery(target.substr(question + 1));
    if (!query) {
      match.route = nullptr;
      match.problem = Problem(
          kBadRequest, "the query is malformed: expected name=value pairs, percent-encoded UTF-8, each name once");
      return match;
    }
    match.query = *std::move(query);
  }
  return match;
}

ApiResponse Router::NotFoundProblem(std::string_view path) const {
  std::vector<std::string> alike, all;
  const auto given = Split(path, '/');
  for (const Route& route : routes_) {
    const std::string line = route.method + " " + route.pattern;
    all.push_back(line);
    const auto wanted = Split(route.pattern, '/');
    constexpr size_t kSharedParts = 3;  // "", "v1", "incidents"
    if (given.size() < kSharedParts || wanted.size() < kSharedParts) continue;
    if (std::equal(wanted.begin(), wanted.begin() + kSharedParts, given.begin())) alike.push_back(line);
  }
  return Problem(kNotFoundStatus,
                 fmt::format("no such route; known: {}", fmt::join(alike.empty() ? all : alike, ", ")));
}

}  // namespace omnix

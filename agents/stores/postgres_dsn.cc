#include "agents/stores/postgres_dsn.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kMaxPort = 65535;

int ParsePort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= kMaxPort ? port : 0;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string Decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const bool escaped =
        text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3;
    if (escaped) i += 2;
    out.push_back(escaped ? static_cast<char>(value) : text[i]);
  }
  return out;
}

bool IsPostgres(std::string_view scheme) {
  return scheme == "postgres" || scheme == "postgresql" || scheme == "psql" || scheme == "pgsql";
}

// "user:password@host:port", of several hosts the first.
void ReadAuthority(std::string_view authority, PostgresDsn* dsn) {
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = authority.substr(0, at);
    const size_t colon = who.find(':');
    dsn->user = Decode(who.substr(0, colon));
    if (colon != std::string_view::npos) dsn->password = Decode(who.substr(colon + 1));
    authority.remove_prefix(at + 1);
  }
  authority = authority.substr(0, authority.find(','));
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    dsn->port = ParsePort(authority.substr(colon + 1));
    authority = authority.substr(0, colon);
  }
  if (authority.size() > 1 && authority.front() == '[' && authority.back() == ']')
    authority = authority.substr(1, authority.size() - 2);
  dsn->host = Decode(authority);
}

void Take(const std::string& key, const std::string& value, PostgresDsn* dsn) {
  if (key == "host" || key == "hostaddr" || key == "server" || key == "data source") dsn->host = value;
  if (key == "port") dsn->port = ParsePort(value);
  if (key == "user" || key == "username" || key == "user id" || key == "uid") dsn->user = value;
  if (key == "password" || key == "pwd") dsn->password = value;
  if (key == "dbname" || key == "database" || key == "db") dsn->database = value;
}

std::optional<PostgresDsn> ParseUrlDsn(std::string_view text) {
  if (absl::StartsWith(Lower(text.substr(0, 5)), "jdbc:")) text.remove_prefix(5);
  const size_t end = text.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  if (!IsPostgres(Lower(text.substr(0, std::min(end, text.find('+')))))) return std::nullopt;
  PostgresDsn dsn;
  std::string_view rest = text.substr(end + 3);
  const size_t question = rest.find_first_of("?#");
  const std::string_view query =
      question == std::string_view::npos || rest[question] == '#' ? "" : rest.substr(question + 1);
  rest = rest.substr(0, question);
  const size_t slash = rest.find('/');
  ReadAuthority(rest.substr(0, slash), &dsn);
  if (slash != std::string_view::npos) dsn.database = Decode(rest.substr(slash + 1));
  for (const absl::string_view part : absl::StrSplit(absl::string_view(query.data(), query.size()), '&')) {
    const std::vector<std::string> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (pair.size() == 2) Take(Lower(pair[0]), Decode(pair[1]), &dsn);
  }
  return dsn;
}

struct OptionsDelete {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::optional<PostgresDsn> ParseLibpq(const std::string& text) {
  const std::unique_ptr<PQconninfoOption, OptionsDelete> options(PQconninfoParse(text.c_str(), nullptr));
  if (options == nullptr) return std::nullopt;
  PostgresDsn dsn;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && *option->val != '\0') Take(option->keyword, option->val, &dsn);
  }
  return dsn;
}

// "Host=db;Port=5432;Username=shop;Password=x;Database=shop".
std::optional<PostgresDsn> ParseSemicolons(std::string_view text) {
  PostgresDsn dsn;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ';')) {
    const std::vector<std::string> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (pair.size() != 2) continue;
    Take(std::string(absl::StripAsciiWhitespace(Lower(pair[0]))), std::string(absl::StripAsciiWhitespace(pair[1])),
         &dsn);
  }
  if (dsn.host.empty() || (dsn.user.empty() && dsn.database.empty())) return std::nullopt;
  return dsn;
}

std::string Quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

}  // namespace

std::string PostgresDsn::Address() const {
  const bool here = host.empty() || host == "localhost" || host == "::1" || host.starts_with('/');
  return fmt::format("{}:{}", here ? "127.0.0.1" : host, port > 0 ? port : kPostgresPort);
}

std::optional<PostgresDsn> ParsePostgresDsn(std::string_view text) {
  if (text.size() > kMaxDsnBytes || text.empty()) return std::nullopt;
  if (text.find("://") != std::string_view::npos) return ParseUrlDsn(text);
  const std::string lower = Lower(text);
  if (lower.find(';') != std::string::npos && lower.find('=') != std::string::npos) return ParseSemicolons(text);
  const bool keywords = lower.find("host=") != std::string::npos || lower.find("dbname=") != std::string::npos;
  return keywords ? ParseLibpq(std::string(text)) : std::nullopt;
}

std::string ToConnectionString(const PostgresDsn& dsn) {
  std::string text;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, Quoted(value));
  };
  add("host", dsn.host.empty() ? "127.0.0.1" : dsn.host);
  add("port", dsn.port > 0 ? std::to_string(dsn.port) : "");
  add("user", dsn.user);
  add("password", dsn.password);
  add("dbname", dsn.database);
  return text;
}

}  // namespace omnix

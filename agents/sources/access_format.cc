#include "agents/sources/access_format.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/json.h"

namespace omnix {
namespace {

enum class Field {
  kTime,
  kRequest,
  kMethod,
  kPath,
  kStatus,
  kClient,
  kSeconds,
  kMilliseconds,
  kNanoseconds,
  kUpstreamSeconds,
  kUpstream
};

struct Name {
  std::string_view name;
  Field field;
};

// nginx' variables and the usual names of JSON logs; ECS counts event.duration in nanoseconds
// (https://www.elastic.co/guide/en/ecs/current/ecs-event.html).
constexpr std::array<Name, 48> kNames = {{
    {"time_local", Field::kTime},
    {"time_iso8601", Field::kTime},
    {"msec", Field::kTime},
    {"time", Field::kTime},
    {"timestamp", Field::kTime},
    {"@timestamp", Field::kTime},
    {"ts", Field::kTime},
    {"date", Field::kTime},
    {"datetime", Field::kTime},
    {"request", Field::kRequest},
    {"method", Field::kMethod},
    {"request_method", Field::kMethod},
    {"requestmethod", Field::kMethod},
    {"http_method", Field::kMethod},
    {"verb", Field::kMethod},
    {"request_uri", Field::kPath},
    {"uri", Field::kPath},
    {"path", Field::kPath},
    {"url", Field::kPath},
    {"request_path", Field::kPath},
    {"requestpath", Field::kPath},
    {"target", Field::kPath},
    {"status", Field::kStatus},
    {"status_code", Field::kStatus},
    {"statuscode", Field::kStatus},
    {"response_status", Field::kStatus},
    {"downstreamstatus", Field::kStatus},
    {"http_status", Field::kStatus},
    {"code", Field::kStatus},
    {"remote_addr", Field::kClient},
    {"client_ip", Field::kClient},
    {"client", Field::kClient},
    {"remote_ip", Field::kClient},
    {"clienthost", Field::kClient},
    {"ip", Field::kClient},
    {"request_time", Field::kSeconds},
    {"rt", Field::kSeconds},
    {"duration", Field::kSeconds},
    {"elapsed", Field::kSeconds},
    {"duration_ms", Field::kMilliseconds},
    {"elapsed_ms", Field::kMilliseconds},
    {"latency_ms", Field::kMilliseconds},
    {"response_time_ms", Field::kMilliseconds},
    {"event.duration", Field::kNanoseconds},
    {"upstream_response_time", Field::kUpstreamSeconds},
    {"urt", Field::kUpstreamSeconds},
    {"upstream_addr", Field::kUpstream},
    {"uaddr", Field::kUpstream},
}};

bool ReadTime(std::string_view text, absl::Time* time) {
  const absl::string_view piece(text.data(), text.size());
  double seconds = 0;
  if (absl::SimpleAtod(piece, &seconds)) {
    constexpr double kMilliseconds = 1e11;  // from here on the number can't be of seconds
    *time = absl::FromUnixMillis(static_cast<int64_t>(seconds > kMilliseconds ? seconds : seconds * 1000));
    return seconds > 0;
  }
  std::string error;
  for (const char* format : {"%d/%b/%Y:%H:%M:%S %Ez", "%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S%Ez"}) {
    if (absl::ParseTime(format, piece, time, &error)) return true;
  }
  for (const char* format : {"%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S"}) {
    if (absl::ParseTime(format, piece, absl::LocalTimeZone(), time, &error)) return true;
  }
  return false;
}

// "0.120", "0.120, 0.004" and "0.1 : 0.2" (several upstreams one after the other).
std::optional<absl::Duration> ReadSeconds(std::string_view text) {
  absl::Duration sum;
  bool any = false;
  for (const auto part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), absl::ByAnyChar(",: "), absl::SkipEmpty())) {
    double seconds = 0;
    const auto number = absl::StripSuffix(part, "s");
    if (!absl::SimpleAtod(number, &seconds)) continue;
    sum += absl::Seconds(seconds);
    any = true;
  }
  return any ? std::optional(sum) : std::nullopt;
}

std::string LastOf(std::string_view list) {
  const size_t begin = list.find_last_of(", ");
  const std::string last(list.substr(begin == std::string_view::npos ? 0 : begin + 1));
  return last == "-" ? "" : last;
}

void SetPath(std::string_view target, AccessRecord* record) {
  if (const size_t scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  record->path = std::string(target.substr(0, target.find('?')));
}

// What a line told so far.
class Reader {
 public:
  void Take(std::string_view name, std::string_view value) {
    std::string lower(name);
    absl::AsciiStrToLower(&lower);
    const Name* known = Find(lower);
    if (known != nullptr && !value.empty()) {
      named_ |= BitOf(known->field);
      Set(known->field, value);
      return;
    }
    // OpenTelemetry and ECS put the group before the name: "http.response.status_code", "url.path". A name by itself
    // says more.
    const size_t dot = lower.rfind('.');
    known = dot == std::string::npos ? nullptr : Find(std::string_view(lower).substr(dot + 1));
    if (known != nullptr && !value.empty() && (named_ & BitOf(known->field)) == 0) Set(known->field, value);
  }
  std::optional<AccessRecord> Done() {
    if (!timed_ || record_.status == 0) return std::nullopt;
    return std::move(record_);
  }
  AccessRecord& record() { return record_; }

 private:
  static uint32_t BitOf(Field field) { return 1U << static_cast<uint32_t>(field); }

  static const Name* Find(std::string_view name) {
    const auto known = std::find_if(kNames.begin(), kNames.end(), [&](const Name& n) { return n.name == name; });
    return known == kNames.end() ? nullptr : &*known;
  }

  void Set(Field field, std::string_view value) {
    const absl::string_view text(value.data(), value.size());
    switch (field) {
      case Field::kTime:
        timed_ = timed_ || ReadTime(value, &record_.time);
        return;
      case Field::kRequest: {
        const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
        if (words.size() < 2) return;
        record_.method = std::string(words[0]);
        return SetPath(std::string_view(words[1].data(), words[1].size()), &record_);
      }
      case Field::kMethod:
        record_.method = absl::AsciiStrToUpper(text);
        return;
      case Field::kPath:
        return SetPath(value, &record_);
      case Field::kStatus:
        if (int status = 0; absl::SimpleAtoi(text, &status) && status >= kFirstStatus && status <= kLastStatus)
          record_.status = status;
        return;
      case Field::kClient:
        record_.client = std::string(value);
        return;
      case Field::kSeconds:
        record_.duration = ReadSeconds(value);
        return;
      case Field::kMilliseconds:
        if (const auto thousands = ReadSeconds(value)) record_.duration = *thousands / 1000;
        return;
      case Field::kNanoseconds:
        if (const auto billions = ReadSeconds(value)) record_.duration = *billions / 1'000'000'000;
        return;
      case Field::kUpstreamSeconds:
        record_.upstream_duration = ReadSeconds(value);
        return;
      case Field::kUpstream:
        record_.upstream = LastOf(value);
        return;
    }
  }

  static constexpr int kFirstStatus = 100, kLastStatus = 599;
  AccessRecord record_;
  bool timed_ = false;
  // Fields that a name without a group gave, a bit each.
  uint32_t named_ = 0;
};

std::optional<AccessRecord> ReadJson(std::string_view line) {
  constexpr size_t kMaxNesting = 3;
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  Reader reader;
  const std::function<void(const Json&, const std::string&, size_t)> walk =
      [&](const Json& object, const std::string& group, size_t depth) {
        for (const auto& [name, value] : object.items()) {
          const std::string key = group + name;
          if (value.is_string()) {
            reader.Take(key, value.get_ref<const std::string&>());
          } else if (value.is_number()) {
            reader.Take(key, value.dump());
          } else if (value.is_object() && depth < kMaxNesting) {
            walk(value, key + ".", depth + 1);
          }
        }
      };
  walk(json, "", 1);
  return reader.Done();
}

// '127.0.0.1 - - [04/Sep/2025:07:14:03 +0000] "GET /v1/products HTTP/1.1" 404 153 "-" "curl/8" rt=0.004'
std::optional<AccessRecord> ReadCommon(std::string_view line) {
  static const re2::RE2 kLine(R"re(^(\S+) [^\[]*\[([^\]]{1,40})\].*?"([A-Z]{3,10} [^ "]+[^"]*)" (\d{3})\b(.*)$)re");
  static const re2::RE2 kCombined(R"re( \S+ "[^"]*" "[^"]*"(.*))re");
  static const re2::RE2 kNamed(R"re(([a-z_]+)[=:]"?([^"\s]+))re");
  static const re2::RE2 kTail(R"re(" "?(\d+\.\d{3})"?(?:\s|$))re");
  const re2::StringPiece text(line.data(), line.size());
  re2::StringPiece client, time, request, status, rest;
  if (!re2::RE2::PartialMatch(text, kLine, &client, &time, &request, &status, &rest)) return std::nullopt;
  const auto view = [](const re2::StringPiece& piece) { return std::string_view(piece.data(), piece.size()); };
  Reader reader;
  reader.Take("ip", view(client));
  reader.Take("time", view(time));
  reader.Take("request", view(request));
  reader.Take("status", view(status));
  std::string number;
  if (re2::RE2::PartialMatch(rest, kTail, &number)) reader.Take("request_time", number);
  // Names in what the browser sent (referrer and agent, between quotes) are none of the log's.
  re2::StringPiece tail;
  if (!re2::RE2::FullMatch(rest, kCombined, &tail)) tail = rest;
  re2::StringPiece name, value;
  while (re2::RE2::FindAndConsume(&tail, kNamed, &name, &value)) {
    const std::string_view known = view(name);
    if (known == "rt" || known == "urt" || known == "uaddr" || known.ends_with("_time") || known.starts_with("dur"))
      reader.Take(known, view(value));
  }
  return reader.Done();
}

bool IsName(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

AccessFormat AccessFormat::OfNginx(std::string_view log_format) {
  AccessFormat format;
  for (size_t at = 0; at < log_format.size();) {
    if (log_format[at] != '$') {
      (format.pieces_.empty() ? format.begin_ : format.pieces_.back().until).push_back(log_format[at++]);
      continue;
    }
    const bool braced = ++at < log_format.size() && log_format[at] == '{';
    if (braced) ++at;
    Piece piece;
    while (at < log_format.size() && IsName(log_format[at])) piece.variable.push_back(log_format[at++]);
    if (braced && at < log_format.size()) ++at;
    format.pieces_.push_back(std::move(piece));
  }
  return format;
}

std::optional<AccessRecord> AccessFormat::ReadPieces(std::string_view line) const {
  if (!line.starts_with(begin_)) return std::nullopt;
  line.remove_prefix(begin_.size());
  Reader reader;
  for (const Piece& piece : pieces_) {
    const size_t end = piece.until.empty() ? line.size() : line.find(piece.until);
    if (end == std::string_view::npos) return std::nullopt;
    reader.Take(piece.variable, line.substr(0, end));
    line.remove_prefix(std::min(line.size(), end + piece.until.size()));
  }
  return reader.Done();
}

std::optional<AccessRecord> AccessFormat::Read(std::string_view line) const {
  if (!pieces_.empty()) {
    // Two variables without anything between them can't be told apart: what is recognized by itself may do.
    if (auto record = ReadPieces(line)) return record;
  }
  if (line.starts_with('{')) return ReadJson(line);
  return ReadCommon(line);
}

AccessFormat FormatOfLog(const NginxConfig& config, const std::string& path) {
  std::string name;
  std::vector<const NginxDirective*> formats, open = {&config.root};
  while (!open.empty()) {
    const NginxDirective* at = open.back();
    open.pop_back();
    for (const NginxDirective& child : at->block) {
      if (child.name() == "log_format") formats.push_back(&child);
      if (child.name() == "access_log" && child.words.size() > 2 && path.ends_with(child.Argument(1)))
        name = child.Argument(2);
      if (child.has_block) open.push_back(&child);
    }
  }
  for (const NginxDirective* format : formats) {
    if (format->Argument(1) != name) continue;
    std::string text;
    for (size_t i = 2; i < format->words.size(); ++i) {
      if (!format->Argument(i).starts_with("escape=")) text += format->Argument(i);
    }
    return AccessFormat::OfNginx(text);
  }
  return AccessFormat();
}

}  // namespace omnix

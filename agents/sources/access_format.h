// One line of an access log as a record, whatever its format: nginx' own log_format, common and combined and what adds
// to them, or JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "agents/sources/nginx_config.h"

namespace omnix {

struct AccessRecord {
  absl::Time time;
  std::string method;
  // Without the query.
  std::string path;
  int status = 0;
  // "" where the line does not say.
  std::string client;
  // From the first byte of the request to the last of the answer.
  std::optional<absl::Duration> duration;
  // What the service behind took, all that were tried together; unset also where none was asked ("-").
  std::optional<absl::Duration> upstream_duration;
  // "127.0.0.1:9000" of the last that was tried; "" where the line does not say, or none was asked.
  std::string upstream;
};

// Thread-safe.
class AccessFormat {
 public:
  // Recognizes common, combined and JSON by themselves; durations in them by their usual names ("rt=0.12",
  // "request_time": 0.12, "duration_ms": 120) or, unnamed, behind the last quote.
  AccessFormat() = default;
  // As in nginx: "$remote_addr [$time_local] \"$request\" $status $request_time".
  static AccessFormat OfNginx(std::string_view log_format);

  // No value for lines that do not fit, or tell no time or status.
  std::optional<AccessRecord> Read(std::string_view line) const;

 private:
  struct Piece {
    std::string variable;
    // What stands behind it; "": the end of the line.
    std::string until;
  };
  std::optional<AccessRecord> ReadPieces(std::string_view line) const;

  // Before the first variable.
  std::string begin_;
  std::vector<Piece> pieces_;
};

// The format with which this configuration writes the log at `path`; the default where it does not name it or uses one
// of nginx' own.
AccessFormat FormatOfLog(const NginxConfig& config, const std::string& path);

}  // namespace omnix

// Reads the parameters of a check, collecting every mistake:
//
//   Parameters with(json);
//   options.method = with.String("method", "GET");
//   options.max_ms = with.Number("max_ms", 0, kLargest, 0);
//   OMNIX_RETURN_IF_ERROR(with.status());
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

class Parameters {
 public:
  explicit Parameters(const Json& with) : with_(with) {}

  bool Has(const std::string& key) const { return with_.is_object() && with_.contains(key); }
  std::string String(const std::string& key, const std::string& fallback = "");
  bool Bool(const std::string& key, bool fallback);
  double Number(const std::string& key, double least, double most, double fallback);
  // A text such as "90s" or "500ms"; at most kMaxDuration.
  absl::Duration Duration(const std::string& key, absl::Duration fallback);
  // One text or a list of texts.
  std::vector<std::string> Strings(const std::string& key);
  // One HTTP status, a class of them ("2xx"), or a list of both.
  std::vector<int> Statuses(const std::string& key);
  // A mapping whose values are texts, numbers or booleans.
  std::map<std::string, std::string> StringMap(const std::string& key);
  // Any JSON value; null where it is absent.
  const Json& Value(const std::string& key) const;

  // A mistake that the kind found itself.
  void Fail(const std::string& mistake) { mistakes_.push_back(mistake); }

  // OK, or INVALID_ARGUMENT with every mistake.
  absl::Status status() const;

  static constexpr size_t kMaxItems = 200;
  static constexpr absl::Duration kMaxDuration = absl::Hours(1);

 private:
  void Expect(const std::string& key, const std::string& what);

  const Json& with_;
  std::vector<std::string> mistakes_;
};

}  // namespace omnix

// The alert formats that Omnix reads, one line each in formats.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/intake/alert_format.h"

namespace omnix {

// Formats by name. Filled at start, then only read: reading is thread-safe.
class AlertFormats {
 public:
  // The formats that are part of the program.
  static AlertFormats BuiltIn();

  // Adds one (from a data file). Errors: ALREADY_EXISTS, INVALID_ARGUMENT (a name that can't stand in a URL: lower-case
  // letters, digits,
  // '-', '_', '.').
  absl::Status Add(AlertFormat format);

  // Null where there is none of this name. Valid as long as this object and until the next Add.
  const AlertFormat* Find(std::string_view name) const;

  // In the order they were added.
  std::vector<std::string> Names() const;

 private:
  std::vector<AlertFormat> formats_;
};

}  // namespace omnix

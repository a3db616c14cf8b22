// CloudEvents 1.0 in binary mode: the attributes are HTTP headers, the body is the data.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

// True where the headers (lower-case names) are those of a CloudEvent in binary mode.
bool IsBinaryCloudEvent(const std::map<std::string, std::string>& headers);

// The event in structured form. Data of a JSON content type (or of none) must be JSON, other text is kept as text, the
// rest as base64. Errors: those of ParseBody.
absl::StatusOr<Json> StructuredCloudEvent(const std::map<std::string, std::string>& headers, const std::string& bytes);

}  // namespace omnix

// The rules by which alerts become incidents (omnixd --grouping), read and checked.
#pragma once

#include <omnix/v1/grouping.pb.h>

#include <string>

#include "absl/status/statusor.h"

namespace omnix {

// Everything that is wrong is reported at once, with file, line and key: unknown keys, rules without a name or with one
// that is taken, rules that are never reached, `labels` without `by: labels` or the reverse, windows of no length, jq
// that does not compile.
absl::StatusOr<v1::Grouping> LoadGrouping(const std::string& path);

}  // namespace omnix

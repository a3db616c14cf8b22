#include "common/status.h"

namespace omnix {

absl::Status Annotate(const absl::Status& status, const std::string& context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), context + Message(status));
}

}  // namespace omnix

// The files as they were before a plan: content, mode, owner, modification time. Durable.
#pragma once

#include <omnix/v1/action.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "agents/recovery/safe_file.h"

namespace omnix {

class Backup {
 public:
  explicit Backup(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  // Saves every file of the plan.
  absl::Status Save(const v1::Plan& plan, const SafeFiles& files) const;
  // The index-th file of the plan as it was. Errors: NOT_FOUND, DATA_LOSS (its content is not what was saved).
  absl::StatusOr<FileState> Load(int index) const;

 private:
  std::string folder_;
};

}  // namespace omnix

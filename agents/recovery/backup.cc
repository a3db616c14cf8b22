#include "agents/recovery/backup.h"

#include "common/crash_point.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {
constexpr mode_t kPrivate = 0600;
}

absl::Status Backup::Save(const v1::Plan& plan, const SafeFiles& files) const {
  OMNIX_RETURN_IF_ERROR(MakeFolders(folder_));
  for (int i = 0; i < plan.files_size(); ++i) {
    OMNIX_ASSIGN_OR_RETURN(const FileState state, files.Read(plan.files(i).path()));
    const FileAttributes& a = state.attributes;
    const Json description = {{"path", plan.files(i).path()},
                              {"sha256", Sha256Hex(state.content)},
                              {"mode", a.mode},
                              {"owner", a.owner},
                              {"group", a.group},
                              {"seconds", a.modified.tv_sec},
                              {"nanos", a.modified.tv_nsec}};
    const std::string name = folder_ + "/" + std::to_string(i);
    OMNIX_RETURN_IF_ERROR(ReplaceFile(name + ".content", state.content, kPrivate));
    OMNIX_RETURN_IF_ERROR(ReplaceFile(name + ".json", DumpJson(description), kPrivate));
    OMNIX_CRASH_POINT("recovery.file_saved");
  }
  return absl::OkStatus();
}

absl::StatusOr<FileState> Backup::Load(int index) const {
  const std::string name = folder_ + "/" + std::to_string(index);
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(name + ".json"));
  OMNIX_ASSIGN_OR_RETURN(const Json description, ParseJson(text));
  FileState state;
  OMNIX_ASSIGN_OR_RETURN(state.content, ReadFile(name + ".content"));
  if (Sha256Hex(state.content) != description.value("sha256", "")) return DataLoss("the backup {} is damaged", name);
  state.attributes.mode = description.value("mode", 0u);
  state.attributes.owner = description.value("owner", 0u);
  state.attributes.group = description.value("group", 0u);
  state.attributes.modified = {description.value("seconds", int64_t{0}), description.value("nanos", int64_t{0})};
  return state;
}

}  // namespace omnix

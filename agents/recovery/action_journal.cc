#include "agents/recovery/action_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/clock.h"
#include "common/crash_point.h"
#include "common/file.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

absl::Status FileError(const std::string& what, const std::string& path) {
  return Internal("{} action journal {}: {}", what, path, std::generic_category().message(errno));
}

}  // namespace

absl::StatusOr<ActionJournal> ActionJournal::Open(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  OMNIX_RETURN_IF_ERROR(MakeFolders(folder));
  ActionJournal journal(path);
  journal.fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (journal.fd_ < 0) return FileError("open", path);
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  size_t at = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    auto entry = ParseJson(std::string_view(text).substr(at, end - at));
    if (!entry.ok() || !entry->is_object())
      return DataLoss("action journal {} is damaged at byte {}: a person must look", path, at);
    journal.entries_.push_back(*std::move(entry));
    at = end + 1;
  }
  if (at < text.size() && ftruncate(journal.fd_, static_cast<off_t>(at)) != 0) return FileError("cut", path);
  // The file's name must survive a power loss, too.
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder_fd >= 0 && fsync(folder_fd) == 0;
  if (folder_fd >= 0) close(folder_fd);
  if (!synced) return FileError("fsync the folder of", path);
  return journal;
}

ActionJournal::ActionJournal(ActionJournal&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      failed_(other.failed_),
      entries_(std::move(other.entries_)) {}

ActionJournal::~ActionJournal() {
  if (fd_ >= 0) close(fd_);
}

absl::Status ActionJournal::Append(const std::string& event, Json fields) {
  if (failed_) return Internal("action journal {} failed before: nothing more is begun", path_);
  fields["event"] = event;
  fields["at"] = omnix::FormatTime(SystemClock().Now());
  const std::string line = DumpJson(fields) + "\n";
  // A failed fsync is never tried again: what it should have kept may be gone.
  if (write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || fsync(fd_) != 0) {
    failed_ = true;
    return FileError("write", path_);
  }
  entries_.push_back(std::move(fields));
  OMNIX_CRASH_POINT("recovery.journaled");
  return absl::OkStatus();
}

const Json* ActionJournal::Last(const std::string& event) const { return Last(event, "event", event); }

const Json* ActionJournal::Last(const std::string& event, const std::string& key, const Json& value) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->value("event", "") == event && entry->contains(key) && entry->at(key) == value) return &*entry;
  }
  return nullptr;
}

}  // namespace omnix

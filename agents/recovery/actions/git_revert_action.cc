#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "agents/recovery/actions/action_kind.h"
#include "common/file.h"
#include "common/process.h"
#include "common/redact.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxGitBytes = 8 << 20;
constexpr size_t kMinCommitDigits = 7;
constexpr size_t kMaxCommitDigits = 64;

// Nothing of the user's or the system's settings, no hooks, no helpers that a repository could bring along.
absl::StatusOr<std::string> Git(const std::string& folder, std::vector<std::string> arguments,
                                const std::string& stdin_text = "") {
  std::vector<std::string> argv = {
      "git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"};
  argv.insert(argv.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  ProcessOptions options;
  options.cwd = folder;
  options.input = stdin_text;
  options.max_output_bytes = kMaxGitBytes;
  // safe.directory counts from the environment's settings only: the repository was named by the system model's owner.
  options.environment = {
      {"GIT_CONFIG_NOSYSTEM", "1"}, {"GIT_CONFIG_GLOBAL", "/dev/null"},     {"GIT_OPTIONAL_LOCKS", "0"},
      {"GIT_CONFIG_COUNT", "1"},    {"GIT_CONFIG_KEY_0", "safe.directory"}, {"GIT_CONFIG_VALUE_0", "*"}};
  OMNIX_ASSIGN_OR_RETURN(ProcessResult result, RunProcess(argv, options));
  if (result.timed_out) return DeadlineExceeded("git in {} did not end", folder);
  if (result.truncated) return ResourceExhausted("git in {} gave more than {} bytes", folder, kMaxGitBytes);
  if (result.exit_code != 0) return FailedPrecondition("git in {}: {}", folder, Excerpt(result.err));
  return std::move(result.out);
}

// Takes the commit's change out of a file that changed again since, in a folder of its own.
absl::StatusOr<std::string> ReverseApply(const std::string& path, const std::string& current,
                                         const std::string& patch) {
  std::string folder = std::filesystem::temp_directory_path().string() + "/omnix-revert-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return Internal("no temporary folder could be made");
  auto work = [&]() -> absl::StatusOr<std::string> {
    OMNIX_RETURN_IF_ERROR(MakeFolders(std::filesystem::path(folder + "/" + path).parent_path().string()));
    OMNIX_RETURN_IF_ERROR(ReplaceFile(folder + "/" + path, current));
    OMNIX_RETURN_IF_ERROR(Git(folder, {"apply", "-R", "--whitespace=nowarn", "-"}, patch).status());
    return ReadFile(folder + "/" + path);
  };
  auto result = work();
  std::filesystem::remove_all(folder);
  return result;
}

absl::StatusOr<std::string> Reverted(const std::string& folder, const std::string& commit, const std::string& path,
                                     const std::string& current) {
  const auto after = Git(folder, {"show", "--no-textconv", commit + ":" + path});
  auto before = Git(folder, {"show", "--no-textconv", commit + "^:" + path});
  if (!before.ok())
    return FailedPrecondition("{} was not there before commit {}: taking a file away is not supported", path, commit);
  if (after.ok() && *after == current) return before;
  OMNIX_ASSIGN_OR_RETURN(const std::string patch,
                         Git(folder, {"diff", "--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/",
                                      "--dst-prefix=b/", commit + "^", commit, "--", path}));
  if (patch.empty()) return FailedPrecondition("commit {} did not change {}", commit, path);
  auto reverted = ReverseApply(path, current, patch);
  if (!reverted.ok())
    return FailedPrecondition("{} was changed again where commit {} changed it: revert it by hand ({})", path, commit,
                              Message(reverted.status()));
  return reverted;
}

}  // namespace

absl::Status RevertCommit(const ActionInput& input, Workspace& workspace) {
  OMNIX_ASSIGN_OR_RETURN(const std::string name, TextParameter(input.with, "repository"));
  OMNIX_ASSIGN_OR_RETURN(const std::string commit, TextParameter(input.with, "commit"));
  OMNIX_ASSIGN_OR_RETURN(const std::vector<std::string> paths, TextListParameter(input.with, "paths"));
  const auto& repositories = input.system.repositories();
  const auto repository = std::find_if(repositories.begin(), repositories.end(),
                                       [&](const auto& r) { return r.name() == name || r.path() == name; });
  if (repository == repositories.end()) return NotFound("'{}' is no repository of the system model", name);
  if (commit.size() < kMinCommitDigits || commit.size() > kMaxCommitDigits ||
      commit.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return InvalidArgument("'{}' is no commit's hash", commit);
  }
  OMNIX_ASSIGN_OR_RETURN(std::string top, Git(repository->path(), {"rev-parse", "--show-toplevel"}));
  top.erase(std::min(top.find_last_not_of('\n') + 1, top.size()));
  for (const std::string& given : paths) {
    // Absolute, or against the repository.
    const std::string path = ResolvePath(given, top);
    if (path.rfind(top + "/", 0) != 0) return InvalidArgument("{} is not in the repository {}", given, top);
    OMNIX_ASSIGN_OR_RETURN(const std::string current, workspace.Read(path));
    OMNIX_ASSIGN_OR_RETURN(std::string reverted, Reverted(top, commit, path.substr(top.size() + 1), current));
    workspace.Write(path, std::move(reverted));
  }
  return absl::OkStatus();
}

}  // namespace omnix

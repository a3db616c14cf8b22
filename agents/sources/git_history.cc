#include "agents/sources/git_history.h"

#include <re2/re2.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "common/process.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr absl::Duration kGitTimeout = absl::Seconds(10);
constexpr int64_t kFirstGitSecond = 100'000'000;
constexpr char kRecord = '\x1e';
constexpr char kField = '\x1f';
constexpr char kNotCommitted[] = "0000000000000000000000000000000000000000";

absl::StatusOr<std::string> Git(const std::string& repository, const std::vector<std::string>& arguments) {
  if (!std::filesystem::is_directory(repository)) return NotFound("repository {}: no such folder", repository);
  std::vector<std::string> argv = {
      "git", "--no-pager",           "-c", "core.quotepath=off", "-c", "core.hooksPath=/dev/null",
      "-c",  "core.fsmonitor=false", "-c", "safe.directory=*",   "-C", repository};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  ProcessOptions options;
  options.timeout = kGitTimeout;
  options.environment = {{"GIT_CONFIG_NOSYSTEM", "1"},
                         {"GIT_CONFIG_GLOBAL", "/dev/null"},
                         {"GIT_OPTIONAL_LOCKS", "0"},
                         {"GIT_TERMINAL_PROMPT", "0"}};
  OMNIX_ASSIGN_OR_RETURN(ProcessResult result, RunProcess(argv, options));
  if (result.timed_out) return DeadlineExceeded("git {} in {}: no answer in time", arguments[0], repository);
  if (result.exit_code != 0)
    return FailedPrecondition("git {} in {}: {}", arguments[0], repository,
                              result.err.substr(0, result.err.find('\n')));
  return std::move(result.out);
}

absl::StatusOr<std::string> TopOf(const std::string& repository) {
  OMNIX_ASSIGN_OR_RETURN(std::string top, Git(repository, {"rev-parse", "--show-toplevel"}));
  while (top.ends_with('\n')) top.pop_back();
  return top;
}

// Of a diff of one file.
std::vector<GitHunk> Hunks(const std::string& diff) {
  static const re2::RE2* const head = new re2::RE2(R"(^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@)");
  std::vector<GitHunk> hunks;
  std::istringstream lines(diff);
  for (std::string line; std::getline(lines, line);) {
    uint32_t number = 0;
    if (re2::RE2::PartialMatch(line, *head, &number)) {
      hunks.push_back({number, {}, {}});
    } else if (!hunks.empty() && line.starts_with('-')) {
      hunks.back().removed.push_back(line.substr(1));
    } else if (!hunks.empty() && line.starts_with('+')) {
      hunks.back().added.push_back(line.substr(1));
    }
  }
  return hunks;
}

}  // namespace

absl::StatusOr<std::vector<GitCommit>> GitLog(const std::string& repository, absl::Time since,
                                              const std::vector<std::string>& paths) {
  OMNIX_ASSIGN_OR_RETURN(const std::string top, TopOf(repository));
  std::vector<std::string> arguments = {"log",
                                        "--no-ext-diff",
                                        "--no-renames",
                                        "--name-only",
                                        "--max-count=" + std::to_string(kMaxGitCommits),
                                        "--format=%x1e%H%x1f%an%x1f%ct%x1f%s"};
  // git takes smaller numbers for something else than seconds.
  if (absl::ToUnixSeconds(since) > kFirstGitSecond) {
    arguments.push_back("--since=" + std::to_string(absl::ToUnixSeconds(since)));
  }
  arguments.push_back("--");
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  OMNIX_ASSIGN_OR_RETURN(const std::string out, Git(repository, arguments));
  std::vector<GitCommit> commits;
  std::istringstream records(out);
  for (std::string record; std::getline(records, record, kRecord);) {
    std::istringstream lines(record);
    std::string head;
    if (!std::getline(lines, head) || head.empty()) continue;
    std::istringstream fields(head);
    GitCommit commit;
    std::string seconds;
    std::getline(fields, commit.hash, kField);
    std::getline(fields, commit.author, kField);
    std::getline(fields, seconds, kField);
    std::getline(fields, commit.subject);
    commit.time = absl::FromUnixSeconds(std::atoll(seconds.c_str()));
    for (std::string file; std::getline(lines, file);) {
      if (!file.empty()) commit.files.push_back(top + "/" + file);
    }
    commits.push_back(std::move(commit));
  }
  return commits;
}

absl::StatusOr<std::vector<GitHunk>> GitChange(const std::string& repository, const std::string& commit,
                                               const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string out, Git(repository, {"show", "--no-ext-diff", "--no-textconv",
                                                                 "--unified=0", "--format=", commit, "--", path}));
  return Hunks(out);
}

absl::StatusOr<std::vector<GitEdit>> GitEdits(const std::string& repository) {
  OMNIX_ASSIGN_OR_RETURN(const std::string top, TopOf(repository));
  OMNIX_ASSIGN_OR_RETURN(const std::string out,
                         Git(repository, {"diff", "--no-ext-diff", "--no-textconv", "--no-renames",
                                          "--ignore-submodules", "--name-only", "HEAD", "--"}));
  std::vector<GitEdit> edits;
  std::istringstream lines(out);
  for (std::string file; std::getline(lines, file);) {
    if (file.empty()) continue;
    GitEdit edit{top + "/" + file};
    std::error_code gone;
    const auto written = std::filesystem::last_write_time(edit.path, gone);
    if (!gone) edit.written = absl::FromChrono(std::chrono::file_clock::to_sys(written));
    edits.push_back(std::move(edit));
  }
  return edits;
}

absl::StatusOr<std::vector<GitHunk>> GitEditOf(const std::string& repository, const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string out, Git(repository, {"diff", "--no-ext-diff", "--no-textconv",
                                                                 "--no-renames", "--unified=0", "HEAD", "--", path}));
  return Hunks(out);
}

absl::StatusOr<GitCommit> GitBlame(const std::string& repository, const std::string& path, uint32_t line) {
  const std::string range = std::to_string(line) + "," + std::to_string(line);
  OMNIX_ASSIGN_OR_RETURN(const std::string out, Git(repository, {"blame", "--porcelain", "-L", range, "--", path}));
  GitCommit commit;
  commit.hash = out.substr(0, out.find(' '));
  if (commit.hash == kNotCommitted) commit.hash.clear();
  commit.files = {path};
  std::istringstream lines(out);
  for (std::string text; std::getline(lines, text);) {
    if (text.starts_with("author ")) commit.author = text.substr(7);
    if (text.starts_with("committer-time ")) commit.time = absl::FromUnixSeconds(std::atoll(text.c_str() + 15));
    if (text.starts_with("summary ")) commit.subject = text.substr(8);
  }
  return commit;
}

}  // namespace omnix

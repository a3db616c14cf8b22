// What changed in the repositories before the trouble: commits that touch files which the model names, or which those
// include.
#include <algorithm>
#include <set>

#include "agents/investigation/probe.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// Changes older than this before the trouble are not looked at.
constexpr absl::Duration kHistory = absl::Hours(24 * 14);
constexpr size_t kMaxChanges = 60;

// Files whose changes matter: those that the model names and what they include.
std::set<std::string> WatchedFiles(const Scene& scene) {
  std::set<std::string> files;
  for (const ClientFacts& client : scene.clients) {
    files.insert(client.calls.files.begin(), client.calls.files.end());
    if (client.dev) files.insert(client.dev->files.begin(), client.dev->files.end());
  }
  for (const v1::Service& service : scene.input.system.services()) {
    for (const v1::ConfigFile& file : service.config_files()) files.insert(file.path());
    for (const v1::Instance& instance : service.instances()) {
      for (const v1::ConfigFile& file : instance.config_files()) files.insert(file.path());
    }
  }
  for (const NginxFacts& nginx : scene.nginx) {
    if (nginx.config) files.insert(nginx.config->files.begin(), nginx.config->files.end());
  }
  return files;
}

}  // namespace

void ProbeHistory(Scene* scene) {
  const absl::Time since =
      std::min(scene->input.now, std::max(scene->input.started_at, scene->input.now - kHistory)) - kHistory;
  const std::set<std::string> watched = WatchedFiles(*scene);
  std::set<std::string> seen;
  for (const v1::Repository& repository : scene->input.system.repositories()) {
    const auto commits = GitLog(repository.path(), since);
    if (!commits.ok()) {
      scene->book.Add(MakeEvidence("git_history", repository.name(), Message(commits.status())));
      continue;
    }
    for (const GitCommit& commit : *commits) {
      for (const std::string& file : commit.files) {
        if (watched.count(file) == 0 || scene->changes.size() >= kMaxChanges) continue;
        auto hunks = GitChange(repository.path(), commit.hash, file);
        if (!hunks.ok()) continue;
        Change change{repository.path(), commit, file, *std::move(hunks), "", seen.insert(file).second};
        std::string excerpt;
        for (const GitHunk& hunk : change.hunks) {
          for (const std::string& line : hunk.removed) excerpt += "-" + line + "\n";
          for (const std::string& line : hunk.added) excerpt += "+" + line + "\n";
        }
        v1::Location location;
        location.set_file(file);
        location.set_line(change.hunks.empty() ? 0 : change.hunks[0].line);
        change.evidence =
            scene->book.Add(MakeEvidence("git_history", repository.name(),
                                         fmt::format("{} {}: \"{}\" by {} changed {}", omnix::FormatTime(commit.time),
                                                     commit.hash.substr(0, 10), commit.subject, commit.author, file),
                                         excerpt, location, {{"commit", commit.hash}, {"file", file}}));
        scene->changes.push_back(std::move(change));
      }
    }
  }
}

}  // namespace omnix

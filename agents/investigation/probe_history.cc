// What changed in the repositories before the trouble: commits that touch files which the model names, or which those
// include, and edits of these files that are not committed.
#include <algorithm>
#include <map>
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

void AddChange(Scene* scene, const v1::Repository& repository, const GitCommit& commit, const std::string& file,
               std::vector<GitHunk> hunks, const std::string& summary, bool last_of_file) {
  Change change{repository.path(), commit, file, std::move(hunks), "", last_of_file};
  std::string excerpt;
  for (const GitHunk& hunk : change.hunks) {
    for (const std::string& line : hunk.removed) excerpt += "-" + line + "\n";
    for (const std::string& line : hunk.added) excerpt += "+" + line + "\n";
  }
  v1::Location location;
  location.set_file(file);
  location.set_line(change.hunks.empty() ? 0 : change.hunks[0].line);
  std::map<std::string, std::string> attributes = {{"file", file}};
  if (change.IsCommitted()) attributes["commit"] = commit.hash;
  change.evidence =
      scene->book.Add(MakeEvidence("git_history", repository.name(), summary, excerpt, location, attributes));
  scene->changes.push_back(std::move(change));
}

class RepositoryReader {
 public:
  RepositoryReader(Scene* scene, const v1::Repository& repository, const std::set<std::string>& watched,
                   absl::Time since)
      : scene_(*scene), repository_(repository), watched_(watched), since_(since) {}

  void Read() {
    const auto commits = GitLog(repository_.path(), since_);
    if (!commits.ok()) {
      scene_.book.Add(MakeEvidence("git_history", repository_.name(), Message(commits.status())));
      return;
    }
    ReadEdits();
    for (const GitCommit& commit : *commits) ReadCommit(commit);
  }

 private:
  bool Wants(const std::string& file) const { return watched_.contains(file) && scene_.changes.size() < kMaxChanges; }

  // What is in the files and in no commit is newer than all of them.
  void ReadEdits() {
    const auto edits = GitEdits(repository_.path());
    if (!edits.ok()) return;
    for (const GitEdit& edit : *edits) {
      if (!Wants(edit.path) || edit.written < since_) continue;
      auto hunks = GitEditOf(repository_.path(), edit.path);
      if (!hunks.ok()) continue;
      GitCommit none;
      none.time = edit.written;
      AddChange(&scene_, repository_, none, edit.path, *std::move(hunks),
                fmt::format("{}: {} was edited and is not committed", omnix::FormatTime(edit.written), edit.path),
                true);
    }
  }

  void ReadCommit(const GitCommit& commit) {
    for (const std::string& file : commit.files) {
      if (!Wants(file)) continue;
      auto hunks = GitChange(repository_.path(), commit.hash, file);
      if (!hunks.ok()) continue;
      AddChange(&scene_, repository_, commit, file, *std::move(hunks),
                fmt::format("{} {}: \"{}\" by {} changed {}", omnix::FormatTime(commit.time), commit.hash.substr(0, 10),
                            commit.subject, commit.author, file),
                seen_.insert(file).second);
    }
  }

  Scene& scene_;
  const v1::Repository& repository_;
  const std::set<std::string>& watched_;
  const absl::Time since_;
  std::set<std::string> seen_;
};

}  // namespace

void ProbeHistory(Scene* scene) {
  const absl::Time since =
      std::min(scene->input.now, std::max(scene->input.started_at, scene->input.now - kHistory)) - kHistory;
  const std::set<std::string> watched = WatchedFiles(*scene);
  for (const v1::Repository& repository : scene->input.system.repositories())
    RepositoryReader(scene, repository, watched, since).Read();
}

}  // namespace omnix

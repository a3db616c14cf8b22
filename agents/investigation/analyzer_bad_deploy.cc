// endpoint.bad_deploy: some endpoints of a service answer 5xx, others are well, and the stack trace in its log leads to
// lines that a commit changed shortly before. Without a trace a change of its code is a circumstance, and not named.
#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/stack_trace.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kLineChanged = 0.9;
constexpr double kFileChanged = 0.6;
constexpr absl::Duration kRecent = absl::Hours(24 * 7);
constexpr size_t kMaxFrames = 40;
// What a gateway answers by itself is 502 or 504.
constexpr int kServerError = 500;

// What the trace leads to is the symptom of something else: a store or another service that can't be reached.
bool SpeaksOfDependency(const std::string& line) {
  static const RE2 kDependency(
      R"((?i)(ECONNREFUSED|Connection refused|ETIMEDOUT|timed out|OperationalError|ConnectionError|ConnectTimeout|could not connect|password authentication failed|too many (clients|connections)|No space left|ENOSPC|read-only|NOAUTH|WRONGPASS|OOM command|certificate|EMFILE|Too many open files))");
  return RE2::PartialMatch(line, kDependency);
}

struct Blamed {
  StackFrame frame;
  std::string repository;
  std::string file;
  GitCommit commit;
  // The very line is the commit's.
  bool line = false;
  const ServiceLogFacts* log = nullptr;
  std::string log_line;
};

// The repository's files that end like the frame's: a service may run from a copy elsewhere.
std::string FileIn(const v1::Repository& repository, const std::vector<GitCommit>& commits, const StackFrame& frame) {
  std::error_code error;
  if (frame.file.starts_with('/') && std::filesystem::exists(frame.file, error)) {
    const std::string real = std::filesystem::weakly_canonical(frame.file, error).string();
    const std::string root = std::filesystem::weakly_canonical(repository.path(), error).string() + "/";
    if (real.starts_with(root)) return real;
  }
  std::string tail = frame.file;
  while (tail.starts_with("./") || tail.starts_with("/")) tail = tail.substr(tail.find('/') + 1);
  const std::string name = tail.substr(tail.rfind('/') + 1);
  std::set<std::string> by_name;
  for (const GitCommit& commit : commits) {
    for (const std::string& file : commit.files) {
      if (file.ends_with("/" + tail)) return file;
      if (file.ends_with("/" + name)) by_name.insert(file);
    }
  }
  return by_name.size() == 1 ? *by_name.begin() : "";
}

class DeployJudge {
 public:
  explicit DeployJudge(Scene* scene) : scene_(*scene) {
    const absl::Time started = std::min(scene->input.started_at, scene->input.now);
    for (const v1::Repository& repository : scene->input.system.repositories()) {
      if (auto log = GitLog(repository.path(), started - kRecent); log.ok())
        commits_.push_back({&repository, *std::move(log)});
    }
  }

  void Judge(const v1::Service& service, std::vector<Candidate>* candidates) {
    std::vector<std::string> failing;
    size_t served = 0;
    const std::vector<std::string> symptoms = SymptomsBehind(scene_, service);
    for (const std::string& id : symptoms) {
      // Through a gateway: what of it the trace speaks of.
      const auto found = scene_.symptom_results.find(id);
      if (found == scene_.symptom_results.end() || found->second.service() == service.name()) continue;
      if (StatusOf(found->second) == kServerError) failing.push_back(AttributeOf(found->second, "path"));
    }
    for (const v1::CheckResult& result : scene_.results) {
      if (result.service() != service.name() || AttributeOf(result, "path").empty()) continue;
      if (StatusOf(result) >= kServerError) failing.push_back(AttributeOf(result, "path"));
      if (StatusOf(result) > 0 && StatusOf(result) < 500) ++served;
    }
    if (symptoms.empty() || commits_.empty()) return;
    const auto blamed = Find(service);
    if (!blamed) return;
    // A log of a service that fails nowhere tells of a request that nobody asked again.
    if (failing.empty() && served > 0) return;
    candidates->push_back({Make(service, *blamed, failing, served, symptoms), {}});
  }

 private:
  struct Repository {
    const v1::Repository* repository;
    std::vector<GitCommit> commits;
  };

  std::optional<Blamed> Find(const v1::Service& service) const {
    std::optional<Blamed> best;
    size_t seen = 0;
    for (const ServiceLogFacts* log : LogsOf(scene_, service)) {
      // From the last line up: the innermost frame of the last trace comes first in Python, the exception's text before
      // it.
      std::string exception;
      for (auto line = log->lines.rbegin(); line != log->lines.rend() && seen < kMaxFrames; ++line) {
        const std::vector<StackFrame> frames = FramesOf(*line);
        if (frames.empty() && TellsOfFailure(*line)) exception = *line;
        if (SpeaksOfDependency(*line) || SpeaksOfDependency(exception)) continue;
        for (const StackFrame& frame : frames) {
          ++seen;
          auto blamed = Blame(frame);
          if (!blamed || (best && (best->line || !blamed->line))) continue;
          blamed->log = log;
          blamed->log_line = exception.empty() ? *line : exception;
          best = std::move(blamed);
        }
      }
    }
    return best;
  }

  std::optional<Blamed> Blame(const StackFrame& frame) const {
    for (const Repository& repository : commits_) {
      const std::string file = FileIn(*repository.repository, repository.commits, frame);
      if (file.empty()) continue;
      for (const GitCommit& commit : repository.commits) {
        if (std::find(commit.files.begin(), commit.files.end(), file) == commit.files.end()) continue;
        const auto line = GitBlame(repository.repository->path(), file, frame.line);
        const bool same = line.ok() && line->hash == commit.hash;
        return Blamed{frame, repository.repository->path(), file, commit, same, nullptr, ""};
      }
    }
    return std::nullopt;
  }

  v1::Hypothesis Make(const v1::Service& service, const Blamed& blamed, const std::vector<std::string>& failing,
                      size_t served, const std::vector<std::string>& symptoms) {
    v1::Hypothesis h;
    h.set_kind("endpoint.bad_deploy");
    h.set_component(service.name());
    h.mutable_location()->set_file(blamed.file);
    h.mutable_location()->set_line(blamed.frame.line);
    h.set_title(fmt::format("{} fails in {}:{}, changed by \"{}\"",
                            failing.empty() ? service.name() : service.name() + " " + failing[0], blamed.file,
                            blamed.frame.line, blamed.commit.subject));
    h.set_explanation(
        fmt::format("The trace in the log of {} leads to {}:{}{}. Commit {} (\"{}\", {}) changed {}.{}", service.name(),
                    blamed.file, blamed.frame.line,
                    blamed.log_line.empty() ? "" : " (" + blamed.log_line.substr(0, kShownLine) + ")",
                    blamed.commit.hash.substr(0, 10), blamed.commit.subject, omnix::FormatTime(blamed.commit.time),
                    blamed.line ? "this very line" : "this file",
                    served > 0 ? fmt::format(" {} other endpoints of {} are well.", served, service.name()) : ""));
    const std::string trace = AddLogEvidence(&scene_, *blamed.log, blamed.log_line);
    h.add_evidence_for(trace);
    v1::Location place = h.location();
    const std::string commit = scene_.book.Add(MakeEvidence(
        "git_history", service.name(),
        fmt::format("{} {}: \"{}\" by {} changed {}", omnix::FormatTime(blamed.commit.time),
                    blamed.commit.hash.substr(0, 10), blamed.commit.subject, blamed.commit.author, blamed.file),
        "", place, {{"commit", blamed.commit.hash}, {"file", blamed.file}}));
    h.add_evidence_for(commit);
    for (const std::string& id : symptoms) h.add_symptom_ids(id);
    if (blamed.line) {
      v1::Counterfactual* test = h.add_tests();
      test->set_description("the line that fails is the commit's own");
      test->set_agrees(true);
      test->add_evidence_ids(trace);
      test->add_evidence_ids(commit);
    }
    Change change{blamed.repository, blamed.commit, blamed.file, {}, commit, true};
    *h.add_remedies() = MakeRemedy(
        "revert",
        fmt::format("Take back \"{}\" in {}", blamed.commit.subject, blamed.file.substr(blamed.file.rfind('/') + 1)),
        "backend", {GitRevert(service.name(), change)});
    h.set_confidence(blamed.line ? kLineChanged : kFileChanged);
    h.set_status(blamed.line ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
    return h;
  }

  static constexpr size_t kShownLine = 160;
  Scene& scene_;
  std::vector<Repository> commits_;
};

}  // namespace

void AnalyzeBadDeploy(Scene* scene, std::vector<Candidate>* candidates) {
  DeployJudge judge(scene);
  for (const v1::Service& service : scene->input.system.services()) judge.Judge(service, candidates);
}

}  // namespace omnix

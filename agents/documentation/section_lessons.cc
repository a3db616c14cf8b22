// Lessons, prevention, follow-ups and the security assessment: derived from the facts by rules that are written here.
#include <fmt/format.h>
#include <re2/re2.h>

#include <set>

#include "agents/documentation/sections.h"
#include "common/json.h"
#include "common/time.h"

namespace omnix {
namespace {

// What generally prevents a kind of cause, by the beginning of its name.
struct Prevention {
  const char* kind;
  const char* advice;
};
constexpr Prevention kPreventions[] = {
    {"route.",
     "Generate or test the paths that clients call against the routes that the gateway serves, before each "
     "deployment."},
    {"cors.",
     "Keep the list of browser origins in one place and test a preflight from each of them, and from a foreign one, "
     "before each deployment."},
    {"proxy.", "Keep the development proxy's routing the same as production's, or test that it is."},
    {"tls.", "Watch the remaining lifetime of certificates and renew them automatically."},
    {"dns.", "Resolve every configured name in a check that runs all the time."},
    {"database.", "Watch connections, locks and replication of the database."},
    {"disk.", "Watch free space and rotate logs."},
    {"process.", "Supervise the process and raise an alert when it is restarted."},
    {"config.", "Check configuration values before they are deployed."},
};
constexpr absl::Duration kSlowDetection = absl::Minutes(5);
constexpr absl::Duration kSlowApproval = absl::Minutes(10);

void AddPreventions(const Facts& facts, Blocks& out) {
  std::set<std::string> given;
  for (const auto& cause : facts.RootCauses()) {
    for (const Prevention& prevention : kPreventions) {
      if (cause.kind().starts_with(prevention.kind) && given.insert(prevention.kind).second) {
        out.Item(fmt::format("{} (because the cause is of kind {})", prevention.advice, cause.kind()), "Prevention");
      }
    }
  }
  std::string checks;
  std::set<std::string> seen;
  for (const auto& symptom : facts.incident.diagnosis().symptoms()) {
    if (!symptom.check().empty() && seen.insert(symptom.check()).second)
      checks += (checks.empty() ? "" : ", ") + symptom.check();
  }
  if (!checks.empty()) {
    out.Item(
        fmt::format("Run these checks as a gate before deployments and as monitors: {} (because they failed)", checks),
        "Prevention");
  }
}

void AddLessons(const Facts& facts, Blocks& out) {
  const Metrics metrics = facts.ResponseTimes();
  if (metrics.detect && *metrics.detect > kSlowDetection) {
    out.Item(fmt::format("The trouble lasted {} before an alert came: detection was slow.",
                         omnix::FormatDuration(*metrics.detect)),
             "Lesson");
  }
  if (metrics.approval_wait && *metrics.approval_wait > kSlowApproval) {
    out.Item(fmt::format("The plan waited {} for an approval.", omnix::FormatDuration(*metrics.approval_wait)),
             "Lesson");
  }
  if (facts.incident.recoveries_size() > 1) {
    out.Item(fmt::format("{} recoveries were needed or tried: the first explanation was not enough.",
                         facts.incident.recoveries_size()),
             "Lesson");
  }
}

void AddFollowUps(const Facts& facts, Blocks& out) {
  const v1::Incident& incident = facts.incident;
  for (const auto& deduction : incident.readiness().deductions()) {
    out.Item(fmt::format("{} ({} points of readiness)", deduction.reason(), deduction.points()), "Follow-up");
  }
  for (const auto& task : incident.tasks()) {
    if (task.state() == v1::TASK_STATE_FAILED) {
      out.Item(fmt::format("Find out why {} failed: {}", task.id(), OrNotKnown(task.reason())), "Follow-up");
    } else if (task.attempt() > 1) {
      out.Item(fmt::format("{} needed {} attempts", task.id(), task.attempt()), "Follow-up");
    }
  }
  for (const auto& recorded : facts.events) {
    for (const auto& type : recorded.event().agents_mobilized().missing_task_types()) {
      out.Item(fmt::format("No agent offered {}", type), "Follow-up");
    }
  }
  if (facts.final && facts.Validated() == nullptr)
    out.Item("Recovery was not validated: a person must look.", "Follow-up");
  for (const auto& recovery : incident.recoveries()) {
    if (recovery.has_rollback() && !recovery.rollback().complete()) {
      out.Item(fmt::format("The rollback of recovery {} is not complete: {}", recovery.number(),
                           recovery.rollback().summary()),
               "Follow-up");
    }
  }
}

// Strings anywhere in an action's parameters.
void CollectStrings(const Json& value, std::vector<std::string>& out) {
  if (value.is_string()) out.push_back(value.get<std::string>());
  if (value.is_structured()) {
    for (const auto& item : value) CollectStrings(item, out);
  }
}

struct CorsChange {
  std::set<std::string> origins;
  bool wildcard = false;
};

// Origins on the lines that a diff adds, and in the values that a list gets.
CorsChange FindCorsChange(const v1::Plan& plan) {
  static const re2::RE2 kOrigin(R"((https?://[A-Za-z0-9.\-\[\]:]+))");
  static const re2::RE2 kWildcard(R"((?i)(Access-Control-Allow-Origin|origins?)["'\s:=,\[]+\*)");
  CorsChange change;
  auto collect = [&](std::string text) {
    re2::StringPiece rest(text);
    for (std::string origin; re2::RE2::FindAndConsume(&rest, kOrigin, &origin);) change.origins.insert(origin);
  };
  std::string_view diff = plan.diff();
  while (!diff.empty()) {
    const size_t end = diff.find('\n');
    const std::string line(diff.substr(0, end));
    if (line.starts_with("+") && !line.starts_with("+++")) {
      collect(line);
      change.wildcard = change.wildcard || re2::RE2::PartialMatch(line, kWildcard);
    }
    diff.remove_prefix(end == std::string_view::npos ? diff.size() : end + 1);
  }
  for (const auto& action : plan.actions()) {
    if (action.kind() != "config.list_add") continue;
    std::vector<std::string> values;
    CollectStrings(StructToJson(action.with()).value("values", Json::array()), values);
    for (const auto& value : values) {
      collect(value);
      change.wildcard = change.wildcard || value == "*";
    }
  }
  return change;
}

}  // namespace

void WriteLessons(const Facts& facts, Blocks& out) {
  out.Paragraph("Derived by rules from the facts above; nobody has reviewed them.");
  AddLessons(facts, out);
  AddPreventions(facts, out);
  AddFollowUps(facts, out);
}

void WriteSecurity(const Facts& facts, Blocks& out) {
  std::set<std::string> files, commands;
  CorsChange cors;
  for (const auto& recovery : facts.incident.recoveries()) {
    if (!recovery.has_application()) continue;
    for (const auto& file : recovery.plan().files()) {
      files.insert(fmt::format("{} (+{} -{})", file.path(), file.lines_added(), file.lines_removed()));
    }
    for (const auto& command : recovery.plan().commands()) {
      commands.insert(fmt::format("{}.{}: {}", command.service(), command.name(), fmt::join(command.argv(), " ")));
    }
    const CorsChange change = FindCorsChange(recovery.plan());
    cors.origins.insert(change.origins.begin(), change.origins.end());
    cors.wildcard = cors.wildcard || change.wildcard;
  }
  out.Paragraph("Derived by rules from the plans that were carried out (also where they were undone later).");
  out.Item(files.empty() ? "none" : fmt::format("{}", fmt::join(files, "; ")), "Files touched");
  out.Item(commands.empty() ? "none" : fmt::format("{}", fmt::join(commands, "; ")), "Commands run");
  out.Item(cors.origins.empty() ? "none" : fmt::format("{}", fmt::join(cors.origins, ", ")), "Origins and URLs added");
  out.Item(cors.wildcard ? "YES: any origin is allowed; a person must look" : "no", "Wildcard origin added");
  out.Item("texts are redacted where they are observed, before they reach the journal", "Secrets");
}

}  // namespace omnix

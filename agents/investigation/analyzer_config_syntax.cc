// config.syntax_error: a configuration file that its format's reader would refuse, at a service that does not run (or
// does not take the file over). A file that is as wrong at a service which is well is not used: silent.
#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kLoggedAndDown = 0.95;
constexpr double kDown = 0.88;
constexpr double kLogged = 0.8;
constexpr double kFailsOnly = 0.5;

// Messages of the readers of JSON, YAML, TOML and INI in common languages.
bool SpeaksOfSyntax(const std::string& line) {
  static const RE2 kSyntax(
      R"((?i)(JSONDecodeError|SyntaxError|Unexpected token|Unexpected end of JSON|unexpected character|yaml\.(scanner|parser)|ScannerError|ParserError|YAMLException|did not find expected|mapping values are not allowed|could not find expected|TOMLDecodeError|toml: |TomlDecodeError|expected value at line|MissingSectionHeaderError|ParsingError|invalid character '.{1,4}' (looking|after)|unterminated|syntax error|Malformed(Json|Input)|Malformed \\u|JsonParse|Expecting (value|property|',')|while parsing a (block|flow)|Invalid (TOML|YAML|JSON)))");
  return RE2::PartialMatch(line, kSyntax);
}

bool IsDown(const Scene& scene, const v1::Service& service, const v1::Instance* instance) {
  const ProcessFacts* facts = ProcessOf(scene, service, instance);
  if (facts == nullptr) return false;
  return !facts->listens || facts->processes.empty() || facts->restarts_seen > 0;
}

v1::Hypothesis Judge(Scene* scene, const ConfigFacts& file) {
  v1::Hypothesis h;
  const v1::Service& service = *file.service;
  bool logged = false;
  for (const ServiceLogFacts* log : LogsOf(*scene, service, file.instance)) {
    const auto line = std::find_if(log->lines.rbegin(), log->lines.rend(), SpeaksOfSyntax);
    if (line == log->lines.rend() || logged) continue;
    logged = true;
    h.add_evidence_for(AddLogEvidence(scene, *log, *line));
  }
  const bool down = IsDown(*scene, service, file.instance);
  if (down) h.add_evidence_for(ProcessOf(*scene, service, file.instance)->evidence);
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  h.set_confidence(logged && down ? kLoggedAndDown : down ? kDown : logged ? kLogged : kFailsOnly);
  h.set_status(logged || down ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  return h;
}

// "config/application.properties:17: Malformed \uxxxx encoding": the place in a file of the service that it gives
// itself as it ends; unset where it names none.
std::optional<v1::Location> NamedPlace(const std::string& line, const v1::Service& service) {
  static const RE2 kPlace(
      R"(([\w./-]*[\w-]+\.(?:properties|ya?ml|json[c5]?|toml|ini|conf|cfg|xml|env|hcl))[:,] ?(?:line )?(\d+)\b)");
  std::string path;
  uint32_t number = 0;
  if (!RE2::PartialMatch(line, kPlace, &path, &number)) return std::nullopt;
  for (const v1::ConfigFile& file : service.config_files()) {
    const bool same = file.path() == path || file.path().ends_with("/" + path.substr(path.find_first_not_of("./")));
    if (!same) continue;
    v1::Location location;
    location.set_file(file.path());
    location.set_line(number);
    return location;
  }
  return std::nullopt;
}

struct Named {
  v1::Location place;
  const ServiceLogFacts* log;
  std::string line;
};

// The last place that the service's logs name in a failure.
std::optional<Named> LastNamed(const Scene& scene, const v1::Service& service) {
  for (const ServiceLogFacts* log : LogsOf(scene, service)) {
    for (auto line = log->lines.rbegin(); line != log->lines.rend(); ++line) {
      const auto place = TellsOfFailure(*line) ? NamedPlace(*line, service) : std::nullopt;
      if (place) return Named{*place, log, *line};
    }
  }
  return std::nullopt;
}

// What no reader of ours refuses, but the service does, each time that it is started.
void JudgeNamedPlace(Scene* scene, const v1::Service& service, std::vector<Candidate>* candidates) {
  const bool known = std::any_of(candidates->begin(), candidates->end(), [&](const Candidate& c) {
    return c.hypothesis.kind() == "config.syntax_error" && c.hypothesis.component() == service.name();
  });
  if (known || !IsDown(*scene, service, nullptr)) return;
  const std::optional<Named> named = LastNamed(*scene, service);
  const std::vector<std::string> symptoms = SymptomsBehind(*scene, service);
  if (!named || symptoms.empty()) return;
  v1::Hypothesis h;
  h.set_kind("config.syntax_error");
  h.set_component(service.name());
  *h.mutable_location() = named->place;
  for (const std::string& id : symptoms) h.add_symptom_ids(id);
  h.set_title(fmt::format("{} cannot read {}:{}", service.name(), named->place.file(), named->place.line()));
  h.set_explanation(
      fmt::format("{} is down, or is started again and again, and names this place in its log.", service.name()));
  h.add_evidence_for(AddLogEvidence(scene, *named->log, named->line));
  h.add_evidence_for(ProcessOf(*scene, service, nullptr)->evidence);
  AddRevert(*scene, service, &h);
  h.set_confidence(kDown);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeConfigSyntax(Scene* scene, std::vector<Candidate>* candidates) {
  for (const ConfigFacts* file : scene->facts.All<ConfigFacts>()) {
    if (file->config.error.empty()) continue;
    v1::Hypothesis h = Judge(scene, *file);
    if (h.symptom_ids_size() == 0) continue;
    const v1::Location& at = file->config.error_at;
    h.set_kind("config.syntax_error");
    h.set_component(file->service->name());
    *h.mutable_location() = at;
    h.set_title(fmt::format("{}:{} is no valid {}: {}", at.file(), at.line(), file->config.format, file->config.error));
    h.set_explanation(
        fmt::format("{} cannot read its configuration: {} (line {}). It does not come up until the file is valid.",
                    file->service->name(), file->config.error, at.line()));
    h.add_evidence_for(file->evidence);
    v1::Counterfactual* test = h.add_tests();
    test->set_description(fmt::format("a reader of {} stops at line {}", file->config.format, at.line()));
    test->set_agrees(true);
    test->add_evidence_ids(file->evidence);
    const bool editable = !file->file->has_editable() || file->file->editable();
    const std::vector<const Change*> changes = scene->ChangesOf(at.file());
    if (!changes.empty()) {
      h.add_evidence_for(changes[0]->evidence);
      if (editable && changes[0]->IsRevertible())
        *h.add_remedies() =
            MakeRemedy("revert", fmt::format("Take {} back to before {}", at.file(), changes[0]->Title()),
                       "configuration", {GitRevert(file->service->name(), *changes[0])});
    }
    candidates->push_back({std::move(h), {}});
  }
  for (const v1::Service& service : scene->input.system.services()) JudgeNamedPlace(scene, service, candidates);
}

}  // namespace omnix

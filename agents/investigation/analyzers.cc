#include <algorithm>
#include <set>

#include "agents/investigation/analyzer.h"
#include "fmt/format.h"

// One line an analyzer: Analyze<Name> is defined in analyzer_<name>.cc.
#define OMNIX_ANALYZERS(X) \
  X(AccessFailures)        \
  X(ProcessDown)           \
  X(Upstream)              \
  X(Names)                 \
  X(NginxSyntax)           \
  X(WebSocket)             \
  X(ProxyPath)             \
  X(RoutePrefix)           \
  X(GatewayRoute)          \
  X(Cors)                  \
  X(CorsHeaders)           \
  X(CorsAnswer)            \
  X(GatewayTimeout)        \
  X(GatewayRateLimit)      \
  X(GatewayRejects)        \
  X(RedirectLoop)          \
  X(DevProxy)              \
  X(LogSigns)              \
  X(Tls)                   \
  X(DatabaseWork)          \
  X(DatabaseAccess)        \
  X(Descriptors)           \
  X(Memory)                \
  X(ListensElsewhere)      \
  X(Hung)                  \
  X(ConfigSyntax)          \
  X(WrongAddress)          \
  X(ConfigValue)           \
  X(CrashLoop)             \
  X(Instances)             \
  X(SiblingFiles)          \
  X(RewrittenSecret)       \
  X(BadDeploy)             \
  X(DependencySlow)        \
  X(Clock)                 \
  X(Metrics)               \
  X(OneInstance)           \
  X(Load)                  \
  X(Resources)             \
  X(Failing)

namespace omnix {

#define OMNIX_DECLARE_ANALYZER(Name) void Analyze##Name(Scene* scene, std::vector<Candidate>* candidates);
OMNIX_ANALYZERS(OMNIX_DECLARE_ANALYZER)
#undef OMNIX_DECLARE_ANALYZER

const std::vector<Analyzer>& Analyzers() {
#define OMNIX_LIST_ANALYZER(Name) Analyze##Name,
  static const std::vector<Analyzer> kAnalyzers = {OMNIX_ANALYZERS(OMNIX_LIST_ANALYZER)};
#undef OMNIX_LIST_ANALYZER
  return kAnalyzers;
}

namespace {

void Set(v1::Action* action, const std::string& key, const std::string& value) {
  (*action->mutable_with()->mutable_fields())[key].set_string_value(value);
}
void SetNumber(v1::Action* action, const std::string& key, uint32_t value) {
  (*action->mutable_with()->mutable_fields())[key].set_number_value(value);
}

}  // namespace

v1::Action ReplaceText(const std::string& component, const std::string& path, uint32_t line, const std::string& old,
                       const std::string& text, const std::string& description) {
  v1::Action action;
  action.set_kind("file.replace_text");
  action.set_component(component);
  action.set_description(description);
  Set(&action, "path", path);
  SetNumber(&action, "line", line);
  Set(&action, "old", old);
  Set(&action, "new", text);
  return action;
}

v1::Action InsertLines(const std::string& component, const std::string& path, uint32_t after_line,
                       const std::string& after_text, const std::vector<std::string>& lines,
                       const std::string& description) {
  v1::Action action;
  action.set_kind("file.insert_lines");
  action.set_component(component);
  action.set_description(description);
  Set(&action, "path", path);
  SetNumber(&action, "after_line", after_line);
  Set(&action, "after_text", after_text);
  auto* list = (*action.mutable_with()->mutable_fields())["lines"].mutable_list_value();
  for (const std::string& line : lines) list->add_values()->set_string_value(line);
  return action;
}

v1::Action GitRevert(const std::string& component, const Change& change) {
  v1::Action action;
  action.set_kind("git.revert");
  action.set_component(component);
  action.set_description(fmt::format("Take {} back to what it was before {} (\"{}\")",
                                     change.file.substr(change.file.rfind('/') + 1), change.commit.hash.substr(0, 10),
                                     change.commit.subject));
  Set(&action, "repository", change.repository);
  Set(&action, "commit", change.commit.hash);
  (*action.mutable_with()->mutable_fields())["paths"].mutable_list_value()->add_values()->set_string_value(change.file);
  return action;
}

v1::Action RunCommand(const v1::Service& service, const std::string& command) {
  v1::Action action;
  action.set_kind("command.run");
  action.set_component(service.name());
  action.set_description(fmt::format("Run {}.{}", service.name(), command));
  Set(&action, "service", service.name());
  Set(&action, "command", command);
  return action;
}

v1::Remedy MakeRemedy(const std::string& id, const std::string& title, const std::string& side,
                      std::vector<v1::Action> actions) {
  v1::Remedy remedy;
  remedy.set_id(id);
  remedy.set_title(title);
  remedy.set_side(side);
  std::set<std::string> files;
  for (size_t i = 0; i < actions.size(); ++i) {
    actions[i].set_id(id + "-" + std::to_string(i + 1));
    const auto& with = actions[i].with().fields();
    if (const auto path = with.find("path"); path != with.end()) files.insert(path->second.string_value());
    if (const auto paths = with.find("paths"); paths != with.end())
      files.insert(paths->second.list_value().values(0).string_value());
    *remedy.add_actions() = actions[i];
  }
  std::string names;
  for (const std::string& file : files) names += (names.empty() ? "" : ", ") + file.substr(file.rfind('/') + 1);
  remedy.set_footprint(files.empty()
                           ? "no file"
                           : fmt::format("{} edit{} in {}", actions.size(), actions.size() == 1 ? "" : "s", names));
  return remedy;
}

bool MayEdit(const Scene& scene, const v1::Service& service, const std::string& file) {
  for (const v1::ConfigFile& config : service.config_files()) {
    if (config.path() == file) return !config.has_editable() || config.editable();
  }
  for (const NginxFacts& nginx : scene.nginx) {
    if (nginx.service != &service || !nginx.config) continue;
    const auto& files = nginx.config->files;
    if (std::find(files.begin(), files.end(), file) != files.end())
      return !nginx.file->has_editable() || nginx.file->editable();
  }
  return false;
}

}  // namespace omnix

#include "agents/investigation/probe_config.h"

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

void ReadOne(Scene* scene, const v1::Service& service, const v1::Instance* instance, const v1::ConfigFile& file) {
  for (const NginxFacts& nginx : scene->nginx) {
    if (nginx.file == &file) return;
  }
  auto config = ReadConfigValues(file.path(), file.format());
  if (!config.ok()) {
    scene->book.Add(MakeEvidence("config", service.name(), "not read: " + Message(config.status())));
    return;
  }
  ConfigFacts facts{&service, instance, &file, *std::move(config), ""};
  v1::Location location;
  location.set_file(file.path());
  std::string summary = fmt::format("{}: {} values ({})", file.path(), facts.config.values.size(), facts.config.format);
  if (!facts.config.error.empty()) {
    location = facts.config.error_at;
    summary = fmt::format("{}:{}: no valid {}: {}", location.file(), location.line(), facts.config.format,
                          facts.config.error);
  }
  facts.evidence = scene->book.Add(MakeEvidence("config", service.name(), summary, "", location));
  scene->facts.Add(std::move(facts));
}

}  // namespace

void ProbeConfig(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    for (const v1::ConfigFile& file : service.config_files()) ReadOne(scene, service, nullptr, file);
    for (const v1::Instance& instance : service.instances()) {
      for (const v1::ConfigFile& file : instance.config_files()) ReadOne(scene, service, &instance, file);
    }
  }
}

std::vector<const ConfigFacts*> ConfigsOf(const Scene& scene, const v1::Service& service,
                                          const v1::Instance* instance) {
  std::vector<const ConfigFacts*> found;
  for (const ConfigFacts* facts : scene.facts.All<ConfigFacts>()) {
    if (facts->service == &service && (instance == nullptr || facts->instance == instance)) found.push_back(facts);
  }
  return found;
}

namespace {

// What stood in place of the value in a line that is otherwise the same; "" where there is none.
std::string FormerInLine(const GitHunk& hunk, size_t added, const std::string& value) {
  const std::string& line = hunk.added[added];
  const size_t at = value.empty() ? std::string::npos : line.find(value);
  if (at == std::string::npos) return "";
  const std::string before = line.substr(0, at), after = line.substr(at + value.size());
  for (const std::string& old : hunk.removed) {
    if (old.size() >= before.size() + after.size() && old.starts_with(before) && old.ends_with(after))
      return old.substr(at, old.size() - before.size() - after.size());
  }
  return "";
}

}  // namespace

ValueChange ChangeOf(const Scene& scene, const ConfigFacts& file, const ConfigValue& value) {
  for (const Change* change : scene.ChangesOf(value.held_apart ? value.location.file() : file.file->path())) {
    for (const GitHunk& hunk : change->hunks) {
      const uint32_t line = value.location.line();
      // The newest change alone has the line numbers of today.
      if (line < hunk.line || line >= hunk.line + hunk.added.size()) continue;
      ValueChange found{change, ""};
      std::string removed;
      for (const std::string& text : hunk.removed) removed += text + "\n";
      // A line of JSON is no document: its key and value are those of a line of text.
      for (const ConfigValue& old : ParseConfigValues(removed, file.file->path(), "text").values) {
        if (LastOf(old.key) == LastOf(value.key)) found.before = old.value;
      }
      if (found.before.empty()) found.before = FormerInLine(hunk, line - hunk.line, value.value);
      if (found.before != value.value) return found;
    }
    if (change->last_of_file) continue;
    break;
  }
  return {};
}

v1::Action SetValue(const ConfigFacts& file, const ConfigValue& value, const std::string& to) {
  const bool editable = !file.file->has_editable() || file.file->editable();
  // A secret goes into no action: those are recorded and shown.
  if (!editable || value.value.empty() || value.value == to || to.empty() || IsSecret(value)) return {};
  return ReplaceText(file.service->name(), file.file->path(), value.location.line(), value.value, to,
                     fmt::format("Set {} to {} in place of {}", value.key, to, value.value));
}

}  // namespace omnix

#include "common/system_model_check.h"

#include <charconv>

#include "common/status.h"
#include "common/unit_name.h"

namespace omnix {
namespace {

using Names = std::set<std::string>;

// Reports a reference to something that does not exist.
void CheckReference(const std::string& name, const Names& known, const std::string& what, const std::string& path,
                    YamlReport* report) {
  if (name.empty() || known.contains(name)) return;
  const std::string nearest = NearestWord(name, std::vector<std::string>(known.begin(), known.end()));
  const std::string hint =
      nearest.empty() ? fmt::format("; known: {}", fmt::join(known, ", ")) : "; did you mean " + nearest + "?";
  report->Add(path, fmt::format("no {} named {}{}", what, name, known.empty() ? "" : hint));
}

void CheckHttpUrl(const std::string& url, const std::string& path, YamlReport* report) {
  if (url.empty() || url.starts_with("http://") || url.starts_with("https://")) return;
  report->Add(path, fmt::format("\"{}\" is no address; it begins with http:// or https://", url));
}

void CheckHostPort(const std::string& text, const std::string& path, YamlReport* report) {
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon != std::string::npos && colon > 0) {
    const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (error == std::errc() && end == text.data() + text.size() && port > 0) return;
  }
  report->Add(path, fmt::format("\"{}\" is no host:port", text));
}

void CheckEndpoint(const v1::Endpoint& endpoint, const std::string& path, YamlReport* report) {
  constexpr uint32_t kMinStatus = 100;
  constexpr uint32_t kMaxStatus = 599;
  if (!endpoint.path().starts_with('/')) report->Add(path + ".path", "a path is required; it begins with /");
  for (int i = 0; i < endpoint.status_size(); ++i) {
    if (endpoint.status(i) >= kMinStatus && endpoint.status(i) <= kMaxStatus) continue;
    report->Add(fmt::format("{}.status[{}]", path, i), "a status code is from 100 to 599");
  }
}

void CheckDatabase(const v1::Database& database, const std::string& path, YamlReport* report) {
  if (database.kind() != "postgresql" && database.kind() != "redis" && database.kind() != "sqlite") {
    report->Add(path + ".kind",
                fmt::format("expected one of: postgresql, redis, sqlite, found \"{}\"", database.kind()));
  }
  if (database.dsn().empty()) report->Add(path + ".dsn", "how to reach the database is required");
}

void CheckConfigFiles(const google::protobuf::RepeatedPtrField<v1::ConfigFile>& files, const v1::Service& service,
                      const std::string& path, YamlReport* report) {
  Names commands;
  for (const auto& [name, command] : service.commands()) commands.insert(name);
  for (int i = 0; i < files.size(); ++i) {
    const std::string file_path = fmt::format("{}.config_files[{}]", path, i);
    if (files[i].path().empty()) report->Add(file_path + ".path", "a path is required");
    CheckReference(files[i].reload(), commands, "command of this service", file_path + ".reload", report);
  }
}

void CheckLogs(const google::protobuf::RepeatedPtrField<v1::LogFile>& logs, const std::string& path,
               YamlReport* report) {
  for (int i = 0; i < logs.size(); ++i) {
    if (logs[i].path().empty()) report->Add(fmt::format("{}.logs[{}].path", path, i), "a path is required");
  }
}

void CheckInstances(const v1::Service& service, const std::string& path, YamlReport* report) {
  Names seen;
  for (int i = 0; i < service.instances_size(); ++i) {
    const v1::Instance& instance = service.instances(i);
    const std::string item = fmt::format("{}.instances[{}]", path, i);
    CheckName(instance.name(), item + ".name", &seen, report);
    CheckHttpUrl(instance.base_url(), item + ".base_url", report);
    CheckConfigFiles(instance.config_files(), service, item, report);
    CheckLogs(instance.logs(), item, report);
  }
}

void CheckCommands(const v1::Service& service, const std::string& path, YamlReport* report) {
  for (const auto& [name, command] : service.commands()) {
    const std::string argv_path = fmt::format("{}.commands.{}.argv", path, name);
    if (command.argv().empty() || command.argv(0).empty()) {
      report->Add(argv_path, "a program and its arguments are required, one list item each");
    } else if (command.argv_size() == 1 && command.argv(0).find(' ') != std::string::npos) {
      report->Add(argv_path, "runs without a shell: give the program and each argument as an item of its own");
    }
  }
}

// What is no name would be read as a pattern or an option of systemd's programs.
void CheckUnit(const std::string& unit, const std::string& path, YamlReport* report) {
  if (unit.empty() || !FullUnitName(unit).empty()) return;
  const std::string instance = unit.substr(0, unit.find('@') + 1) + "1";
  const bool is_template = unit.find('@') != std::string::npos && !FullUnitName(instance).empty();
  report->Add(path, is_template
                        ? fmt::format("{} is a template: name a unit that is made of it, such as {}", unit, instance)
                        : fmt::format("\"{}\" is no name of a systemd unit", unit));
}

void CheckService(const v1::Service& service, const Names& services, const std::string& path, YamlReport* report) {
  CheckHttpUrl(service.base_url(), path + ".base_url", report);
  for (int i = 0; i < service.endpoints_size(); ++i) {
    CheckEndpoint(service.endpoints(i), fmt::format("{}.endpoints[{}]", path, i), report);
  }
  for (int i = 0; i < service.depends_on_size(); ++i) {
    const std::string item = fmt::format("{}.depends_on[{}]", path, i);
    CheckReference(service.depends_on(i), services, "service", item, report);
    if (service.depends_on(i) == service.name()) report->Add(item, "a service can't depend on itself");
  }
  for (int i = 0; i < service.listen_size(); ++i) {
    CheckHostPort(service.listen(i), fmt::format("{}.listen[{}]", path, i), report);
  }
  for (int i = 0; i < service.tls_size(); ++i) {
    CheckHostPort(service.tls(i), fmt::format("{}.tls[{}]", path, i), report);
  }
  CheckLogs(service.logs(), path, report);
  CheckUnit(service.unit(), path + ".unit", report);
  CheckInstances(service, path, report);
  if (service.has_database()) CheckDatabase(service.database(), path + ".database", report);
  CheckConfigFiles(service.config_files(), service, path, report);
  CheckCommands(service, path, report);
}

void CheckDisks(const v1::Service& service, const std::string& path, YamlReport* report) {
  constexpr double kMaxPercent = 100;
  for (int i = 0; i < service.disks_size(); ++i) {
    const std::string disk_path = fmt::format("{}.disks[{}]", path, i);
    const v1::DiskNeed& disk = service.disks(i);
    if (disk.path().empty()) report->Add(disk_path + ".path", "a path is required");
    if (disk.min_free_percent() >= 0 && disk.min_free_percent() < kMaxPercent) continue;
    report->Add(disk_path + ".min_free_percent", "must be from 0 to less than 100");
  }
}

void CheckClient(const v1::Client& client, const Names& services, const Names& origins, const std::string& path,
                 YamlReport* report) {
  if (client.service().empty()) report->Add(path + ".service", "the service that it calls is required");
  CheckReference(client.service(), services, "service", path + ".service", report);
  CheckReference(client.origin(), origins, "origin", path + ".origin", report);
  if (client.files().empty()) report->Add(path + ".files", "the source files that hold its calls are required");
}

}  // namespace

void CheckName(const std::string& name, const std::string& path, std::set<std::string>* seen, YamlReport* report) {
  constexpr const char kAllowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (name.empty()) return report->Add(path, "a name is required");
  if (name.size() > kMaxNameBytes) {
    return report->Add(path, fmt::format("a name may have at most {} characters", kMaxNameBytes));
  }
  if (name.find_first_not_of(kAllowed) != std::string::npos) {
    return report->Add(path, fmt::format("\"{}\" is no name; use letters, digits, \".\", \"_\" and \"-\"", name));
  }
  if (!seen->insert(name).second) report->Add(path, fmt::format("the name {} is taken already", name));
}

void CheckSuite(const v1::Suite& suite, const Names& services, const std::string& path, YamlReport* report) {
  const std::string prefix = path.empty() ? "" : path + ".";
  if (suite.steps().empty())
    report->Add(prefix + "steps", "at least one step is required: an empty suite proves nothing");
  Names seen;
  for (int i = 0; i < suite.steps_size(); ++i) {
    const v1::Check& step = suite.steps(i);
    const std::string step_path = fmt::format("{}steps[{}]", prefix, i);
    if (step.name().empty())
      report->Add(step_path + ".name", "a name is required");
    else if (!seen.insert(step.name()).second)
      report->Add(step_path + ".name", "this name is taken already");
    if (step.kind().empty()) report->Add(step_path + ".kind", "a kind is required, such as http");
    CheckReference(step.service(), services, "service", step_path + ".service", report);
  }
}

void CheckSystemModel(const v1::SystemModel& model, YamlReport* report) {
  Names unused;
  CheckName(model.name(), "name", &unused, report);
  Names services;
  Names origins;
  Names clients;
  Names repositories;
  for (int i = 0; i < model.services_size(); ++i) {
    CheckName(model.services(i).name(), fmt::format("services[{}].name", i), &services, report);
  }
  for (int i = 0; i < model.origins_size(); ++i) {
    const std::string path = fmt::format("origins[{}]", i);
    CheckName(model.origins(i).name(), path + ".name", &origins, report);
    if (model.origins(i).url().empty()) report->Add(path + ".url", "an address is required");
    CheckHttpUrl(model.origins(i).url(), path + ".url", report);
  }
  for (int i = 0; i < model.services_size(); ++i) {
    const std::string path = fmt::format("services[{}]", i);
    CheckService(model.services(i), services, path, report);
    CheckDisks(model.services(i), path, report);
  }
  for (int i = 0; i < model.clients_size(); ++i) {
    const std::string path = fmt::format("clients[{}]", i);
    // A plan's changes are laid at the door of one component: a client may not be called like a service.
    Names taken = services;
    taken.insert(clients.begin(), clients.end());
    CheckName(model.clients(i).name(), path + ".name", &taken, report);
    clients.insert(model.clients(i).name());
    CheckClient(model.clients(i), services, origins, path, report);
  }
  for (int i = 0; i < model.repositories_size(); ++i) {
    const std::string path = fmt::format("repositories[{}]", i);
    CheckName(model.repositories(i).name(), path + ".name", &repositories, report);
    if (model.repositories(i).path().empty()) report->Add(path + ".path", "a path is required");
  }
  if (model.has_prometheus() && model.prometheus().url().empty())
    report->Add("prometheus.url", "an address is required");
  CheckHttpUrl(model.prometheus().url(), "prometheus.url", report);
  for (int i = 0; i < model.suites_size(); ++i) {
    CheckSuite(model.suites(i), services, fmt::format("suites[{}]", i), report);
  }
}

}  // namespace omnix

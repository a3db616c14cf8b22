#include "common/system_model.h"

#include <filesystem>

#include "common/file.h"
#include "common/status.h"
#include "common/system_model_check.h"
#include "common/yaml.h"

namespace omnix {
namespace {

constexpr int kMaxSuiteFiles = 100;

std::string FolderOf(const std::string& path) {
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(path, ignored);
  return absolute.parent_path().lexically_normal().string();
}

void Resolve(const std::string& folder, std::string* path) {
  if (!path->empty()) *path = ResolvePath(*path, folder);
}

void ResolveService(const std::string& folder, v1::Service* service) {
  for (auto& file : *service->mutable_config_files()) Resolve(folder, file.mutable_path());
  for (auto& log : *service->mutable_logs()) Resolve(folder, log.mutable_path());
  for (auto& disk : *service->mutable_disks()) Resolve(folder, disk.mutable_path());
  for (auto& [name, command] : *service->mutable_commands()) Resolve(folder, command.mutable_cwd());
  if (service->has_process()) Resolve(folder, service->mutable_process()->mutable_pid_file());
  for (auto& instance : *service->mutable_instances()) {
    for (auto& file : *instance.mutable_config_files()) Resolve(folder, file.mutable_path());
    for (auto& log : *instance.mutable_logs()) Resolve(folder, log.mutable_path());
    if (instance.has_process()) Resolve(folder, instance.mutable_process()->mutable_pid_file());
  }
  const bool is_file =
      service->has_database() && service->database().kind() == "sqlite" && !service->database().dsn().starts_with("${");
  if (is_file) Resolve(folder, service->mutable_database()->mutable_dsn());
}

void ResolvePaths(const std::string& folder, v1::SystemModel* model) {
  Resolve(folder, model->mutable_journal_directory());
  for (auto& service : *model->mutable_services()) ResolveService(folder, &service);
  for (auto& client : *model->mutable_clients()) {
    for (auto& file : *client.mutable_files()) Resolve(folder, &file);
    for (auto& file : *client.mutable_dev_proxy_files()) Resolve(folder, &file);
  }
  for (auto& repository : *model->mutable_repositories()) Resolve(folder, repository.mutable_path());
  for (auto& file : *model->mutable_suite_files()) Resolve(folder, &file);
}

// The mistakes of a suite's own file come after those of the model.
void LoadSuiteFile(const std::string& file, const std::set<std::string>& services, const std::string& path,
                   v1::SystemModel* model, YamlReport* report) {
  const auto text = ReadFile(file, kMaxYamlBytes);
  if (!text.ok()) return report->Add(path, Message(text.status()));
  YamlReport suite_report(file);
  v1::Suite suite;
  ParseYaml(*text, &suite, &suite_report);
  CheckSuite(suite, services, "", &suite_report);
  report->AddAll(suite_report.status());
  *model->add_suites() = std::move(suite);
}

std::set<std::string> ServiceNames(const v1::SystemModel& model) {
  std::set<std::string> names;
  for (const auto& service : model.services()) names.insert(service.name());
  return names;
}

void LoadSuites(v1::SystemModel* model, YamlReport* report) {
  if (model->suite_files_size() > kMaxSuiteFiles) {
    report->Add("suite_files", fmt::format("at most {} files are allowed", kMaxSuiteFiles));
    return;
  }
  const std::set<std::string> services = ServiceNames(*model);
  for (int i = 0; i < model->suite_files_size(); ++i) {
    LoadSuiteFile(model->suite_files(i), services, fmt::format("suite_files[{}]", i), model, report);
  }
  std::set<std::string> seen;
  const int own = model->suites_size() - model->suite_files_size();
  for (int i = 0; i < model->suites_size(); ++i) {
    const std::string path = i < own ? fmt::format("suites[{}].name", i) : fmt::format("suite_files[{}]", i - own);
    CheckName(model->suites(i).name(), path, &seen, report);
  }
}

}  // namespace

absl::StatusOr<v1::SystemModel> LoadSystemModel(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  v1::SystemModel model;
  YamlReport report(path);
  ParseYaml(text, &model, &report);
  CheckSystemModel(model, &report);
  ResolvePaths(FolderOf(path), &model);
  LoadSuites(&model, &report);
  OMNIX_RETURN_IF_ERROR(report.status());
  return model;
}

absl::StatusOr<v1::Suite> LoadSuite(const std::string& path, const v1::SystemModel& system) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  v1::Suite suite;
  YamlReport report(path);
  ParseYaml(text, &suite, &report);
  CheckSuite(suite, ServiceNames(system), "", &report);
  OMNIX_RETURN_IF_ERROR(report.status());
  return suite;
}

}  // namespace omnix

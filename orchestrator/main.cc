// omnixd, the orchestrator: reads its configuration, opens the journal, and serves agents, operators and monitors until
// SIGTERM or SIGINT.
#include <grpcpp/grpcpp.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>

#include "common/crash_point.h"
#include "common/file.h"
#include "common/logging.h"
#include "common/status.h"
#include "orchestrator/api/agent_link_service.h"
#include "orchestrator/api/grpc_server.h"
#include "orchestrator/api/http_server.h"
#include "orchestrator/api/operator_service.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/api/silence_service.h"
#include "orchestrator/engine/dead_man.h"
#include "orchestrator/engine/engine_thread.h"
#include "orchestrator/engine/silence_desk.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/alert_poll_config.h"
#include "orchestrator/intake/alert_pollers.h"
#include "orchestrator/intake/alert_source_config.h"
#include "orchestrator/intake/sns_confirmer.h"
#include "orchestrator/intake/source_heartbeats.h"
#include "orchestrator/journal/sqlite_journal.h"
#include "orchestrator/options.h"
#include "orchestrator/playbook/grouping.h"
#include "orchestrator/playbook/library.h"

// Read by jemalloc, where omnixd is linked with it: a thread of its own gives back what others have freed. Without it
// they would keep what a burst or the start took until they work again.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0";
}

namespace omnix {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr absl::Duration kShutdownGrace = absl::Seconds(3);

// Everything that is wrong, at once: nothing is started before all of it is well.
absl::StatusOr<Configuration> LoadConfiguration(const DaemonOptions& options) {
  Configuration configuration;
  std::string mistakes;
  auto take = [&](const absl::Status& status) {
    if (!status.ok()) mistakes += (mistakes.empty() ? "" : "\n") + Message(status);
  };
  auto system = LoadSystemModel(options.system_file);
  take(system.status());
  if (system.ok()) configuration.system = *std::move(system);
  if (!options.policy_file.empty()) {
    auto policy = LoadPolicy(options.policy_file);
    take(policy.status());
    if (policy.ok()) configuration.policy = *std::move(policy);
  }
  if (!options.grouping_file.empty()) {
    auto grouping = LoadGrouping(options.grouping_file);
    take(grouping.status());
    if (grouping.ok()) configuration.grouping = *std::move(grouping);
  }
  if (!options.playbooks_folder.empty()) {
    const auto files = Glob(options.playbooks_folder + "/*.yaml");
    if (files.empty()) take(NotFound("{}: no playbook (*.yaml) in this folder", options.playbooks_folder));
    for (const auto& file : files) {
      auto playbook = LoadPlaybook(file);
      take(playbook.status());
      if (playbook.ok()) configuration.playbooks.push_back(*std::move(playbook));
    }
  }
  const auto formats = FormatLibrary::Load(options.formats_folder, DefaultFilterExecutable());
  take(formats.status());
  if (!options.poll_file.empty()) take(LoadAlertPolls(options.poll_file).status());
  if (!options.sources_file.empty() && formats.ok()) {
    take(LoadAlertSources(options.sources_file, FormatNames(*formats)).status());
  }
  if (!mistakes.empty()) return absl::InvalidArgumentError(mistakes);
  return configuration;
}

absl::StatusOr<HttpServerOptions> HttpOptions(const DaemonOptions& options) {
  HttpServerOptions http;
  const size_t colon = options.http_listen.rfind(':');
  int port = -1;
  if (colon != std::string::npos) port = std::atoi(options.http_listen.c_str() + colon + 1);
  if (port < 0 || port > 65535) return InvalidArgument("--http '{}' is no host:port", options.http_listen);
  http.listen_host = options.http_listen.substr(0, colon);
  http.port = static_cast<uint16_t>(port);
  http.hosts = options.http_hosts;
  http.token_file = options.token_file;
  return http;
}

// Alerts that fired when omnixd stopped, silenced or not: their pollers end them where they are gone by now.
std::vector<v1::Alert> FiringAlerts(SqliteJournal& journal, const SilenceDesk& desk) {
  const auto listed = journal.ListAlerts(/*firing_only=*/true, kMaxAlertsPerBody);
  if (!listed.ok()) spdlog::warn("the alerts that fire can't be read: {}", Message(listed.status()));
  std::vector<v1::Alert> alerts = desk.Held();
  if (!listed.ok()) return alerts;
  for (const v1::ListedAlert& item : *listed) alerts.push_back(item.alert());
  return alerts;
}

// Hands the alerts on and waits until they are durable.
absl::Status KeepAlerts(SilenceDesk& desk, std::vector<v1::Alert> alerts) {
  std::promise<absl::Status> kept;
  desk.IngestAlerts(std::move(alerts), [&kept](const auto& results) { kept.set_value(results.status()); });
  return kept.get_future().get();
}

// Null where no source is declared.
absl::StatusOr<std::unique_ptr<SourceHeartbeats>> WatchSources(const std::string& file, const AlertIntake& intake,
                                                               SilenceDesk& desk, const Clock& clock,
                                                               SqliteJournal& journal) {
  if (file.empty()) return nullptr;
  OMNIX_ASSIGN_OR_RETURN(const v1::AlertSources sources, LoadAlertSources(file, intake.Names()));
  const auto deliver = [&desk](std::vector<v1::Alert> alerts) { return KeepAlerts(desk, std::move(alerts)); };
  return std::make_unique<SourceHeartbeats>(sources, HeartbeatParts{&clock, deliver}, FiringAlerts(journal, desk));
}

std::unique_ptr<DeadMan> StartDeadMan(const DaemonOptions& options, OperatorPort& port) {
  if (options.deadman_url.empty()) return nullptr;
  DeadManOptions dead_man;
  dead_man.url = options.deadman_url;
  dead_man.interval = options.deadman_interval;
  dead_man.probe_file = options.data_folder + "/deadman.probe";
  return std::make_unique<DeadMan>(&port, dead_man);
}

std::map<std::string, std::string> Dependencies() {
  return {{"sqlite", sqlite3_libversion()}, {"grpc", grpc::Version()}};
}

// The gRPC port has no authentication of its own yet: whoever reaches it commands.
absl::Status CheckGrpcAddress(const std::string& listen) {
  const std::string host = listen.substr(0, listen.rfind(':'));
  if (IsLoopbackHost(host) || host == "[::1]" || listen.starts_with("unix:")) return absl::OkStatus();
  return InvalidArgument(
      "--grpc {}: the gRPC port is served on loopback only; let agents on other machines come through a tunnel",
      listen);
}

// A journal that another start can't open either, until somebody has done something about it: exit code 2, so that a
// supervisor need not try.
absl::Status AsConfigurationError(const absl::Status& status) {
  if (absl::IsUnavailable(status) || absl::IsInternal(status)) return status;
  return absl::InvalidArgumentError(Message(status));
}

// gRPC 1.51 stops listening for good when accept finds no free descriptor (CVE-2023-4785): as many as may be had.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) spdlog::warn("the limit of open files can't be raised");
}

absl::Status Serve(const DaemonOptions& options, Configuration configuration, const sigset_t& signals) {
  OMNIX_RETURN_IF_ERROR(CheckGrpcAddress(options.grpc_listen));
  OMNIX_ASSIGN_OR_RETURN(HttpServerOptions http_options, HttpOptions(options));
  OMNIX_RETURN_IF_ERROR(MakeFolders(options.data_folder));
  SqliteJournalOptions journal_options;
  journal_options.path = options.data_folder + "/journal.db";
  journal_options.key_path = options.data_folder + "/journal.key";
  journal_options.wal_limit_bytes = options.wal_limit_mib << 20;
  auto opened = SqliteJournal::Open(journal_options);
  if (!opened.ok()) return AsConfigurationError(opened.status());
  const std::unique_ptr<SqliteJournal> journal = *std::move(opened);
  OMNIX_CRASH_POINT("omnixd.journal_open");

  SystemClock clock;
  EngineOptions engine_options;
  engine_options.version = OMNIX_VERSION;
  engine_options.heartbeat_interval = options.heartbeat_interval;
  engine_options.lease_duration = options.lease_duration;
  engine_options.dependencies = Dependencies();
  const auto dependents = DependentsOf(configuration.system);
  EngineThread engine(engine_options, std::move(configuration), *journal, clock);
  OMNIX_RETURN_IF_ERROR(engine.Start());
  OMNIX_CRASH_POINT("omnixd.engine_started");
  OMNIX_ASSIGN_OR_RETURN(const std::string key, LoadJournalKey(journal_options.key_path, /*create=*/false));
  auto silence_log = SilenceLog::Open(options.data_folder + "/silences.db", key);
  if (!silence_log.ok()) return AsConfigurationError(silence_log.status());
  auto made = SilenceDesk::Create({*std::move(silence_log), &clock, &engine, dependents});
  if (!made.ok()) return AsConfigurationError(made.status());
  const std::unique_ptr<SilenceDesk> desk = *std::move(made);

  AlertPollers pollers;
  const StatusSupplement supplement = [&pollers, &desk](v1::GetStatusResponse* status) {
    pollers.AddTo(status);
    desk->AddTo(status);
  };
  AgentLinkService link(&engine);
  OperatorService operators(&engine, {}, supplement);
  SilenceService silences(desk.get());
  GrpcServerOptions grpc_options;
  grpc_options.listen = options.grpc_listen;
  grpc_options.services = {&link, &operators, &silences};
  OMNIX_ASSIGN_OR_RETURN(const auto grpc_server, GrpcServer::Start(grpc_options));

  OMNIX_CRASH_POINT("omnixd.agents_served");
  Metrics metrics;
  SnsConfirmer sns(options.sns_topics);
  AlertIntakeOptions intake_options;
  intake_options.formats_folder = options.formats_folder;
  OMNIX_ASSIGN_OR_RETURN(const auto intake, AlertIntake::Create(intake_options));
  OMNIX_ASSIGN_OR_RETURN(std::unique_ptr<SourceHeartbeats> heartbeats,
                         WatchSources(options.sources_file, *intake, *desk, clock, *journal));
  OMNIX_ASSIGN_OR_RETURN(
      const auto http_server,
      HttpServer::Start(
          http_options,
          Router(ApiRoutes({&engine, intake.get(), &metrics, &clock, &sns, supplement, heartbeats.get(), desk.get()})),
          [&metrics](const std::string& route, unsigned status) { metrics.CountRequest(route, status); }));
  spdlog::info("omnixd {} is ready: gRPC on {}, HTTP on {}:{}, journal {}/journal.db", OMNIX_VERSION,
               grpc_server->address(), http_options.listen_host, http_server->port(), options.data_folder);

  if (!options.poll_file.empty()) {
    OMNIX_ASSIGN_OR_RETURN(const v1::AlertPolls polls, LoadAlertPolls(options.poll_file));
    const auto deliver = [&desk](std::vector<v1::Alert> alerts) { return KeepAlerts(*desk, std::move(alerts)); };
    // A poll without a source of its name is nobody's sign.
    const auto heard = [&heartbeats](const std::string& poll) {
      if (heartbeats != nullptr) heartbeats->Sign(poll).IgnoreError();
    };
    pollers.Start(polls, {intake.get(), &clock, deliver, heard}, FiringAlerts(*journal, *desk));
  }
  desk->Start();
  std::unique_ptr<DeadMan> dead_man = StartDeadMan(options, engine);
  OMNIX_CRASH_POINT("omnixd.ready");
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("signal {}: stopping", signal);
  OMNIX_CRASH_POINT("omnixd.stopping");
  dead_man.reset();
  pollers.Stop();
  http_server->Stop(kShutdownGrace);
  heartbeats.reset();
  desk->Stop();
  link.Shutdown(absl::UnavailableError("the orchestrator is stopping"));
  engine.Stop();
  OMNIX_CRASH_POINT("omnixd.engine_stopped");
  grpc_server->Shutdown(kShutdownGrace);
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  int exit_code = -1;
  const auto options = ParseDaemonOptions(argc, argv, &exit_code);
  if (exit_code >= 0) return exit_code;
  auto fail = [](const absl::Status& status, int code) {
    std::fprintf(stderr, "omnixd: %s\n", Message(status).c_str());
    return code;
  };
  if (!options.ok()) return fail(options.status(), kExitUsage);
  if (const absl::Status logging = SetUpLogging("omnixd", options->log_level); !logging.ok()) {
    return fail(logging, kExitUsage);
  }
  auto configuration = LoadConfiguration(*options);
  if (!configuration.ok()) return fail(configuration.status(), kExitUsage);
  if (options->check_only) return 0;

  // Before any thread begins, so that all of them leave the signals to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  const absl::Status served = Serve(*options, *std::move(configuration), signals);
  if (served.ok()) return 0;
  return fail(served, absl::IsInvalidArgument(served) ? kExitUsage : kExitFailed);
}

}  // namespace
}  // namespace omnix

int main(int argc, char** argv) { return omnix::Main(argc, argv); }

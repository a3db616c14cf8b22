// `omnix alert list|send|test`.
#include <iterator>

#include "cli/session.h"
#include "cli/table.h"
#include "cli/words.h"
#include "common/file.h"
#include "common/http_client.h"
#include "common/printable.h"
#include "common/status.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/reading_json.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultListed = 50;
constexpr uint32_t kMaxListed = 1000;
// What omnixd takes.
constexpr size_t kMaxAlertBytes = 8 << 20;
constexpr char kDefaultHttp[] = "http://127.0.0.1:7421";
constexpr int kFirstErrorStatus = 300;

absl::StatusOr<ExitCode> List(Session& session, const v1::ListAlertsRequest& request) {
  OMNIX_ASSIGN_OR_RETURN(const v1::ListAlertsResponse list,
                         session.client().Call(&v1::Operator::Stub::ListAlerts, request));
  if (session.PrintedForPrograms(list)) return ExitCode::kDone;
  Table table({{"RECEIVED"},
               {"STATUS"},
               {"SEVERITY"},
               {"INCIDENT"},
               {"COUNT"},
               {"SOURCE"},
               {"SUBJECT", true},
               {"TITLE", true}});
  for (const auto& listed : list.alerts()) {
    const v1::Alert& alert = listed.alert();
    table.Add({TimeWord(alert.received_at()), alert.status() == v1::ALERT_STATUS_RESOLVED ? "resolved" : "firing",
               SeverityWord(alert.severity()),
               listed.waiting_for().empty() ? listed.incident_id() : "none yet: " + listed.waiting_for(),
               std::to_string(listed.count()), alert.source(), alert.subject(), alert.title()});
  }
  session.io().out << (table.empty() ? "No alerts.\n" : table.Render(session.io().width, session.style()));
  return ExitCode::kDone;
}

struct SendOptions {
  std::string file;
  std::string format;
  std::string http;
};

absl::StatusOr<std::string> ReadBody(Session& session, const std::string& file) {
  if (file != "-") return ReadFile(file, kMaxAlertBytes);
  std::string body;
  for (std::istreambuf_iterator<char> at(session.io().in), end; at != end; ++at) {
    if (body.size() == kMaxAlertBytes)
      return ResourceExhausted("standard input is larger than {} bytes", kMaxAlertBytes);
    body.push_back(*at);
  }
  return body;
}

absl::StatusOr<ExitCode> Send(Session& session, const SendOptions& options) {
  HttpRequest request;
  OMNIX_ASSIGN_OR_RETURN(request.body, ReadBody(session, options.file));
  request.method = "POST";
  request.url = options.http + "/v1/alerts" + (options.format.empty() ? "" : "/" + options.format);
  request.timeout = absl::Seconds(session.options().timeout_s);
  request.headers = {{"Content-Type", "application/json"}};
  if (const std::string token = session.io().environment("OMNIX_TOKEN"); !token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + token);
  }
  const absl::StatusOr<HttpResponse> response = SendHttp(request);
  if (!response.ok()) {
    return Annotate(response.status(),
                    fmt::format("POST {}: (another front door: --http URL or OMNIX_HTTP) ", request.url));
  }
  if (response->status >= kFirstErrorStatus) {
    return FailedPrecondition("POST {}: HTTP {}: {}", request.url, response->status, response->body);
  }
  session.io().out << PrintableText(response->body) << (response->body.ends_with("\n") ? "" : "\n");
  return ExitCode::kDone;
}

struct TestOptions {
  std::string file;
  std::string format;
  std::string formats_folder;
};

void ShowReading(Session& session, const ParsedAlerts& parsed) {
  auto& out = session.io().out;
  out << "Format: " << parsed.format << "\n";
  Table table({{"STATUS"}, {"SEVERITY"}, {"FINGERPRINT"}, {"SUBJECT", true}, {"TITLE", true}});
  for (const v1::Alert& alert : parsed.alerts) {
    table.Add({alert.status() == v1::ALERT_STATUS_RESOLVED ? "resolved" : "firing", SeverityWord(alert.severity()),
               alert.fingerprint(), alert.subject(), alert.title()});
  }
  out << (table.empty() ? "No alerts.\n" : table.Render(session.io().width, session.style()));
  if (!parsed.note.empty()) out << "Note: " << PrintableText(parsed.note) << "\n";
  for (const std::string& warning : parsed.warnings) out << "Warning: " << PrintableText(warning) << "\n";
}

absl::StatusOr<ExitCode> Test(Session& session, const TestOptions& options) {
  AlertBody body;
  body.format = options.format;
  body.received_at = session.now();
  OMNIX_ASSIGN_OR_RETURN(body.bytes, ReadBody(session, options.file));
  AlertIntakeOptions intake_options;
  intake_options.formats_folder = options.formats_folder;
  intake_options.filters.threads = 1;
  intake_options.explain_failures = true;
  OMNIX_ASSIGN_OR_RETURN(const auto intake, AlertIntake::Create(intake_options));
  const absl::StatusOr<ParsedAlerts> parsed = intake->Read(std::move(body));
  if (absl::IsNotFound(parsed.status())) return InvalidArgument("--format: {}", Message(parsed.status()));
  // The command was well; what it was given is not.
  if (!parsed.ok()) return FailedPrecondition("{}: {}", options.file, Message(parsed.status()));
  switch (session.format()) {
    case OutputFormat::kJson:
      session.io().out << ToJsonText(ReadingJson(*parsed));
      break;
    case OutputFormat::kYaml:
      session.io().out << ToYamlText(ReadingJson(*parsed));
      break;
    case OutputFormat::kTable:
      ShowReading(session, *parsed);
  }
  return ExitCode::kDone;
}

void AddList(CLI::App& alert, Session& session) {
  struct Options {
    bool firing_only = false;
    bool pending_only = false;
    uint32_t limit = kDefaultListed;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = alert.add_subcommand("list", "The alerts, newest first");
  command->add_flag("--firing", options->firing_only, "Only those that fire now");
  command->add_flag("--pending", options->pending_only,
                    "Only those that wait for more of their kind before an incident");
  command->add_option("--limit", options->limit, "At most this many")
      ->check(CLI::Range(1u, kMaxListed))
      ->capture_default_str();
  command->callback([&session, options] {
    session.Do([&session, options] {
      v1::ListAlertsRequest request;
      request.set_firing_only(options->firing_only);
      request.set_pending_only(options->pending_only);
      request.set_limit(options->limit);
      return List(session, request);
    });
  });
}

void AddSend(CLI::App& alert, Session& session) {
  const auto options = std::make_shared<SendOptions>();
  const std::string from_environment = session.io().environment("OMNIX_HTTP");
  options->http = from_environment.empty() ? kDefaultHttp : from_environment;
  CLI::App* command =
      alert.add_subcommand("send", "Sends a monitor's payload, as the monitor would (token: OMNIX_TOKEN)");
  command->add_option("FILE", options->file, "JSON file; - for standard input")->required();
  command->add_option("--format", options->format, "Alert format, e.g. alertmanager; absent: recognized by its shape");
  command->add_option("--http", options->http, "HTTP front door of omnixd (or OMNIX_HTTP)")->capture_default_str();
  command->callback([&session, options] { session.Do([&session, options] { return Send(session, *options); }); });
}

void AddTest(CLI::App& alert, Session& session) {
  const auto options = std::make_shared<TestOptions>();
  CLI::App* command = alert.add_subcommand("test", "Shows what a payload becomes, without sending it");
  command->add_option("FILE", options->file, "JSON file; - for standard input")->required();
  command->add_option("--format", options->format, "Alert format; absent: recognized by its shape");
  command->add_option("--formats", options->formats_folder, "Folder of further formats, as of omnixd");
  command->callback([&session, options] { session.Do([&session, options] { return Test(session, *options); }); });
}

}  // namespace

void AddAlertCommands(CLI::App& app, Session& session) {
  CLI::App* alert = app.add_subcommand("alert", "Alerts: list, send, test");
  alert->require_subcommand(1);
  AddList(*alert, session);
  AddSend(*alert, session);
  AddTest(*alert, session);
}

}  // namespace omnix

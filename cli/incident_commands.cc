// `omnix incident open|list|show|events` and the commands that only change the incident's course.
#include <vector>

#include "cli/incident_view.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultListed = 50;
constexpr uint32_t kMaxListed = 1000;
// The server's bound for one page of events.
constexpr uint32_t kEventPage = 10'000;

std::string PaintSeverity(const Style& style, const std::string& cell) {
  if (cell == "critical" || cell == "error") return style.Red(cell);
  return cell == "warning" ? style.Yellow(cell) : cell;
}

std::string PaintPhase(const Style& style, const std::string& cell) {
  if (cell.starts_with("Resolved")) return style.Green(cell);
  return cell.starts_with("Escalated") ? style.Red(cell) : cell;
}

std::string PhaseCell(const v1::IncidentSummary& incident) {
  return PhaseWord(incident.phase()) + (incident.paused() ? " (paused)" : "");
}

absl::StatusOr<ExitCode> List(Session& session, bool open_only, uint32_t limit) {
  v1::ListIncidentsRequest request;
  request.set_open_only(open_only);
  request.set_limit(limit);
  OMNIX_ASSIGN_OR_RETURN(const v1::ListIncidentsResponse list,
                         session.client().Call(&v1::Operator::Stub::ListIncidents, request));
  if (session.PrintedForPrograms(list)) return ExitCode::kDone;
  Table table({{"INCIDENT"},
               {"SEVERITY", false, PaintSeverity},
               {"PHASE", false, PaintPhase},
               {"OPENED"},
               {"ALERTS"},
               {"TITLE", true},
               {"WAITS FOR", true}});
  for (const auto& incident : list.incidents()) {
    table.Add({incident.id(), SeverityWord(incident.severity()), PhaseCell(incident), TimeWord(incident.opened_at()),
               std::to_string(incident.alerts()), incident.title(), incident.waiting_for()});
  }
  if (table.empty()) {
    session.io().out << (open_only ? "No incident is open.\n" : "No incidents yet.\n");
  } else {
    session.io().out << table.Render(session.io().width, session.style());
  }
  return ExitCode::kDone;
}

void AddList(CLI::App& incident, Session& session) {
  struct Options {
    bool open_only = false;
    uint32_t limit = kDefaultListed;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = incident.add_subcommand("list", "The incidents, newest first");
  command->add_flag("--open", options->open_only, "Only those that are not resolved or cancelled");
  command->add_option("--limit", options->limit, "At most this many")
      ->check(CLI::Range(1u, kMaxListed))
      ->capture_default_str();
  command->callback([&session, options] {
    session.Do([&session, options] { return List(session, options->open_only, options->limit); });
  });
}

struct OpenOptions {
  v1::OpenIncidentRequest request;
  std::string title, description, subject, severity = "error";
  std::vector<std::string> labels;
};

absl::StatusOr<ExitCode> Open(Session& session, const OpenOptions& options) {
  v1::OpenIncidentRequest request;
  request.set_title(options.title);
  request.set_description(options.description);
  request.set_subject(options.subject);
  request.set_by(session.options().by);
  request.set_severity(*ParseSeverity(options.severity));
  for (const std::string& label : options.labels) {
    const size_t equals = label.find('=');
    if (equals == 0 || equals == std::string::npos) return InvalidArgument("--label '{}': expected name=value", label);
    (*request.mutable_labels())[label.substr(0, equals)] = label.substr(equals + 1);
  }
  OMNIX_ASSIGN_OR_RETURN(const v1::OpenIncidentResponse answer,
                         session.client().Call(&v1::Operator::Stub::OpenIncident, request));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << fmt::format("Opened {}. Follow it: {}\n", PrintableLine(answer.incident_id()),
                                  session.CommandLine("incident watch " + PrintableLine(answer.incident_id())));
  return ExitCode::kDone;
}

void AddOpen(CLI::App& incident, Session& session) {
  auto options = std::make_shared<OpenOptions>();
  CLI::App* command = incident.add_subcommand("open", "Opens an incident by hand");
  command->add_option("TITLE", options->title, "What is wrong, in one line")->required();
  command->add_option("--description", options->description, "More about it");
  command->add_option("--severity", options->severity, "critical, error, warning or info")
      ->check(CLI::IsMember({"critical", "error", "warning", "info"}))
      ->capture_default_str();
  command->add_option("--subject", options->subject, "Service of the system model that it concerns");
  command->add_option("--label", options->labels, "name=value; may be given several times")->expected(1)->take_all();
  command->callback([&session, options] { session.Do([&session, options] { return Open(session, *options); }); });
}

absl::StatusOr<ExitCode> Show(Session& session, const std::string& reference) {
  OMNIX_ASSIGN_OR_RETURN(const std::string id, session.client().ResolveIncident(reference));
  OMNIX_ASSIGN_OR_RETURN(const v1::GetIncidentResponse answer, session.client().GetIncident(id));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << RenderIncident(answer, session.now(), session.io().width, session.style());
  return ExitCode::kDone;
}

void AddShow(CLI::App& incident, Session& session) {
  auto reference = std::make_shared<std::string>();
  CLI::App* command = incident.add_subcommand("show", "All that is known of an incident");
  AddIncidentArgument(*command, *reference);
  command->callback([&session, reference] { session.Do([&session, reference] { return Show(session, *reference); }); });
}

struct EventsOptions {
  std::string incident;
  uint64_t after = 0;
  uint32_t limit = 0;
};

absl::StatusOr<v1::ListEventsResponse> ReadEvents(Session& session, const std::string& id,
                                                  const EventsOptions& options) {
  v1::ListEventsResponse all;
  uint64_t after = options.after;
  while (true) {
    const uint32_t left = options.limit == 0 ? kEventPage : options.limit - static_cast<uint32_t>(all.events_size());
    v1::ListEventsRequest request;
    request.set_incident_id(id);
    request.set_after_sequence(after);
    request.set_limit(std::min(kEventPage, left));
    OMNIX_ASSIGN_OR_RETURN(v1::ListEventsResponse page,
                           session.client().Call(&v1::Operator::Stub::ListEvents, request));
    if (page.events().empty() || page.events().rbegin()->event().sequence() <= after) return all;
    after = page.events().rbegin()->event().sequence();
    const bool last = static_cast<uint32_t>(page.events_size()) < request.limit();
    for (auto& event : *page.mutable_events()) *all.add_events() = std::move(event);
    if (last || (options.limit != 0 && static_cast<uint32_t>(all.events_size()) >= options.limit)) return all;
  }
}

absl::StatusOr<ExitCode> Events(Session& session, const EventsOptions& options) {
  OMNIX_ASSIGN_OR_RETURN(const std::string id, session.client().ResolveIncident(options.incident));
  OMNIX_ASSIGN_OR_RETURN(const v1::ListEventsResponse all, ReadEvents(session, id, options));
  if (session.PrintedForPrograms(all)) return ExitCode::kDone;
  Table table({{"SEQ"}, {"TIME"}, {"EVENT", true}});
  for (const auto& recorded : all.events()) {
    table.Add({std::to_string(recorded.event().sequence()), TimeWord(recorded.event().time()), recorded.text()});
  }
  session.io().out << table.Render(session.io().width, session.style());
  return ExitCode::kDone;
}

void AddEvents(CLI::App& incident, Session& session) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* command = incident.add_subcommand("events", "What the journal keeps of an incident, in order");
  AddIncidentArgument(*command, options->incident);
  command->add_option("--after", options->after, "Only events with a higher sequence number");
  command->add_option("--limit", options->limit, "At most this many (default: all)");
  command->callback([&session, options] { session.Do([&session, options] { return Events(session, *options); }); });
}

// A command that is sent as it is and answered by the incident's new state.
struct Order {
  const char* name;
  const char* help;
  const char* done;
  void (*fill)(v1::CommandIncidentRequest& request);
};

constexpr Order kOrders[] = {
    {"pause", "Gives no new task to agents until `resume`", "Paused", [](auto& r) { r.mutable_pause(); }},
    {"resume", "Ends a pause, or investigates an escalated incident anew", "Resumed",
     [](auto& r) { r.mutable_resume(); }},
    {"cancel", "Ends the incident: nothing is wrong, or people take over", "Cancelled",
     [](auto& r) { r.mutable_cancel(); }},
    {"escalate", "Hands the incident to people", "Escalated", [](auto& r) { r.mutable_escalate(); }},
    {"rollback", "Undoes what the incident's last recovery changed",
     "Rollback of the last recovery asked for:", [](auto& r) { r.mutable_rollback(); }},
};

absl::StatusOr<ExitCode> Send(Session& session, const std::string& reference, v1::CommandIncidentRequest request,
                              const std::string& done) {
  OMNIX_ASSIGN_OR_RETURN(const std::string id, session.client().ResolveIncident(reference));
  request.set_incident_id(id);
  request.set_by(session.options().by);
  OMNIX_ASSIGN_OR_RETURN(const v1::CommandIncidentResponse answer,
                         session.client().Call(&v1::Operator::Stub::CommandIncident, request));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << fmt::format("{} {} ({})\n", done, id, PhaseCell(answer.incident()));
  return ExitCode::kDone;
}

struct OrderOptions {
  std::string incident;
  std::string reason;
};

void AddOrder(CLI::App& incident, Session& session, const Order& order) {
  auto options = std::make_shared<OrderOptions>();
  CLI::App* command = incident.add_subcommand(order.name, order.help);
  AddIncidentArgument(*command, options->incident);
  command->add_option("--reason", options->reason, "Why, for the journal");
  command->callback([&session, options, &order] {
    session.Do([&session, options, &order] {
      v1::CommandIncidentRequest request;
      request.set_reason(options->reason);
      order.fill(request);
      return Send(session, options->incident, request, order.done);
    });
  });
}

// Commands with one argument of their own behind the optional INC: `note [INC] TEXT`, `choose [INC] EXPLANATION`.
void AddOrderWithArgument(CLI::App& incident, Session& session, const char* name, const char* help,
                          const std::string& argument, const char* done,
                          void (*fill)(v1::CommandIncidentRequest& request, const std::string& argument)) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto reason = std::make_shared<std::string>();
  CLI::App* command = incident.add_subcommand(name, help);
  command->add_option("INC " + argument, *words, "[INC] and " + argument)->required()->expected(1, 2);
  command->add_option("--reason", *reason, "Why, for the journal");
  command->callback([&session, words, reason, done, fill] {
    session.Do([&session, words, reason, done, fill] {
      v1::CommandIncidentRequest request;
      request.set_reason(*reason);
      fill(request, words->back());
      return Send(session, words->size() > 1 ? words->front() : "", request, done);
    });
  });
}

}  // namespace

void AddIncidentCommands(CLI::App& app, Session& session) {
  CLI::App* incident = app.add_subcommand("incident", "Incidents: open, watch, approve, command");
  incident->require_subcommand(1);
  AddList(*incident, session);
  AddShow(*incident, session);
  AddIncidentWatch(*incident, session);
  AddOpen(*incident, session);
  AddIncidentApproval(*incident, session);
  AddOrderWithArgument(*incident, session, "choose", "Takes this explanation next", "EXPLANATION",
                       "Explanation chosen for",
                       [](auto& r, const auto& id) { r.mutable_choose()->set_explanation_id(id); });
  for (const Order& order : kOrders) AddOrder(*incident, session, order);
  AddOrderWithArgument(*incident, session, "note", "Adds a note (quote it: one argument)", "TEXT", "Note added to",
                       [](auto& r, const auto& text) { r.mutable_note()->set_text(text); });
  AddIncidentMoves(*incident, session);
  AddIncidentReport(*incident, session);
  AddEvents(*incident, session);
}

}  // namespace omnix

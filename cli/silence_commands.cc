#include "cli/silence_commands.h"

#include <omnix/v1/silence.grpc.pb.h>

#include <charconv>

#include "cli/table.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

struct AddOptions {
  std::vector<std::string> matchers;
  std::string service;
  bool with_dependents = false;
  std::string start;
  std::string end;
  std::string duration;
  std::string comment;
};

template <typename Request, typename Response>
absl::StatusOr<Response> Call(Session& session,
                              grpc::Status (v1::Silences::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                         Response*),
                              const Request& request) {
  const auto stub = v1::Silences::NewStub(session.client().channel().shared_from_this());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoNanoseconds(absl::Seconds(session.options().timeout_s)));
  Response response;
  const grpc::Status status = (stub.get()->*method)(&context, request, &response);
  if (!status.ok()) return session.client().ToError(status);
  return response;
}

constexpr std::pair<const char*, v1::SilenceOperator> kOperators[] = {
    {"=~", v1::SILENCE_OPERATOR_MATCHES},
    {"!~", v1::SILENCE_OPERATOR_NOT_MATCHES},
    {"!=", v1::SILENCE_OPERATOR_NOT_EQUAL},
    {"=", v1::SILENCE_OPERATOR_EQUAL},
};

// label=value, label!=value, label=~regex, label!~regex: the first operator of the text counts.
absl::StatusOr<v1::SilenceMatcher> ParseMatcher(const std::string& text) {
  const size_t at = text.find_first_of("=!");
  for (const auto& [word, op] : kOperators) {
    if (at == std::string::npos || at == 0 || text.compare(at, std::string_view(word).size(), word) != 0) continue;
    v1::SilenceMatcher matcher;
    matcher.set_label(text.substr(0, at));
    matcher.set_op(op);
    matcher.set_value(text.substr(at + std::string_view(word).size()));
    return matcher;
  }
  return InvalidArgument("'{}' is no matcher, such as alertname=Down, service=~'a|b', severity!=info", text);
}

std::string MatcherWord(const v1::SilenceMatcher& matcher) {
  for (const auto& [word, op] : kOperators) {
    if (op == matcher.op()) return matcher.label() + word + matcher.value();
  }
  return matcher.label();
}

std::string StatusWord(v1::SilenceStatus status) {
  if (status == v1::SILENCE_STATUS_PENDING) return "pending";
  return status == v1::SILENCE_STATUS_ACTIVE ? "active" : "ended";
}

std::string MatchersWord(const v1::Silence& silence) {
  std::string words;
  for (const auto& matcher : silence.matchers()) words += (words.empty() ? "" : " ") + MatcherWord(matcher);
  return words;
}

// "2h", "1h30m", and what people plan in: "3d", "2w".
bool ParseSpan(const std::string& text, absl::Duration& span) {
  constexpr int64_t kMaxCount = 1'000;
  constexpr int kHoursOfDay = 24, kDaysOfWeek = 7;
  int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, count);
  const std::string_view unit(read.ptr, static_cast<size_t>(end - read.ptr));
  if (read.ec != std::errc() || count < 0 || count > kMaxCount || (unit != "d" && unit != "w")) {
    return absl::ParseDuration(text, &span);
  }
  span = absl::Hours(count * kHoursOfDay * (unit == "w" ? kDaysOfWeek : 1));
  return true;
}

absl::Status ReadTimes(const AddOptions& options, absl::Time now, v1::AddSilenceRequest& request) {
  absl::Time start = now;
  if (!options.start.empty()) {
    OMNIX_ASSIGN_OR_RETURN(start, ParseTime(options.start));
    *request.mutable_starts_at() = ToProto(start);
  }
  if (options.end.empty() == options.duration.empty()) return InvalidArgument("needs one of --end and --for");
  absl::Time end;
  if (!options.end.empty()) {
    OMNIX_ASSIGN_OR_RETURN(end, ParseTime(options.end));
  } else {
    absl::Duration duration;
    if (!ParseSpan(options.duration, duration)) {
      return InvalidArgument("--for '{}' is no duration, such as 90m, 2h or 3d", options.duration);
    }
    end = start + duration;
  }
  *request.mutable_ends_at() = ToProto(end);
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Add(Session& session, const AddOptions& options) {
  v1::AddSilenceRequest request;
  if (session.options().by.empty()) {
    return InvalidArgument("a silence has an author, and neither USER nor LOGNAME names one: give --by NAME");
  }
  for (const auto& text : options.matchers) {
    OMNIX_ASSIGN_OR_RETURN(*request.add_matchers(), ParseMatcher(text));
  }
  OMNIX_RETURN_IF_ERROR(ReadTimes(options, session.now(), request));
  request.set_service(options.service);
  request.set_with_dependents(options.with_dependents);
  request.set_author(session.options().by);
  request.set_comment(options.comment);
  OMNIX_ASSIGN_OR_RETURN(const v1::SilenceView view, Call(session, &v1::Silences::Stub::AddSilence, request));
  if (session.PrintedForPrograms(view)) return ExitCode::kDone;
  session.io().out << view.silence().id() << " is " << StatusWord(view.status()) << " until "
                   << TimeWord(view.silence().ends_at()) << "\n";
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> List(Session& session, bool all) {
  v1::ListSilencesRequest request;
  request.set_all(all);
  OMNIX_ASSIGN_OR_RETURN(const v1::ListSilencesResponse list,
                         Call(session, &v1::Silences::Stub::ListSilences, request));
  if (session.PrintedForPrograms(list)) return ExitCode::kDone;
  Table table({{"ID"},
               {"STATUS"},
               {"START"},
               {"END"},
               {"AUTHOR"},
               {"SUPPRESSED"},
               {"HELD"},
               {"MATCHERS", true},
               {"COMMENT", true}});
  for (const auto& view : list.silences()) {
    const v1::Silence& silence = view.silence();
    table.Add({silence.id(), StatusWord(view.status()), TimeWord(silence.starts_at()), TimeWord(silence.ends_at()),
               silence.author(), std::to_string(silence.suppressed()), std::to_string(view.held()),
               MatchersWord(silence), silence.comment()});
  }
  session.io().out << (table.empty() ? "No silences.\n" : table.Render(session.io().width, session.style()));
  return ExitCode::kDone;
}

void ShowView(Session& session, const v1::SilenceView& view) {
  const v1::Silence& silence = view.silence();
  auto& out = session.io().out;
  out << silence.id() << " " << StatusWord(view.status()) << " " << PrintableText(MatchersWord(silence)) << "\n"
      << "From " << TimeWord(silence.starts_at()) << " to " << TimeWord(silence.ends_at()) << ", by "
      << PrintableText(silence.author()) << ": " << PrintableText(silence.comment()) << "\n";
  if (silence.has_expired_at()) {
    out << "Ended early at " << TimeWord(silence.expired_at()) << " by " << PrintableText(silence.expired_by()) << "\n";
  }
  out << "Suppressed " << silence.suppressed() << ", of which " << view.held() << " still fire\n";
  for (const auto& alert : view.held_alerts()) {
    out << "  " << SeverityWord(alert.severity()) << " " << PrintableText(alert.subject()) << " "
        << PrintableText(alert.title()) << "\n";
  }
}

absl::StatusOr<ExitCode> Show(Session& session, const std::string& id) {
  v1::GetSilenceRequest request;
  request.set_id(id);
  OMNIX_ASSIGN_OR_RETURN(const v1::SilenceView view, Call(session, &v1::Silences::Stub::GetSilence, request));
  if (!session.PrintedForPrograms(view)) ShowView(session, view);
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> Expire(Session& session, const std::string& id) {
  v1::ExpireSilenceRequest request;
  request.set_id(id);
  request.set_by(session.options().by);
  OMNIX_ASSIGN_OR_RETURN(const v1::SilenceView view, Call(session, &v1::Silences::Stub::ExpireSilence, request));
  if (session.PrintedForPrograms(view)) return ExitCode::kDone;
  session.io().out << id << " has ended; " << view.held() << " alerts that still fire are taken up\n";
  return ExitCode::kDone;
}

void AddAdd(CLI::App& silence, Session& session) {
  const auto options = std::make_shared<AddOptions>();
  CLI::App* command = silence.add_subcommand("add", "Silences what matches, from its start to its end");
  command->add_option("MATCHER", options->matchers, "label=value, !=, =~ or !~ a regular expression; all must match");
  command->add_option("--service", options->service, "A maintenance window of this service of the system model");
  command->add_flag("--with-dependents", options->with_dependents, "And of all services that need it");
  command->add_option("--start", options->start, "RFC 3339; absent: now");
  command->add_option("--end", options->end, "RFC 3339");
  command->add_option("--for", options->duration, "How long from the start, such as 2h or 3d, instead of --end");
  command->add_option("--comment", options->comment, "Why");
  command->callback([&session, options] { session.Do([&session, options] { return Add(session, *options); }); });
}

void AddById(CLI::App& silence, Session& session, const std::string& name, const std::string& what,
             absl::StatusOr<ExitCode> (*action)(Session&, const std::string&)) {
  const auto id = std::make_shared<std::string>();
  CLI::App* command = silence.add_subcommand(name, what);
  command->add_option("ID", *id, "Such as SIL-1")->required();
  command->callback([&session, id, action] { session.Do([&session, id, action] { return action(session, *id); }); });
}

}  // namespace

void AddSilenceCommands(CLI::App& app, Session& session) {
  CLI::App* silence = app.add_subcommand("silence", "Silences and maintenance windows: add, list, show, expire");
  silence->require_subcommand(1);
  AddAdd(*silence, session);
  const auto all = std::make_shared<bool>(false);
  CLI::App* list = silence->add_subcommand("list", "The silences that last or are to come");
  list->add_flag("--all", *all, "Ended ones too");
  list->callback([&session, all] { session.Do([&session, all] { return List(session, *all); }); });
  AddById(*silence, session, "show", "One silence, and the alerts that it holds", Show);
  AddById(*silence, session, "expire", "Ends a silence now", Expire);
}

}  // namespace omnix

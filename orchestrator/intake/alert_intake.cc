#include "orchestrator/intake/alert_intake.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "common/status.h"
#include "orchestrator/intake/alertmanager_format.h"
#include "orchestrator/intake/body_parser.h"
#include "orchestrator/intake/cloudevents_binary.h"
#include "orchestrator/intake/filter_result.h"
#include "orchestrator/intake/omnix_format.h"

namespace omnix {
namespace {

constexpr char kOmnix[] = "omnix";
constexpr char kAlertmanager[] = "alertmanager";
constexpr char kCloudEvents[] = "cloudevents";
constexpr char kUnknown[] = "unknown";
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
constexpr int64_t kSecondsPerMinute = 60;

ParsedAlerts Unread(const Json& body, const std::string& format, const std::string& why, absl::Time received_at) {
  ParsedAlerts parsed;
  parsed.format = format;
  parsed.alerts.push_back(UnreadAlert(body, format, why, received_at));
  parsed.warnings.push_back(why + "; the body is kept as an alert of unknown severity");
  return parsed;
}

// What of a body is taken otherwise than it was sent.
void AddWarnings(const ParsedBody& parsed, std::vector<std::string>& warnings) {
  if (parsed.repeated_keys > 0) {
    warnings.push_back(
        fmt::format("{} more than once in {} object, the first at line {}, column {}: the last one counts",
                    parsed.repeated_keys == 1 ? "a key stands" : fmt::format("{} keys stand", parsed.repeated_keys),
                    parsed.repeated_keys == 1 ? "its" : "their", parsed.repeated_key_line, parsed.repeated_key_column));
  }
  if (parsed.lone_surrogates > 0) {
    warnings.push_back(fmt::format("{} half of a surrogate pair (\\ud800 to \\udfff): U+FFFD stands in its place",
                                   parsed.lone_surrogates == 1 ? "a string holds" : "strings hold"));
  }
}

// Its own format is strict: what it refuses, a human wrote.
absl::StatusOr<ParsedAlerts> ReadOmnix(const Json& body, absl::Time received_at) {
  absl::StatusOr<ParsedAlerts> parsed = ParseOmnixAlerts(body, received_at);
  if (absl::IsInvalidArgument(parsed.status())) return FailedPrecondition("{}", Message(parsed.status()));
  if (parsed.ok()) parsed->format = kOmnix;
  return parsed;
}

absl::StatusOr<ParsedAlerts> Finish(const AlertmanagerBody& body, absl::Time received_at) {
  if (body.drafts.size() > kMaxAlertsPerBody) {
    return ResourceExhausted("/alerts: {} alerts, at most {} are taken at a time", body.drafts.size(),
                             kMaxAlertsPerBody);
  }
  ParsedAlerts parsed;
  parsed.format = kAlertmanager;
  parsed.truncated = body.truncated;
  parsed.alerts.reserve(body.drafts.size());
  for (const AlertDraft& draft : body.drafts) parsed.alerts.push_back(FinishAlert(draft, kAlertmanager, received_at));
  MarkTruncated(&parsed);
  return parsed;
}

}  // namespace

// A body that has been parsed, with all that is needed to make alerts of it.
struct AlertIntake::Document {
  // Null: to be recognized. Omnix's own format is no file and has none.
  const AlertFormat* format = nullptr;
  bool omnix = false;
  Json body;
  Json headers = Json::object();
  absl::Time received_at;
  // The parser took it otherwise than it was sent: as it stands now it may be a plain one.
  bool mended = false;
  std::vector<std::string> warnings;

  // Adds what parsing had to say.
  absl::StatusOr<ParsedAlerts> Told(absl::StatusOr<ParsedAlerts> parsed) const {
    if (parsed.ok()) parsed->warnings.insert(parsed->warnings.begin(), warnings.begin(), warnings.end());
    return parsed;
  }
};

AlertIntake::AlertIntake(FormatLibrary library, const AlertIntakeOptions& options)
    : library_(std::move(library)),
      recognize_(library_.RecognizeProgram()),
      filter_timeout_(options.filter_timeout),
      explain_failures_(options.explain_failures),
      pool_(options.filters) {}

absl::StatusOr<std::unique_ptr<AlertIntake>> AlertIntake::Create(const AlertIntakeOptions& options) {
  OMNIX_ASSIGN_OR_RETURN(FormatLibrary library,
                         FormatLibrary::Load(options.formats_folder, options.filters.executable));
  return std::unique_ptr<AlertIntake>(new AlertIntake(std::move(library), options));
}

std::vector<std::string> FormatNames(const FormatLibrary& library) {
  std::vector<std::string> names = library.Names();
  names.insert(std::ranges::lower_bound(names, kOmnix), kOmnix);
  return names;
}

std::vector<std::string> AlertIntake::Names() const { return FormatNames(library_); }

void AlertIntake::Read(AlertBody body, Done done) {
  auto document = std::make_shared<Document>();
  document->received_at = body.received_at;
  document->omnix = body.format == kOmnix;
  const bool binary = IsBinaryCloudEvent(body.headers) && (body.format.empty() || body.format == kCloudEvents);
  const std::string name = binary ? kCloudEvents : body.format;
  if (!name.empty() && !document->omnix) {
    document->format = library_.Find(name);
    if (document->format == nullptr) {
      return done(NotFound("no such alert format; known: {}", fmt::join(Names(), ", ")));
    }
  }
  // Most bodies are plain ones of Alertmanager. What is not takes the long way.
  if (!binary && !document->omnix) {
    if (auto plain = ReadPlain(document->format, body.bytes, body.received_at)) return done(*std::move(plain));
  }
  if (binary) {
    absl::StatusOr<Json> event = StructuredCloudEvent(body.headers, body.bytes);
    if (!event.ok()) return done(event.status());
    document->body = *std::move(event);
  } else {
    absl::StatusOr<ParsedBody> parsed = ParseBody(body.bytes);
    if (!parsed.ok()) return done(parsed.status());
    document->body = std::move(parsed->value);
    document->mended =
        parsed->repeated_keys > 0 || parsed->lone_surrogates > 0 || body.bytes.starts_with(kByteOrderMark);
    AddWarnings(*parsed, document->warnings);
  }
  for (const auto& [header, value] : body.headers) document->headers[header] = value;
  if (auto at_once = ReadAtOnce(*document)) return done(document->Told(*std::move(at_once)));
  const bool posted = pool_.Post(
      [this, document, done](FilterWorker& worker) { done(document->Told(ReadByFilter(*document, worker))); });
  if (!posted) done(Unavailable("too many bodies wait to be read; come back later"));
}

absl::StatusOr<ParsedAlerts> AlertIntake::Read(AlertBody body) {
  auto result = std::make_shared<std::promise<absl::StatusOr<ParsedAlerts>>>();
  std::future<absl::StatusOr<ParsedAlerts>> future = result->get_future();
  Read(std::move(body), [result](absl::StatusOr<ParsedAlerts> parsed) { result->set_value(std::move(parsed)); });
  return future.get();
}

std::optional<absl::StatusOr<ParsedAlerts>> AlertIntake::ReadPlain(const AlertFormat* format, std::string_view bytes,
                                                                   absl::Time received_at) const {
  if (!MayBePlain(format)) return std::nullopt;
  const std::optional<AlertmanagerBody> plain = ReadPlainAlertmanager(bytes, /*named=*/format != nullptr);
  if (!plain) return std::nullopt;
  return Finish(*plain, received_at);
}

bool AlertIntake::MayBePlain(const AlertFormat* format) const {
  // The built-in format only: a folder may bring another of this name.
  const AlertFormat* alertmanager = library_.Find(kAlertmanager);
  if (!alertmanager->built_in) return false;
  return format == nullptr ? !library_.has_folder() : format == alertmanager;
}

std::optional<absl::StatusOr<ParsedAlerts>> AlertIntake::ReadAtOnce(const Document& document) const {
  if (document.omnix) return ReadOmnix(document.body, document.received_at);
  if (!document.mended || !MayBePlain(document.format)) return std::nullopt;
  return ReadPlain(document.format, DumpJson(document.body), document.received_at);
}

absl::StatusOr<const AlertFormat*> AlertIntake::Recognize(const std::string& input, FilterWorker& worker) const {
  OMNIX_ASSIGN_OR_RETURN(const std::string output, worker.Run(recognize_, input, filter_timeout_));
  const Json names = Json::parse(output, nullptr, false);
  if (!names.is_array() || names.empty() || !names[0].is_string()) return nullptr;
  return library_.Find(names[0].get_ref<const std::string&>());
}

absl::StatusOr<ParsedAlerts> AlertIntake::ReadByFilter(const Document& document, FilterWorker& worker) const {
  const std::string input = DumpJson({{"headers", document.headers}, {"body", document.body}});
  const auto keep = [&](const std::string& format, const std::string& why) {
    return Unread(document.body, format, why, document.received_at);
  };
  // What jq says may quote the body: it is for `omnix alert test`, not for a log.
  const auto keep_after = [&](const std::string& format, const absl::Status& status) {
    const int64_t minute = absl::ToUnixSeconds(absl::Now()) / kSecondsPerMinute;
    if (last_logged_minute_.exchange(minute) != minute) {
      spdlog::warn("alert format {}: its filter failed on a body of {} bytes ({}); the body is kept unread", format,
                   input.size(), absl::StatusCodeToString(status.code()));
    }
    const std::string why = absl::IsDeadlineExceeded(status) ? "the filter of this format took too long"
                                                             : "the filter of this format failed";
    return keep(format, explain_failures_ ? why + ": " + Message(status) : why);
  };
  const AlertFormat* format = document.format;
  if (format == nullptr) {
    const absl::StatusOr<const AlertFormat*> recognized = Recognize(input, worker);
    if (!recognized.ok()) return keep_after(kUnknown, recognized.status());
    format = *recognized;
  }
  if (format == nullptr) {
    absl::StatusOr<ParsedAlerts> own = ReadOmnix(document.body, document.received_at);
    if (own.ok()) return own;
    return keep(kUnknown, "no format knows this body");
  }
  const absl::StatusOr<std::string> output = worker.Run(library_.AlertsProgram(*format), input, filter_timeout_);
  if (!output.ok()) return keep_after(format->name, output.status());
  absl::StatusOr<ParsedAlerts> parsed =
      ReadFilterOutput(Json::parse(*output, nullptr, false), format->name, document.received_at);
  if (absl::IsInternal(parsed.status())) return keep_after(format->name, parsed.status());
  // Recognized by its shape, but nothing in it could be read: nobody promised that it could.
  if (absl::IsFailedPrecondition(parsed.status()) && document.format == nullptr) {
    return keep(format->name, Message(parsed.status()));
  }
  return parsed;
}

}  // namespace omnix

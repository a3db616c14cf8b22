// `omnix incident watch`: the incident's events as they come, until it ends.
#include <algorithm>
#include <optional>
#include <thread>

#include "cli/session.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

// How long an orchestrator may be away before the watch gives up.
constexpr absl::Duration kMaxAway = absl::Minutes(10);
// Between two attempts where the orchestrator answers but ends the stream at once (it is starting or stopping).
constexpr absl::Duration kReopenPause = absl::Milliseconds(200);
// In a pipe, progress is at most one line in this time.
constexpr absl::Duration kPipedProgressInterval = absl::Seconds(5);
constexpr char kEraseLine[] = "\r\x1b[K";

class Watch {
 public:
  Watch(Session& session, std::string incident_id)
      : session_(session), id_(std::move(incident_id)), style_(session.style()) {}

  absl::StatusOr<ExitCode> Run();

 private:
  // One stream, from the last event seen on. OK where the stream ended without an error, or the incident has ended.
  absl::Status Follow();
  absl::Status OnEvent(const v1::WatchIncidentResponse& update);
  void OnProgress(const v1::Progress& progress);
  // Where the incident stands: how far the history goes and whether more can follow.
  absl::Status LookAgain();
  absl::Status AwaitReconnect();
  void Print(const std::string& line);
  void PrintWaiting();
  void PrintApprovalHint();
  bool finished() const { return HasEnded(phase_) && last_ >= head_; }

  Session& session_;
  const std::string id_;
  const Style style_;
  uint64_t last_ = 0;  // sequence of the last event printed
  uint64_t head_ = 0;  // sequence of the incident's last event when it was looked at
  v1::Phase phase_ = v1::PHASE_UNSPECIFIED;
  v1::GetIncidentResponse seen_;
  bool progress_shown_ = false;
  std::string last_progress_;
  std::optional<absl::Duration> last_progress_at_;
};

void Watch::Print(const std::string& line) {
  if (progress_shown_) session_.io().out << kEraseLine;
  progress_shown_ = false;
  session_.io().out << line << "\n" << std::flush;
}

absl::Status Watch::LookAgain() {
  OMNIX_ASSIGN_OR_RETURN(seen_, session_.client().GetIncident(id_));
  head_ = seen_.incident().sequence();
  phase_ = seen_.incident().phase();
  return absl::OkStatus();
}

void Watch::PrintWaiting() {
  for (const auto& waiting : seen_.waiting()) {
    std::string line = fmt::format("waits for {} since {}", PrintableLine(waiting.what()), TimeWord(waiting.since()));
    if (!waiting.hint().empty()) line += fmt::format(" -> {}", PrintableLine(waiting.hint()));
    Print(style_.Yellow(line));
  }
}

void Watch::PrintApprovalHint() {
  Print(style_.Yellow(fmt::format("waits for your approval -> {}", session_.CommandLine("incident approve " + id_))));
}

absl::Status Watch::OnEvent(const v1::WatchIncidentResponse& update) {
  const v1::Event& event = update.event();
  if (event.sequence() <= last_) return absl::OkStatus();
  const bool live = event.sequence() > head_;
  last_ = event.sequence();
  Print(fmt::format("{}  {}", style_.Dim(TimeWord(event.time())), PrintableLine(update.text())));
  const bool asks = event.has_approval_requested();
  if (live && asks) PrintApprovalHint();
  const bool may_be_the_end =
      event.has_incident_resolved() || event.has_incident_escalated() || event.has_incident_cancelled();
  if (live && may_be_the_end) return LookAgain();
  if (last_ == head_ && !HasEnded(phase_)) PrintWaiting();
  return absl::OkStatus();
}

void Watch::OnProgress(const v1::Progress& progress) {
  CliIo& io = session_.io();
  std::string text = fmt::format("{}: {}", progress.lease().task_id(), progress.text());
  if (progress.percent() > 0) text += fmt::format(" ({} %)", progress.percent());
  text = PrintableLine(text);
  if (io.out_is_terminal) {
    io.out << kEraseLine << style_.Dim(Fit("... " + text, std::max(0, io.width - 1))) << std::flush;
    progress_shown_ = true;
    return;
  }
  const absl::Duration now = io.clock.Monotonic();
  if (text == last_progress_ || (last_progress_at_ && now - *last_progress_at_ < kPipedProgressInterval)) return;
  last_progress_ = text;
  last_progress_at_ = now;
  Print("... " + text);
}

absl::Status Watch::Follow() {
  grpc::ClientContext context;
  v1::WatchIncidentRequest request;
  request.set_incident_id(id_);
  request.set_after_sequence(last_);
  const auto stream = session_.client().stub().WatchIncident(&context, request);
  v1::WatchIncidentResponse update;
  absl::Status status;
  while (status.ok() && !finished() && stream->Read(&update)) {
    if (update.has_event()) {
      status = OnEvent(update);
    } else if (update.has_progress()) {
      OnProgress(update.progress());
    }
  }
  if (!status.ok() || finished()) {
    context.TryCancel();
    stream->Finish().ok();
    return status;
  }
  const grpc::Status end = stream->Finish();
  return end.ok() ? absl::OkStatus() : session_.client().ToError(end);
}

// An orchestrator that restarts refuses connections for a moment; one that stops may still answer and end each stream
// at once.
absl::Status Watch::AwaitReconnect() {
  Print(style_.Yellow("connection lost; waiting for the orchestrator at " + session_.client().target()));
  std::this_thread::sleep_for(absl::ToChronoMilliseconds(kReopenPause));
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoNanoseconds(kMaxAway);
  if (session_.client().channel().WaitForConnected(deadline)) return absl::OkStatus();
  return Unavailable("the orchestrator at {} did not come back within {}; go on later with {}",
                     session_.client().target(), omnix::FormatDuration(kMaxAway),
                     session_.CommandLine("incident watch " + id_));
}

bool IsTransient(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kAborted ||
         status.code() == absl::StatusCode::kResourceExhausted || status.code() == absl::StatusCode::kDeadlineExceeded;
}

absl::StatusOr<ExitCode> Watch::Run() {
  OMNIX_RETURN_IF_ERROR(LookAgain());
  while (!finished()) {
    absl::Status status = Follow();
    if (status.ok() && !finished()) {
      // The server ended the stream: either the incident has ended, or the server is stopping.
      const uint64_t before = last_;
      status = LookAgain();
      if (status.ok() && HasEnded(phase_) && head_ <= before) break;
      if (status.ok()) std::this_thread::sleep_for(absl::ToChronoMilliseconds(kReopenPause));
    }
    if (status.ok()) continue;
    if (!IsTransient(status)) return status;
    OMNIX_RETURN_IF_ERROR(AwaitReconnect());
    // What happened in between is no history: an approval that is asked for now must be seen.
    if (const absl::Status again = LookAgain(); !again.ok() && !IsTransient(again)) return again;
  }
  Print(fmt::format("{} {}", PrintableLine(id_), PhaseWord(phase_)));
  return phase_ == v1::PHASE_RESOLVED ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

void AddIncidentWatch(CLI::App& incident, Session& session) {
  auto reference = std::make_shared<std::string>();
  CLI::App* command = incident.add_subcommand(
      "watch", "Events as they come, until the incident ends (exit code 0 resolved, 1 escalated or cancelled)");
  AddIncidentArgument(*command, *reference);
  command->callback([&session, reference] {
    session.Do([&session, reference]() -> absl::StatusOr<ExitCode> {
      OMNIX_ASSIGN_OR_RETURN(const std::string id, session.client().ResolveIncident(*reference));
      return Watch(session, id).Run();
    });
  });
}

}  // namespace omnix

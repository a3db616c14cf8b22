#include "orchestrator/engine/silence_desk.h"

#include <spdlog/spdlog.h>

#include <future>

#include "common/status.h"
#include "common/thread_name.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr std::chrono::seconds kLookEvery(1);
constexpr size_t kReleasedAtATime = 500;
constexpr int kShownHeld = 100;

}  // namespace

std::map<std::string, std::set<std::string>> DependentsOf(const v1::SystemModel& system) {
  std::map<std::string, std::set<std::string>> dependents;
  for (const auto& service : system.services()) dependents[service.name()];
  bool grew = true;
  while (grew) {
    grew = false;
    for (const auto& service : system.services()) {
      for (const auto& needed : service.depends_on()) {
        auto& found = dependents[needed];
        const size_t before = found.size();
        found.insert(service.name());
        const auto further = dependents[service.name()];
        found.insert(further.begin(), further.end());
        grew |= found.size() != before;
      }
    }
  }
  return dependents;
}

SilenceDesk::SilenceDesk(SilenceDeskParts parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<SilenceDesk>> SilenceDesk::Create(SilenceDeskParts parts) {
  std::unique_ptr<SilenceDesk> desk(new SilenceDesk(std::move(parts)));
  OMNIX_RETURN_IF_ERROR(desk->parts_.log->Read([&desk](const v1::SilenceEvent& event) { desk->state_.Evolve(event); }));
  return desk;
}

SilenceDesk::~SilenceDesk() { Stop(); }

void SilenceDesk::Start() {
  thread_ = std::thread([this] { Run(); });
}

void SilenceDesk::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_one();
  if (thread_.joinable()) thread_.join();
}

absl::Status SilenceDesk::Record(const std::vector<v1::SilenceEvent>& events) {
  if (events.empty()) return absl::OkStatus();
  OMNIX_RETURN_IF_ERROR(parts_.log->Append(events));
  for (const auto& event : events) state_.Evolve(event);
  return absl::OkStatus();
}

// Alerts of one body may have the same fingerprint: each is decided upon what the one before left.
absl::Status SilenceDesk::Decide(std::vector<v1::Alert>& alerts, std::vector<DeskResult>& results,
                                 std::vector<size_t>& passed) {
  const absl::Time now = parts_.clock->Now();
  std::vector<v1::SilenceEvent> events;
  std::set<std::string> changed;
  for (size_t i = 0; i < alerts.size(); ++i) {
    if (changed.contains(alerts[i].fingerprint())) {
      OMNIX_RETURN_IF_ERROR(Record(events));
      events.clear();
      changed.clear();
    }
    SilenceVerdict verdict = DecideAlert(state_, alerts[i], now);
    if (!verdict.events.empty()) changed.insert(alerts[i].fingerprint());
    for (auto& event : verdict.events) events.push_back(std::move(event));
    if (verdict.repeat) ++repeats_[verdict.silence_id];
    results[i].duplicate = verdict.repeat;
    results[i].silenced_by = verdict.silence_id;
    if (verdict.silence_id.empty()) passed.push_back(i);
  }
  return Record(events);
}

void SilenceDesk::IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<DeskResult>> done) {
  std::vector<DeskResult> results(alerts.size());
  std::vector<size_t> passed;
  std::unique_lock lock(mutex_);
  if (const absl::Status decided = Decide(alerts, results, passed); !decided.ok()) {
    lock.unlock();
    return done(decided);
  }
  if (passed.empty() && !alerts.empty()) {
    lock.unlock();
    return done(std::move(results));
  }
  std::vector<v1::Alert> rest;
  if (passed.size() == alerts.size()) {
    rest = std::move(alerts);
  } else {
    for (const size_t i : passed) rest.push_back(std::move(alerts[i]));
  }
  // Under the lock: the engine gets an alert's firing and end in the order in which they were decided here.
  parts_.port->IngestAlerts(std::move(rest), [results = std::move(results), passed, done = std::move(done)](
                                                 absl::StatusOr<std::vector<IngestedAlert>> kept) mutable {
    if (!kept.ok()) return done(kept.status());
    for (size_t i = 0; i < passed.size() && i < kept->size(); ++i)
      static_cast<IngestedAlert&>(results[passed[i]]) = std::move((*kept)[i]);
    done(std::move(results));
  });
}

v1::SilenceView SilenceDesk::View(const v1::Silence& silence) const {
  v1::SilenceView view;
  *view.mutable_silence() = silence;
  const auto repeats = repeats_.find(silence.id());
  if (repeats != repeats_.end()) view.mutable_silence()->set_suppressed(silence.suppressed() + repeats->second);
  view.set_status(StatusOf(silence, parts_.clock->Now()));
  view.set_held(state_.CountHeld(silence.id()));
  return view;
}

absl::StatusOr<v1::SilenceView> SilenceDesk::Add(const v1::AddSilenceRequest& request) {
  std::set<std::string> services;
  if (!request.service().empty()) {
    const auto found = parts_.dependents.find(request.service());
    if (found == parts_.dependents.end()) return NotFound("service: the system model has none of this name");
    if (request.with_dependents()) services = found->second;
    services.insert(request.service());
  } else if (request.with_dependents()) {
    return InvalidArgument("with_dependents: needs a service");
  }
  const std::lock_guard lock(mutex_);
  OMNIX_ASSIGN_OR_RETURN(const v1::SilenceEvent event, DecideAdd(state_, request, services, parts_.clock->Now()));
  OMNIX_RETURN_IF_ERROR(Record({event}));
  return View(*state_.Find(event.silence_id()));
}

absl::StatusOr<v1::SilenceView> SilenceDesk::Expire(const v1::ExpireSilenceRequest& request) {
  {
    const std::lock_guard lock(mutex_);
    OMNIX_ASSIGN_OR_RETURN(const v1::SilenceEvent event, DecideExpire(state_, request, parts_.clock->Now()));
    OMNIX_RETURN_IF_ERROR(Record({event}));
  }
  wakes_.notify_one();
  return Get([&request] {
    v1::GetSilenceRequest get;
    get.set_id(request.id());
    return get;
  }());
}

absl::StatusOr<v1::SilenceView> SilenceDesk::Get(const v1::GetSilenceRequest& request) const {
  const std::lock_guard lock(mutex_);
  const v1::Silence* silence = state_.Find(request.id());
  if (silence == nullptr) return NotFound("there is no such silence; see omnix silence list --all");
  v1::SilenceView view = View(*silence);
  for (const auto& [fingerprint, held] : state_.held()) {
    if (held.silence_id != request.id()) continue;
    if (view.held_alerts_size() == kShownHeld) break;
    *view.add_held_alerts() = held.alert;
  }
  return view;
}

std::vector<v1::Alert> SilenceDesk::Held() const {
  const std::lock_guard lock(mutex_);
  std::vector<v1::Alert> alerts;
  for (const auto& [fingerprint, held] : state_.held()) alerts.push_back(held.alert);
  return alerts;
}

v1::ListSilencesResponse SilenceDesk::List(const v1::ListSilencesRequest& request) const {
  const std::lock_guard lock(mutex_);
  v1::ListSilencesResponse response;
  for (const v1::Silence* silence : state_.All()) {
    if (!request.all() && StatusOf(*silence, parts_.clock->Now()) == v1::SILENCE_STATUS_ENDED) continue;
    *response.add_silences() = View(*silence);
  }
  return response;
}

void SilenceDesk::AddTo(v1::GetStatusResponse* status) const {
  v1::SilenceTotals& totals = *status->mutable_silences();
  const v1::ListSilencesResponse open = List(v1::ListSilencesRequest());
  for (const v1::SilenceView& view : open.silences()) {
    if (view.status() != v1::SILENCE_STATUS_ACTIVE) continue;
    totals.set_count(totals.count() + 1);
    totals.set_suppressed(totals.suppressed() + view.silence().suppressed());
    totals.set_held(totals.held() + view.held());
  }
}

absl::Status SilenceDesk::RecordRepeats() {
  std::vector<v1::SilenceEvent> events;
  for (const auto& [silence_id, count] : repeats_) {
    v1::SilenceEvent event;
    *event.mutable_time() = ToProto(parts_.clock->Now());
    event.set_silence_id(silence_id);
    event.mutable_again()->set_count(count);
    events.push_back(std::move(event));
  }
  OMNIX_RETURN_IF_ERROR(Record(events));
  repeats_.clear();
  return absl::OkStatus();
}

// Durable with the engine first, then let go here: a crash between the two makes it a repeat.
void SilenceDesk::TakeUp(std::vector<v1::Alert> alerts) {
  const auto kept = std::make_shared<std::promise<absl::Status>>();
  {
    const std::lock_guard lock(mutex_);
    // It may have ended since the look.
    std::erase_if(alerts, [this](const auto& alert) { return !state_.held().contains(alert.fingerprint()); });
    parts_.port->IngestAlerts(alerts, [kept](const auto& results) { kept->set_value(results.status()); });
  }
  absl::Status status = kept->get_future().get();
  const std::lock_guard lock(mutex_);
  std::vector<v1::SilenceEvent> events;
  for (const auto& alert : alerts) {
    const auto held = state_.held().find(alert.fingerprint());
    if (held == state_.held().end()) continue;
    events.push_back(TakenUp(held->second.silence_id, alert.fingerprint(), parts_.clock->Now()));
  }
  if (status.ok()) status = Record(events);
  if (!status.ok())
    spdlog::warn("{} alerts of ended silences can't be taken up yet: {}", alerts.size(), Message(status));
}

void SilenceDesk::Look() {
  Released released;
  {
    const std::lock_guard lock(mutex_);
    released = DecideReleases(state_, parts_.clock->Now(), kReleasedAtATime);
    absl::Status recorded = Record(released.events);
    if (recorded.ok()) recorded = RecordRepeats();
    if (!recorded.ok()) spdlog::warn("the record of silences can't be written: {}", Message(recorded));
  }
  if (!released.take_up.empty()) TakeUp(std::move(released.take_up));
}

void SilenceDesk::Run() {
  NameThread("silences");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Look();
    lock.lock();
    if (!stopping_) wakes_.wait_for(lock, kLookEvery);
  }
  const absl::Status last = RecordRepeats();
  if (!last.ok()) spdlog::warn("the last repeats of suppressed alerts are not counted: {}", Message(last));
}

}  // namespace omnix

#include "tests/crash/load.h"

#include <grpcpp/channel.h>

#include <chrono>

#include "common/http_client.h"
#include "common/json.h"

namespace omnix::testing {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(40);
constexpr auto kCallTimeout = std::chrono::seconds(5);
constexpr auto kPollInterval = std::chrono::milliseconds(15);
constexpr int kRepeatedAlerts = 3;
constexpr int kLongNotes = 6;

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
}

std::string Title(const std::string& service) { return service + " fails"; }

}  // namespace

Load::Load(CrashWorld& world, LinkWitness& witness, size_t note_bytes)
    : world_(world), witness_(witness), note_bytes_(note_bytes) {
  watcher_ = std::thread([this] { Watch(); });
  running_ = static_cast<int>(kServices.size());
  for (const auto& service : kServices) {
    drivers_.emplace_back([this, service] {
      Drive(service);
      --running_;
    });
  }
}

Load::~Load() {
  for (auto& driver : drivers_) driver.join();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (watch_ != nullptr) watch_->TryCancel();
  }
  watcher_.join();
}

Ledger Load::TakeLedger() {
  const std::lock_guard lock(mutex_);
  return ledger_;
}

void Load::Record(const std::function<void(Ledger&)>& change) {
  const std::lock_guard lock(mutex_);
  change(ledger_);
}

std::shared_ptr<v1::Operator::Stub> Load::Api() {
  const std::lock_guard lock(mutex_);
  if (api_ == nullptr) api_ = v1::Operator::NewStub(NewChannel(world_.grpc_address()));
  return api_;
}

grpc::Status Load::Noted(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) api_.reset();
  return status;
}

bool Load::Repeat(const std::string& what, const std::function<bool()>& attempt) {
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(kDeadline);
  while (!attempt()) {
    if (std::chrono::steady_clock::now() > end) {
      Record([&](Ledger& ledger) { ledger.failures.push_back(what + ": not done in time"); });
      return false;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

grpc::Status Load::Command(v1::CommandIncidentRequest request) {
  grpc::ClientContext context;
  SetDeadline(context);
  request.set_by("test");
  v1::CommandIncidentResponse response;
  return Noted(Api()->CommandIncident(&context, request, &response));
}

bool Load::SendAlert(const std::string& service, const std::string& status, std::string* incident_id) {
  HttpRequest request;
  request.method = "POST";
  request.url = world_.http_url() + "/v1/alerts/omnix";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = DumpJson({{"title", Title(service)},
                           {"severity", "critical"},
                           {"status", status},
                           {"subject", service},
                           {"fingerprint", service}});
  return Repeat("alert of " + service, [&] {
    const std::string key = service + "/" + status;
    Record([&](Ledger& ledger) { ++ledger.alerts[key].sent; });
    const auto response = SendHttp(request);
    if (!response.ok() || response->status != 200) return false;
    const auto body = ParseJson(response->body);
    *incident_id = body.ok() ? body->at("alerts").at(0).value("incident_id", "") : "";
    Record([&](Ledger& ledger) {
      ++ledger.alerts[key].acknowledged;
      ledger.alerts[key].incident = *incident_id;
    });
    return true;
  });
}

bool Load::Open(const std::string& service, std::string* incident_id) {
  return Repeat("opening of " + service, [&] {
    // An earlier attempt may have been kept although it was not acknowledged: an operator looks before opening again.
    grpc::ClientContext list_context;
    SetDeadline(list_context);
    v1::ListIncidentsResponse listed;
    if (!Noted(Api()->ListIncidents(&list_context, {}, &listed)).ok()) return false;
    for (const auto& incident : listed.incidents()) {
      if (incident.title() == Title(service)) *incident_id = incident.id();
    }
    if (!incident_id->empty()) return true;
    grpc::ClientContext context;
    SetDeadline(context);
    v1::OpenIncidentRequest request;
    request.set_title(Title(service));
    request.set_subject(service);
    request.set_severity(v1::SEVERITY_ERROR);
    request.set_by("test");
    v1::OpenIncidentResponse response;
    if (!Noted(Api()->OpenIncident(&context, request, &response)).ok()) return false;
    *incident_id = response.incident_id();
    return true;
  });
}

bool Load::Note(const std::string& incident_id, const std::string& text) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident_id);
  request.mutable_note()->set_text(text);
  if (!Repeat("note", [&] { return Command(request).ok(); })) return false;
  Record([&](Ledger& ledger) { ledger.notes.emplace_back(incident_id, text); });
  return true;
}

bool Load::Cancel(const std::string& incident_id) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident_id);
  request.set_reason("a drill");
  request.mutable_cancel();
  const bool cancelled = Repeat("cancelling", [&] {
    const auto code = Command(request).error_code();
    // Kept by an attempt that was not acknowledged.
    return code == grpc::StatusCode::OK || code == grpc::StatusCode::FAILED_PRECONDITION;
  });
  if (cancelled) Record([&](Ledger& ledger) { ledger.cancelled.push_back(incident_id); });
  return cancelled;
}

void Load::Approve(const std::string& incident_id, const std::string& plan_hash) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident_id);
  request.mutable_approve()->set_plan_hash(plan_hash);
  if (!Command(request).ok()) return;
  Record([&](Ledger& ledger) { ledger.approvals.emplace_back(incident_id, plan_hash); });
}

void Load::Drive(const std::string& service) {
  std::string incident_id;
  const bool by_operator = service == "invalid" || service == "cancelled";
  if (by_operator ? !Open(service, &incident_id) : !SendAlert(service, "firing", &incident_id)) return;
  Record([&](Ledger& ledger) { ledger.incidents[service] = incident_id; });
  for (int i = 0; i < kRepeatedAlerts && !by_operator; ++i) {
    std::string joined;
    if (!SendAlert(service, "firing", &joined)) return;
    if (joined != incident_id) {
      Record([&](Ledger& ledger) { ledger.failures.push_back(service + ": a repeated alert went to " + joined); });
    }
  }
  if (!Note(incident_id, service + " is looked at")) return;
  if (service == "cancelled") {
    for (int i = 0; i < kLongNotes && note_bytes_ > 0; ++i) {
      if (!Note(incident_id, std::string(note_bytes_, static_cast<char>('a' + i)))) return;
    }
    Cancel(incident_id);
    return;
  }
  DriveToTheEnd(service, incident_id);
}

void Load::DriveToTheEnd(const std::string& service, const std::string& incident_id) {
  v1::Phase last = v1::PHASE_UNSPECIFIED;
  const bool ended = Repeat("the end of " + service, [&] {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::GetIncidentRequest request;
    request.set_incident_id(incident_id);
    v1::GetIncidentResponse response;
    if (!Noted(Api()->GetIncident(&context, request, &response)).ok()) return false;
    const v1::Incident& incident = response.incident();
    last = incident.phase();
    if (incident.phase() == v1::PHASE_RECOVERING) under_way_ = true;
    if (!incident.recoveries().empty()) {
      const auto& approval = incident.recoveries(incident.recoveries_size() - 1).approval();
      if (approval.state() == v1::APPROVAL_STATE_REQUESTED) Approve(incident_id, approval.plan_hash());
    }
    if (incident.phase() == v1::PHASE_DOCUMENTING) witness_.Release(incident_id);
    return incident.phase() == v1::PHASE_RESOLVED || incident.phase() == v1::PHASE_ESCALATED;
  });
  if (!ended) {
    Record([&](Ledger& ledger) { ledger.failures.push_back(service + " was last in " + v1::Phase_Name(last)); });
  }
}

void Load::Watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    grpc::ClientContext context;
    watch_ = &context;
    lock.unlock();
    const auto api = Api();
    const auto reader = api->WatchIncident(&context, v1::WatchIncidentRequest());
    v1::WatchIncidentResponse update;
    while (reader->Read(&update)) {
      if (!update.has_event()) continue;
      const std::string event = SerializeDeterministically(update.event());
      Record([&](Ledger& ledger) { ledger.shown[{update.event().incident_id(), update.event().sequence()}] = event; });
    }
    Noted(reader->Finish());
    std::this_thread::sleep_for(kPollInterval);
    lock.lock();
    watch_ = nullptr;
  }
}

}  // namespace omnix::testing

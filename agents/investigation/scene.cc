#include "agents/investigation/scene.h"

#include <algorithm>

#include "agents/checks/url.h"
#include "common/redact.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxSummaryBytes = 400;

}  // namespace

v1::Evidence MakeEvidence(const std::string& source, const std::string& component, const std::string& summary,
                          const std::string& excerpt, const v1::Location& location,
                          const std::map<std::string, std::string>& attributes) {
  v1::Evidence evidence;
  evidence.set_source(source);
  evidence.set_component(component);
  evidence.set_summary(summary);
  evidence.set_excerpt(excerpt);
  if (!location.file().empty()) *evidence.mutable_location() = location;
  for (const auto& [key, value] : attributes) (*evidence.mutable_attributes())[key] = value;
  return evidence;
}

std::string EvidenceBook::Add(v1::Evidence evidence) {
  evidence.set_summary(Excerpt(evidence.summary(), kMaxSummaryBytes));
  evidence.set_excerpt(Excerpt(evidence.excerpt()));
  for (auto& [key, value] : *evidence.mutable_attributes()) value = Excerpt(value, kMaxSummaryBytes);
  *evidence.mutable_observed_at() = ToProto(absl::Now());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    evidence.set_id("e" + std::to_string(evidence_.size() + 1));
    evidence_.push_back(evidence);
  }
  case_.report(evidence);
  return evidence.id();
}

std::string Change::Title() const {
  return IsCommitted() ? fmt::format("\"{}\"", commit.subject) : "an edit that is not committed";
}

std::string Change::Name() const {
  constexpr size_t kShownHash = 10;
  return IsCommitted() ? fmt::format("{} ({})", Title(), commit.hash.substr(0, kShownHash)) : Title();
}

const v1::Service* Scene::FindService(const std::string& name) const {
  for (const v1::Service& service : input.system.services()) {
    if (service.name() == name) return &service;
  }
  return nullptr;
}

const v1::Service* Scene::ServiceAt(const std::string& url_or_address) const {
  const std::string wanted = AddressOf(url_or_address);
  if (wanted.empty()) return nullptr;
  for (const v1::Service& service : input.system.services()) {
    if (!service.base_url().empty() && AddressOf(service.base_url()) == wanted) return &service;
    for (const std::string& listen : service.listen()) {
      if (AddressOf(listen) == wanted) return &service;
    }
    for (const v1::Instance& instance : service.instances()) {
      if (AddressOf(instance.base_url()) == wanted) return &service;
    }
  }
  return nullptr;
}

const NginxFacts* Scene::NginxOf(const v1::Service* service) const {
  for (const NginxFacts& known : nginx) {
    if (known.service == service && known.config && !NginxServers(*known.config).empty()) return &known;
  }
  return nullptr;
}

std::vector<const Change*> Scene::ChangesOf(const std::string& file) const {
  std::vector<const Change*> found;
  for (const Change& change : changes) {
    if (change.file == file) found.push_back(&change);
  }
  return found;
}

bool Scene::IsRecent(const Change& change) const { return IsRecent(change.commit.time); }

bool Scene::IsRecent(absl::Time changed) const {
  constexpr absl::Duration kRecent = absl::Hours(48);
  return input.started_at - changed < kRecent;
}

const Change* Scene::RecentChangeOf(const std::string& file) const {
  for (const Change* change : ChangesOf(file)) {
    if (IsRecent(*change)) return change;
  }
  return nullptr;
}

std::string Scene::AddSymptom(const std::string& component, const std::string& check, const std::string& summary,
                              const std::string& evidence) {
  const std::lock_guard lock(symptoms_mutex_);
  v1::Symptom symptom;
  symptom.set_id("s" + std::to_string(symptoms.size() + 1));
  symptom.set_component(component);
  symptom.set_check(check);
  symptom.set_summary(summary);
  if (!evidence.empty()) symptom.add_evidence_ids(evidence);
  symptoms.push_back(symptom);
  return symptom.id();
}

std::string PathOf(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  const std::string path = slash == std::string::npos ? "/" : url.substr(slash);
  return path.substr(0, path.find_first_of("?#"));
}

std::string AddressOf(const std::string& url_or_address) {
  std::string host, port;
  if (url_or_address.find("://") != std::string::npos) {
    const auto url = ParseUrl(url_or_address);
    if (!url.ok()) return "";
    host = url->host;
    port = url->port;
  } else {
    const auto address = ParseHostPort(url_or_address);
    if (!address.ok()) return "";
    host = ConnectableAddress(*address).host;
    port = address->port;
  }
  if (host == "localhost" || host == "::1") host = "127.0.0.1";
  return host + ":" + port;
}

}  // namespace omnix

// dependency.wrong_address: the service's own configuration names a place where what it needs is not, while what it
// needs listens where the model says. A service whose files name the right place as well is not accused: the other
// value may be unused.
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "agents/checks/socket.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/config_addresses.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/process_table.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(1);
constexpr double kNobodyAndLogged = 0.94;
constexpr double kNobody = 0.88;
constexpr double kElsewhereAndLogged = 0.85;
constexpr double kElsewhere = 0.6;

std::string PortOf(const std::string& address) { return address.substr(address.rfind(':') + 1); }
std::string HostOf(const std::string& address) { return address.substr(0, address.rfind(':')); }

bool Contains(const std::string& text, const std::string& part) {
  return part.size() > 1 && absl::AsciiStrToLower(text).find(absl::AsciiStrToLower(part)) != std::string::npos;
}

// "tariff" of "tariff.port" is meant for a service named "tariffd" or "tariff-api".
bool SharesWord(const std::string& key, const std::string& name) {
  constexpr size_t kLeast = 4;
  const std::string wanted = absl::AsciiStrToLower(name), lower = absl::AsciiStrToLower(key);
  for (size_t at = 0; at < lower.size();) {
    size_t end = at;
    while (end < lower.size() && absl::ascii_isalnum(static_cast<unsigned char>(lower[end]))) ++end;
    if (end - at >= kLeast && wanted.starts_with(lower.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

// How well a named address fits to be meant for `needed`; 0: not at all.
int Fitness(const NamedAddress& named, const v1::Service& needed, const std::string& address) {
  int fitness = 0;
  const std::string& kind = needed.database().kind();
  const bool redis = named.scheme.starts_with("redis");
  const bool sql = named.scheme.starts_with("postgres");
  const bool http = named.scheme.starts_with("http");
  if ((redis && kind == "redis") || (sql && kind == "postgresql")) fitness += 4;
  if ((redis && kind != "redis") || (sql && kind != "postgresql") || (http && !kind.empty())) return 0;
  for (const std::string& word : {needed.name(), needed.kind(), kind}) {
    if (Contains(named.value->key, word)) fitness += 3;
  }
  if (!Contains(named.value->key, needed.name()) && SharesWord(named.value->key, needed.name())) fitness += 3;
  static const RE2 kDatabaseKey(R"((?i)(^|[._\-])(db|database|pg|postgres|sql)([._\-]|$|url|host))");
  static const RE2 kCacheKey(R"((?i)(redis|cache))");
  if (kind == "postgresql" && RE2::PartialMatch(named.value->key, kDatabaseKey)) fitness += 3;
  if (kind == "redis" && RE2::PartialMatch(named.value->key, kCacheKey)) fitness += 3;
  if (PortOf(named.address) == PortOf(address)) fitness += 1;
  if (HostOf(named.address) == HostOf(address)) fitness += 1;
  return fitness;
}

// The line of the service's log that names the address, or its port beside a refusal.
std::string LoggedLine(Scene* scene, const v1::Service& service, const NamedAddress& named) {
  static const RE2 kFailed(
      R"((?i)(refused|ECONNREFUSED|timed? ?out|ETIMEDOUT|unreachable|ENOTFOUND|EAI_AGAIN|no such host|not known|could not connect|failed to connect|cannot connect|connection (error|failed)))");
  const std::string host = HostOf(named.written), port = PortOf(named.address);
  for (const ServiceLogFacts* log : LogsOf(*scene, service)) {
    for (auto line = log->lines.rbegin(); line != log->lines.rend(); ++line) {
      const bool names = line->find(named.address) != std::string::npos ||
                         line->find(named.written) != std::string::npos ||
                         (Contains(*line, host) && Contains(*line, port)) || Contains(*line, "port " + port);
      if (names && RE2::PartialMatch(*line, kFailed)) return AddLogEvidence(scene, *log, *line);
    }
  }
  return "";
}

v1::Action Correct(const NamedAddress& named, const std::string& address) {
  const ConfigFacts& file = *named.file;
  const std::string host = HostOf(address), port = PortOf(address);
  if (named.port_value != nullptr && HostOf(named.address) == host) return SetValue(file, *named.port_value, port);
  if (named.port_value != nullptr && PortOf(named.address) == port) return SetValue(file, *named.value, host);
  if (named.port_value != nullptr) return {};
  const bool editable = !file.file->has_editable() || file.file->editable();
  if (!editable) return {};
  const bool has_port = named.written.find(':') != std::string::npos;
  if (!has_port && named.scheme.empty()) return {};
  const std::string old = has_port && HostOf(named.address) == host ? ":" + PortOf(named.written) : named.written;
  const std::string text = has_port && HostOf(named.address) == host ? ":" + port : address;
  return ReplaceText(file.service->name(), file.file->path(), named.value->location.line(), old, text,
                     fmt::format("Name {} in place of {} ({})", address, named.address, named.value->key));
}

struct Suspect {
  NamedAddress named;
  int fitness = 0;
};

// What the service's files name for `needed`, wrongly; nothing where they name it rightly.
std::optional<Suspect> FindSuspect(const Scene& scene, const v1::Service& service, const v1::Service& needed,
                                   const std::vector<NamedAddress>& named) {
  const std::vector<std::string> right = AddressesOf(needed), own = AddressesOf(service);
  std::optional<Suspect> best;
  for (const NamedAddress& one : named) {
    const bool is_right = std::any_of(right.begin(), right.end(), [&](const std::string& address) {
      // A name may stand for the same machine.
      const bool name = !one.address.empty() && absl::ascii_isalpha(static_cast<unsigned char>(one.address[0]));
      return address == one.address || (name && PortOf(address) == PortOf(one.address));
    });
    if (is_right) return std::nullopt;
    if (std::find(own.begin(), own.end(), one.address) != own.end()) continue;
    const v1::Service* at = scene.ServiceAt(one.address);
    const auto& needs = service.depends_on();
    if (at != nullptr && std::find(needs.begin(), needs.end(), at->name()) != needs.end()) {
      // Another that it needs too: meant for that one, unless the key says otherwise.
      if (!Contains(one.value->key, needed.name())) continue;
    }
    const int fitness = Fitness(one, needed, right[0]);
    if (fitness >= 3 && (!best || fitness > best->fitness)) best = Suspect{one, fitness};
  }
  return best;
}

void Conclude(Scene* scene, const v1::Service& service, const v1::Service& needed, const NamedAddress& named,
              const std::multimap<int, Listener>& listeners, std::vector<Candidate>* candidates) {
  const std::string right = AddressesOf(needed)[0];
  v1::Hypothesis h;
  const std::string logged = LoggedLine(scene, service, named);
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  if (h.symptom_ids_size() == 0 && logged.empty()) return;
  const bool local = HostOf(named.address).starts_with("127.");
  const bool nobody = local && !listeners.contains(std::atoi(PortOf(named.address).c_str()));
  const bool needed_is_up = TryConnect(right, kConnectTimeout).ok();
  h.set_kind("dependency.wrong_address");
  h.set_component(service.name());
  *h.mutable_location() =
      (named.port_value != nullptr && HostOf(named.address) == HostOf(right) ? named.port_value : named.value)
          ->location;
  h.set_title(
      fmt::format("{} looks for {} at {}; it listens at {}", service.name(), needed.name(), named.address, right));
  h.set_explanation(fmt::format("{} of {} names {}, where {}. {} is at {} and takes connections there.",
                                named.value->key, named.file->file->path(), named.address,
                                nobody ? "nobody listens" : "the model knows no such service", needed.name(), right));
  if (!logged.empty()) h.add_evidence_for(logged);
  v1::Location place = h.location();
  const std::string evidence =
      scene->book.Add(MakeEvidence("config", service.name(),
                                   fmt::format("{} names {} ({})", named.value->key, named.address,
                                               nobody ? "nobody listens there" : "another place than declared"),
                                   "", place));
  const std::string up = scene->book.Add(
      MakeEvidence("tcp", needed.name(),
                   fmt::format("{} {} at {}", needed.name(), needed_is_up ? "listens" : "does not listen", right)));
  h.add_evidence_for(evidence);
  (needed_is_up ? h.add_evidence_for(up) : h.add_evidence_against(up));
  v1::Counterfactual* test = h.add_tests();
  test->set_description(fmt::format("{} is reachable at {}, not at {}", needed.name(), right, named.address));
  test->set_agrees(needed_is_up && (nobody || !logged.empty()));
  test->add_evidence_ids(evidence);
  test->add_evidence_ids(up);
  const ValueChange change =
      ChangeOf(*scene, *named.file, named.port_value != nullptr ? *named.port_value : *named.value);
  if (change.change != nullptr) h.add_evidence_for(change.change->evidence);
  if (v1::Action action = Correct(named, right); !action.kind().empty())
    *h.add_remedies() =
        MakeRemedy("address", fmt::format("Name {} at {}", needed.name(), right), "configuration", {action});
  if (change.change != nullptr && change.change->IsRevertible())
    *h.add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change.change->Title()), "configuration",
                                   {GitRevert(service.name(), *change.change)});
  const double sure = nobody           ? (logged.empty() ? kNobody : kNobodyAndLogged)
                      : logged.empty() ? kElsewhere
                                       : kElsewhereAndLogged;
  h.set_confidence(needed_is_up ? sure : sure / 2);
  h.set_status(needed_is_up ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeWrongAddress(Scene* scene, std::vector<Candidate>* candidates) {
  const std::multimap<int, Listener> listeners = ReadListeners();
  for (const v1::Service& service : scene->input.system.services()) {
    const std::vector<NamedAddress> named = AddressesIn(*scene, service);
    if (named.empty()) continue;
    for (const std::string& name : service.depends_on()) {
      const v1::Service* needed = scene->FindService(name);
      if (needed == nullptr || AddressesOf(*needed).empty()) continue;
      const auto suspect = FindSuspect(*scene, service, *needed, named);
      if (suspect) Conclude(scene, service, *needed, suspect->named, listeners, candidates);
    }
  }
}

}  // namespace omnix

// tls.certificate_expired and tls.certificate_invalid, at the service that shows the certificate: expired, not yet
// valid, of another name, or not trusted. That we don't trust a certificate says little by itself (a company's own
// authority): it counts where somebody complains or it is new. A file that holds a better one than is shown was not
// loaded.
#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "agents/checks/certificate.h"
#include "agents/checks/check.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/config_addresses.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/symptoms_of.h"
#include "agents/sources/nginx_scopes.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kCertain = 0.92;
constexpr double kUntrustedAndHeard = 0.85;
// Those who complain may trust the wrong authority themselves.
constexpr double kUntrustedLong = 0.7;
constexpr double kUntrusted = 0.4;
constexpr size_t kMaxAsked = 4;
constexpr absl::Duration kAskTimeout = absl::Seconds(5);
constexpr absl::Duration kNew = absl::Hours(24 * 7);

// The nginx directive behind which the certificate of this address stands; null: none.
const NginxDirective* DirectiveAt(const NginxConfig& config, const std::string& address) {
  const std::string port = address.substr(address.rfind(':') + 1);
  for (const NginxDirective* server : NginxServers(config)) {
    for (const NginxDirective* listen : server->Find("listen")) {
      const std::string where = listen->Argument(1);
      if (where == port || where.ends_with(":" + port)) return DirectiveInEffect(config, server, "ssl_certificate");
    }
  }
  return nullptr;
}

class TlsJudge {
 public:
  TlsJudge(Scene* scene, const v1::Symptom& symptom, const v1::CheckResult& result)
      : scene_(*scene), symptom_(symptom), result_(result), service_(scene->FindService(result.service())) {}

  void Judge(std::vector<Candidate>* candidates) {
    absl::Time begin, end;
    if (service_ == nullptr || !At("not_before", &begin) || !At("not_after", &end)) return;
    v1::Hypothesis h;
    h.set_component(service_->name());
    h.add_symptom_ids(symptom_.id());
    for (const std::string& id : symptom_.evidence_ids()) h.add_evidence_for(id);
    Hear(&h);
    const std::string where = AttributeOf(result_, "address");
    const bool wrong_name = AttributeOf(result_, "fits_name") == "false";
    const bool dated = end < scene_.input.now || begin > scene_.input.now;
    h.set_kind(end < scene_.input.now ? "tls.certificate_expired" : "tls.certificate_invalid");
    const std::string what = end < scene_.input.now     ? "expired on " + omnix::FormatTime(end)
                             : begin > scene_.input.now ? "is not valid before " + omnix::FormatTime(begin)
                             : wrong_name               ? "is for " + NamesShown() + ", not for the name it is asked by"
                             : AttributeOf(result_, "self_signed") == "true" ? "is signed by itself, and not trusted"
                             : AttributeOf(result_, "sent") == "1"
                                 ? "is sent without the one that signed it, and not trusted"
                                 : "is not trusted: " + result_.observed();
    h.set_title(fmt::format("The certificate of {} at {} {}", service_->name(), where, what));
    const bool fresh = begin > scene_.input.started_at - kNew;
    const bool certain = dated || wrong_name;
    h.set_confidence(certain           ? kCertain
                     : heard_ && fresh ? kUntrustedAndHeard
                     : heard_ || fresh ? kUntrustedLong
                                       : kUntrusted);
    h.set_status(certain ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
    h.set_explanation(fmt::format("{}. Issued by {}.{}", h.title(), AttributeOf(result_, "issuer"),
                                  heard_ ? " Others complain of it in their logs." : ""));
    Place(where, begin, end, &h);
    candidates->push_back({std::move(h), {}});
  }

 private:
  bool At(const std::string& name, absl::Time* time) const {
    const auto read = ParseTime(AttributeOf(result_, name));
    if (read.ok()) *time = *read;
    return read.ok();
  }

  std::string NamesShown() const {
    const std::string names = AttributeOf(result_, "names");
    return names.empty() ? "no name" : names;
  }

  // Those that need the service and complain of a certificate, or whose requests to it fail for one.
  void Hear(v1::Hypothesis* h) {
    for (const v1::Service& other : scene_.input.system.services()) {
      if (!Needs(scene_.input.system, other.name(), service_->name())) continue;
      for (const LogSign* sign : SignsOf(scene_, other)) {
        if (!sign->shape->kind.starts_with("tls.")) continue;
        h->add_evidence_for(sign->evidence);
        heard_ = true;
      }
    }
    std::set<std::string> ids;
    if (heard_) {
      for (const std::string& id : SymptomsBehind(scene_, *service_)) ids.insert(id);
    }
    for (const v1::Symptom& other : scene_.symptoms) {
      const std::string text = absl::AsciiStrToLower(other.summary());
      const bool speaks = text.find("certificate") != std::string::npos || text.find("ssl") != std::string::npos;
      if (other.id() == symptom_.id() || other.component() != service_->name() || !speaks) continue;
      ids.insert(other.id());
      heard_ = true;
    }
    ids.erase(symptom_.id());
    for (const std::string& id : ids) h->add_symptom_ids(id);
  }

  // The file that nginx has it from, and whether that holds a better one already.
  void Place(const std::string& address, absl::Time begin, absl::Time end, v1::Hypothesis* h) {
    const NginxFacts* nginx = scene_.NginxOf(service_);
    const NginxDirective* directive = nginx == nullptr ? nullptr : DirectiveAt(*nginx->config, address);
    if (directive == nullptr) return;
    *h->mutable_location() = directive->words[0].location;
    const auto on_disk = ReadCertificateFile(directive->Argument(1));
    const bool other = on_disk.ok() && on_disk->fingerprint != AttributeOf(result_, "fingerprint");
    const absl::Time now = scene_.input.now;
    const bool better = other && (end < now || begin > now) && on_disk->not_after > now && on_disk->not_before <= now;
    if (better) {
      const std::string told = fmt::format("{} holds one that is valid until {}: it was not loaded",
                                           directive->Argument(1), omnix::FormatTime(on_disk->not_after));
      h->add_evidence_for(scene_.book.Add(MakeEvidence("certificate", service_->name(), told, "", h->location())));
      h->set_explanation(h->explanation() + " " + told + ".");
      for (const char* command : {"reload", "restart"}) {
        if (!service_->commands().contains(command)) continue;
        *h->add_remedies() = MakeRemedy(command, fmt::format("Run {}.{}", service_->name(), command), "process",
                                        {RunCommand(*service_, command)});
        break;
      }
      return;
    }
    AddRevert(scene_, *service_, h);
  }

  Scene& scene_;
  const v1::Symptom& symptom_;
  const v1::CheckResult& result_;
  const v1::Service* service_;
  bool heard_ = false;
};

bool HasTlsSymptom(const Scene& scene, const std::string& address) {
  return std::any_of(scene.symptom_results.begin(), scene.symptom_results.end(), [&](const auto& entry) {
    return entry.second.kind() == "tls" && AttributeOf(entry.second, "address") == address;
  });
}

// Where this service speaks TLS to declared services: "host:port" as its configuration has it.
std::set<std::string> TlsTargets(const Scene& scene, const v1::Service& service) {
  constexpr std::string_view kHttps = "https://";
  std::set<std::string> targets;
  for (const NamedAddress& named : AddressesIn(scene, service)) {
    if (named.scheme == "https" || named.scheme == "wss" || named.scheme == "rediss") targets.insert(named.address);
  }
  if (const NginxFacts* nginx = scene.NginxOf(&service)) {
    FindDirective(*nginx->config, [&](const NginxDirective& directive) {
      const std::string& target = directive.name() == "proxy_pass" ? directive.Argument(1) : "";
      if (target.starts_with(kHttps)) targets.insert(AddressOf(target));
      return false;
    });
  }
  for (const std::string& name : service.depends_on()) {
    const v1::Service* needed = scene.FindService(name);
    if (needed != nullptr && needed->base_url().starts_with(kHttps)) targets.insert(AddressOf(needed->base_url()));
  }
  std::erase_if(targets, [&](const std::string& target) { return scene.ServiceAt(target) == nullptr; });
  return targets;
}

// Whose log complains of a certificate is not at fault: the certificates of those that it calls are looked at, also
// where the model does not ask for it. A bad one is a symptom.
void LookBehindComplaints(Scene* scene) {
  std::set<std::string> asked;
  for (const LogSign* sign : scene->facts.All<LogSign>()) {
    if (!sign->shape->kind.starts_with("tls.")) continue;
    for (const std::string& target : TlsTargets(*scene, *sign->service)) {
      if (HasTlsSymptom(*scene, target) || asked.size() >= kMaxAsked || !asked.insert(target).second) continue;
      v1::Suite suite;
      v1::Check* check = suite.add_steps();
      check->set_name("certificate of " + target);
      check->set_kind("tls");
      check->set_service(scene->ServiceAt(target)->name());
      (*check->mutable_with()->mutable_fields())["address"].set_string_value(target);
      CheckContext context{.system = scene->input.system,
                           .variables = {},
                           .timeout = kAskTimeout,
                           .cancelled = scene->input.cancelled,
                           .http = &scene->http};
      const v1::Verdict verdict = RunSuite(suite, context);
      for (const v1::CheckResult& result : verdict.results()) {
        if (result.status() != v1::CHECK_STATUS_FAILED) continue;
        const std::string evidence =
            scene->book.Add(MakeEvidence("check", result.service(), result.summary(), result.excerpt()));
        scene->symptom_results[scene->AddSymptom(result.service(), result.name(), result.summary(), evidence)] = result;
      }
    }
  }
}

}  // namespace

void AnalyzeTls(Scene* scene, std::vector<Candidate>* candidates) {
  LookBehindComplaints(scene);
  for (const v1::Symptom& symptom : scene->symptoms) {
    const auto result = scene->symptom_results.find(symptom.id());
    if (result != scene->symptom_results.end() && result->second.kind() == "tls")
      TlsJudge(scene, symptom, result->second).Judge(candidates);
  }
}

}  // namespace omnix

// cors.header_missing: an origin is allowed, but the preflight's answer lacks a header or a method that its calls need.
// The remedy adds exactly that to the list that the gateway sends.
#include <re2/re2.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/sign_tests.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kPlaced = 0.92;
constexpr double kNotPlaced = 0.75;

struct Lack {
  const v1::Service* service = nullptr;
  // "Access-Control-Allow-Headers"
  std::string header;
  std::string item;
  std::vector<std::string> symptoms;
};

std::vector<Lack> LacksOf(const Scene& scene) {
  static const RE2 kLack(R"((Access-Control-Allow-(?:Headers|Methods)) does not hold ([\w-]+))");
  std::vector<Lack> lacks;
  for (const auto& [id, result] : scene.symptom_results) {
    Lack lack;
    if (!RE2::PartialMatch(result.observed(), kLack, &lack.header, &lack.item)) continue;
    lack.service = scene.FindService(result.service());
    if (lack.service == nullptr) continue;
    const auto same = std::find_if(lacks.begin(), lacks.end(), [&](const Lack& other) {
      return other.service == lack.service && other.header == lack.header && other.item == lack.item;
    });
    if (same == lacks.end()) {
      lack.symptoms = {id};
      lacks.push_back(std::move(lack));
    } else {
      same->symptoms.push_back(id);
    }
  }
  return lacks;
}

// The word of nginx' configuration that holds the list.
const NginxWord* ListOf(const Scene& scene, const Lack& lack) {
  const NginxFacts* nginx = scene.NginxOf(lack.service);
  if (nginx == nullptr || !nginx->config) return nullptr;
  constexpr size_t kValue = 2;
  const NginxDirective* sends = FindDirective(*nginx->config, [&](const NginxDirective& directive) {
    return (directive.name() == "add_header" || directive.name() == "more_set_headers") &&
           directive.words.size() > kValue && absl::EqualsIgnoreCase(directive.Argument(1), lack.header);
  });
  return sends == nullptr ? nullptr : &sends->words[kValue];
}

// Whose list it is where nginx sends none: the service that the request goes to.
const v1::Service& Sender(const Scene& scene, const Lack& lack) {
  const NginxFacts* nginx = scene.NginxOf(lack.service);
  if (nginx == nullptr || !nginx->config || ListOf(scene, lack) != nullptr) return *lack.service;
  for (const std::string& id : lack.symptoms) {
    const std::string url = AttributeOf(scene.symptom_results.at(id), "url");
    if (url.empty()) continue;
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, PathOf(url));
    for (const std::string& address : route.addresses) {
      if (const v1::Service* behind = scene.ServiceAt(address)) return *behind;
    }
  }
  return *lack.service;
}

// A value under a key that speaks of CORS and holds names of headers or methods.
v1::Location ListIn(const Scene& scene, const v1::Service& service, const Lack& lack) {
  static const RE2 kKey(R"((?i)(cors|cross_?origin|access_?control|allow(ed)?_?(headers|methods)))");
  const bool headers = lack.header.ends_with("Headers");
  for (const ConfigFacts* file : ConfigsOf(scene, service)) {
    for (const ConfigValue& value : file->config.values) {
      const std::string key = absl::AsciiStrToLower(value.key);
      if (RE2::PartialMatch(value.key, kKey) && absl::StrContains(key, headers ? "header" : "method"))
        return value.location;
    }
  }
  return PlaceInConfiguration(service, lack.header);
}

Candidate Judge(Scene* scene, const Lack& lack) {
  const v1::Service& sender = Sender(*scene, lack);
  v1::Hypothesis h;
  h.set_kind("cors.header_missing");
  h.set_component(sender.name());
  h.set_title(fmt::format("{} does not allow {} in {}", sender.name(), lack.item, lack.header));
  for (const std::string& id : lack.symptoms) h.add_symptom_ids(id);
  for (const v1::Symptom& symptom : scene->symptoms) {
    const auto& ids = lack.symptoms;
    if (std::find(ids.begin(), ids.end(), symptom.id()) == ids.end()) continue;
    for (const std::string& id : symptom.evidence_ids()) h.add_evidence_for(id);
  }
  if (const NginxWord* list = ListOf(*scene, lack); list != nullptr) {
    *h.mutable_location() = list->location;
    if (MayEdit(*scene, *lack.service, list->location.file())) {
      *h.add_remedies() =
          MakeRemedy("allow", fmt::format("Add {} to {}", lack.item, lack.header), "gateway",
                     {ReplaceText(lack.service->name(), list->location.file(), list->location.line(), list->text,
                                  list->text.empty() ? lack.item : list->text + ", " + lack.item,
                                  fmt::format("Allow {} in {}", lack.item, lack.header))});
    }
  } else {
    *h.mutable_location() = ListIn(*scene, sender, lack);
  }
  h.set_explanation(
      fmt::format("Browsers ask before a call whether they may send {}; the answer's {} does not hold it, so they "
                  "refuse the call themselves. The origins are allowed.",
                  lack.item, lack.header));
  h.set_confidence(h.location().file().empty() ? kNotPlaced : kPlaced);
  h.set_status(v1::HYPOTHESIS_STATUS_PROPOSED);
  return {h, {}};
}

}  // namespace

void AnalyzeCorsHeaders(Scene* scene, std::vector<Candidate>* candidates) {
  for (const Lack& lack : LacksOf(*scene)) candidates->push_back(Judge(scene, lack));
}

}  // namespace omnix

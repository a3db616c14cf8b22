// nginx.syntax_error: the configuration on disk would not load. websocket.upgrade_lost: the gateway drops the Upgrade
// of a route whose backend accepts it straight.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kSwitchingProtocols = 101;
constexpr int kNotFoundStatus = 404;

bool SetsUpgrade(const NginxDirective& scope) {
  for (const NginxDirective* header : scope.Find("proxy_set_header")) {
    std::string name = header->Argument(1);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name == "upgrade") return true;
  }
  return false;
}

}  // namespace

void AnalyzeNginxSyntax(Scene* scene, std::vector<Candidate>* candidates) {
  for (const NginxFacts& nginx : scene->nginx) {
    if (nginx.error.empty() || nginx.error.find("unexpected") == std::string::npos) continue;
    v1::Hypothesis h;
    h.set_kind("nginx.syntax_error");
    h.set_component(nginx.service->name());
    h.set_title(fmt::format("The configuration of {} does not load", nginx.service->name()));
    h.set_explanation(fmt::format("{}. A reload or restart fails with this file.", nginx.error));
    const std::string file = nginx.error.substr(0, nginx.error.find(':'));
    h.mutable_location()->set_file(file);
    h.mutable_location()->set_line(
        static_cast<uint32_t>(std::atoi(nginx.error.substr(std::min(file.size() + 1, nginx.error.size())).c_str())));
    h.add_evidence_for(nginx.evidence);
    for (const Change* change : scene->ChangesOf(file)) {
      if (!change->last_of_file || !MayEdit(*scene, *nginx.service, file)) continue;
      h.add_evidence_for(change->evidence);
      *h.add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change->commit.hash.substr(0, 10)),
                                     "configuration", {GitRevert(nginx.service->name(), *change)});
    }
    for (const auto& [id, result] : scene->symptom_results) {
      if (result.kind() == "config_test" && result.service() == nginx.service->name()) h.add_symptom_ids(id);
    }
    if (h.symptom_ids_size() == 0)
      h.add_symptom_ids(scene->AddSymptom(nginx.service->name(), "nginx configuration", nginx.error, nginx.evidence));
    h.set_confidence(0.9);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates->push_back({h, {}});
  }
}

void AnalyzeWebSocket(Scene* scene, std::vector<Candidate>* candidates) {
  for (const auto& [id, result] : scene->symptom_results) {
    const auto& attributes = result.attributes();
    if (attributes.count("url") == 0 || (attributes.count("websocket") == 0 && result.kind() != "websocket")) continue;
    const std::string url = attributes.at("url");
    const v1::Service* gateway = scene->ServiceAt(url);
    const NginxFacts* nginx = gateway == nullptr ? nullptr : scene->NginxOf(gateway);
    if (nginx == nullptr) continue;
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, PathOf(url));
    if (route.kind != NginxRoute::Kind::kProxy || route.location == nullptr || route.addresses.empty() ||
        SetsUpgrade(*route.location) || SetsUpgrade(*route.server))
      continue;
    const Answer through = scene->prober.Ask({gateway->name(), url, "", true});
    const Answer direct =
        scene->prober.Ask({gateway->name(), "http://" + route.addresses[0] + route.upstream_path, "", true});
    if (direct.status != kSwitchingProtocols || through.status == kSwitchingProtocols ||
        (through.status == kNotFoundStatus && route.upstream_path.empty()))
      continue;
    const NginxDirective* pass = route.location->Find("proxy_pass")[0];
    const v1::Location& place = pass->words[0].location;
    v1::Hypothesis h;
    h.set_kind("websocket.upgrade_lost");
    h.set_component(gateway->name());
    *h.mutable_location() = place;
    h.add_symptom_ids(id);
    h.set_title(fmt::format("{} does not pass on the WebSocket upgrade of {}", gateway->name(), PathOf(url)));
    h.set_explanation(
        fmt::format("The upgrade is accepted straight at {}, and answered with {} through {}: its location sets no "
                    "Upgrade header, which nginx does not pass on by itself.",
                    route.addresses[0], through.status, gateway->name()));
    v1::Counterfactual* test = h.add_tests();
    test->set_description(fmt::format("straight to {}: {}", route.addresses[0], direct.status));
    test->set_agrees(true);
    for (const std::string& evidence : {through.evidence, direct.evidence}) {
      test->add_evidence_ids(evidence);
      h.add_evidence_for(evidence);
    }
    const auto text = ReadFile(place.file());
    if (text.ok() && MayEdit(*scene, *gateway, place.file()) && pass->end.line() == place.line()) {
      const std::string line = LineIndex(*text).Line(place.line());
      const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
      // Only where the directive has its line for itself.
      if (place.column() == indent.size() + 1) {
        *h.add_remedies() = MakeRemedy(
            "upgrade", "Pass on the upgrade", "gateway",
            {InsertLines(gateway->name(), place.file(), place.line(), line,
                         {indent + "proxy_http_version 1.1;", indent + "proxy_set_header Upgrade $http_upgrade;",
                          indent + "proxy_set_header Connection \"upgrade\";"},
                         "Pass on the WebSocket upgrade")});
      }
    }
    h.set_confidence(0.93);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates->push_back({h, {}});
  }
}

}  // namespace omnix

// websocket.upgrade_lost: the gateway does not pass on the upgrade of a route whose backend accepts it when asked
// straight. nginx needs three things for it: HTTP/1.1 towards the upstream and the headers Upgrade and Connection; a
// location that sets a header of its own loses those of the server.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/symptoms_of.h"
#include "agents/sources/nginx_scopes.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kSwitchingProtocols = 101;
constexpr int kNotFoundStatus = 404;
constexpr double kShown = 0.93;

struct Need {
  // "Connection", as people name it.
  const char* name;
  // As it should be written.
  const char* line;
  // What is in effect and wrong; null: nothing is.
  const NginxDirective* wrong = nullptr;
};

// What the block lacks for an upgrade.
std::vector<Need> Lacks(const NginxConfig& config, const NginxDirective* block) {
  std::vector<Need> lacks;
  const NginxDirective* version = DirectiveInEffect(config, block, "proxy_http_version");
  if (version == nullptr || version->Argument(1) == "1.0")
    lacks.push_back({"HTTP/1.1", "proxy_http_version 1.1;", version});
  const NginxDirective* upgrade = ProxyHeaderInEffect(config, block, "Upgrade");
  if (upgrade == nullptr || upgrade->Argument(2).empty())
    lacks.push_back({"Upgrade", "proxy_set_header Upgrade $http_upgrade;", upgrade});
  const NginxDirective* connection = ProxyHeaderInEffect(config, block, "Connection");
  const std::string value = connection == nullptr ? "" : absl::AsciiStrToLower(connection->Argument(2));
  if (value.find("upgrade") == std::string::npos && value.find('$') == std::string::npos)
    lacks.push_back({"Connection", "proxy_set_header Connection \"upgrade\";", connection});
  return lacks;
}

std::string Written(const NginxDirective& directive) {
  std::string text;
  for (const NginxWord& word : directive.words)
    text += (text.empty() ? "" : " ") + (word.quoted ? "\"" + word.text + "\"" : word.text);
  return text + ";";
}

// The line of the file, where the directive has it for itself.
std::string LineOfItsOwn(const NginxDirective& directive) {
  const v1::Location& place = directive.words[0].location;
  const auto text = ReadFile(place.file());
  if (!text.ok() || directive.end.line() != place.line()) return "";
  std::string line = LineIndex(*text).Line(place.line());
  return place.column() == line.find_first_not_of(" \t") + 1 ? line : "";
}

// Sets what is lacking: in place of what is wrong in this block, else behind its proxy_pass, along with what the block
// would no longer inherit.
std::vector<v1::Action> Mend(const GatewayRequest& request, const NginxDirective& pass,
                             const std::vector<Need>& lacks) {
  const std::string& gateway = request.gateway->name();
  const NginxDirective& block = *BlockOf(request);
  const std::string line = LineOfItsOwn(pass);
  if (line.empty()) return {};
  const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
  std::vector<v1::Action> actions;
  std::vector<std::string> lines;
  bool adds_header = false;
  for (const Need& need : lacks) {
    const auto& own = block.block;
    const auto here = std::find_if(own.begin(), own.end(), [&](const NginxDirective& d) { return &d == need.wrong; });
    const std::string wrong = here == own.end() ? "" : LineOfItsOwn(*here);
    if (!wrong.empty()) {
      const v1::Location& place = here->words[0].location;
      actions.push_back(ReplaceText(gateway, place.file(), place.line(), wrong.substr(wrong.find_first_not_of(" \t")),
                                    need.line, fmt::format("Pass on {}", need.name)));
      continue;
    }
    adds_header = adds_header || std::string_view(need.line).starts_with("proxy_set_header");
    lines.push_back(indent + need.line);
  }
  if (adds_header && block.Find("proxy_set_header").empty()) {
    for (const NginxDirective* inherited : DirectivesInEffect(*request.nginx->config, &block, "proxy_set_header")) {
      const bool replaced =
          std::any_of(lacks.begin(), lacks.end(), [&](const Need& n) { return n.wrong == inherited; });
      if (!replaced) lines.push_back(indent + Written(*inherited));
    }
  }
  const v1::Location& place = pass.words[0].location;
  if (!lines.empty())
    actions.push_back(InsertLines(gateway, place.file(), place.line(), line, lines, "Pass on the WebSocket upgrade"));
  return actions;
}

// Why the server's headers do not count; null where the block sets none of its own.
const NginxDirective* Hides(const GatewayRequest& request) {
  const NginxDirective* block = BlockOf(request);
  const auto own = block->Find("proxy_set_header");
  if (own.empty()) return nullptr;
  for (const NginxDirective* scope : NginxScopes(*request.nginx->config, block)) {
    if (scope != block && ProxyHeaderInEffect(*request.nginx->config, scope, "Upgrade") != nullptr) return own[0];
  }
  return nullptr;
}

v1::Hypothesis Make(const Scene& scene, const GatewayRequest& request, const std::vector<Need>& lacks,
                    const Answer& through, const Answer& direct) {
  const std::string& gateway = request.gateway->name();
  const NginxDirective& pass = *BlockOf(request)->Find("proxy_pass")[0];
  const std::string path = PathOf(AttributeOf(*request.result, "url"));
  std::string names;
  for (const Need& need : lacks) names += (names.empty() ? "" : ", ") + std::string(need.name);
  const NginxDirective* hides = Hides(request);
  const auto wrong = std::find_if(lacks.begin(), lacks.end(), [](const Need& need) { return need.wrong != nullptr; });
  const NginxDirective& where = wrong != lacks.end() ? *wrong->wrong : hides != nullptr ? *hides : pass;
  v1::Hypothesis h;
  h.set_kind("websocket.upgrade_lost");
  h.set_component(gateway);
  *h.mutable_location() = where.words[0].location;
  h.add_symptom_ids(request.symptom);
  h.set_title(fmt::format("{} does not pass on the WebSocket upgrade of {}", gateway, path));
  h.set_explanation(fmt::format(
      "The upgrade is accepted straight at {}, and answered with {} through {}: what its location sends on lacks {}, "
      "which nginx does not pass on by itself.{}",
      AddressOf(request.straight_url), through.status, gateway, names,
      hides == nullptr
          ? ""
          : fmt::format(" The headers that are set around it are lost, since it sets one of its own (`{}`).",
                        Written(*hides))));
  v1::Counterfactual* test = h.add_tests();
  test->set_description(fmt::format("straight to {}: {}", AddressOf(request.straight_url), direct.status));
  test->set_agrees(true);
  for (const std::string& evidence : {through.evidence, direct.evidence}) {
    test->add_evidence_ids(evidence);
    h.add_evidence_for(evidence);
  }
  if (MayEdit(scene, *request.gateway, pass.words[0].location.file())) {
    std::vector<v1::Action> actions = Mend(request, pass, lacks);
    if (!actions.empty())
      *h.add_remedies() = MakeRemedy("upgrade", "Pass on the upgrade", "gateway", std::move(actions));
  }
  h.set_confidence(kShown);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  return h;
}

}  // namespace

void AnalyzeWebSocket(Scene* scene, std::vector<Candidate>* candidates) {
  const auto upgrades = [](const v1::CheckResult& result) {
    return result.kind() == "websocket" || result.attributes().contains("websocket");
  };
  for (const GatewayRequest& request : GatewayRequests(*scene, upgrades)) {
    if (request.straight_url.empty() || BlockOf(request)->Find("proxy_pass").empty()) continue;
    const std::vector<Need> lacks = Lacks(*request.nginx->config, BlockOf(request));
    if (lacks.empty()) continue;
    const std::string& name = request.gateway->name();
    const Answer through = scene->prober.Ask({name, AttributeOf(*request.result, "url"), "", true});
    const Answer direct = scene->prober.Ask({name, request.straight_url, "", true});
    if (direct.status != kSwitchingProtocols || through.status == kSwitchingProtocols ||
        (through.status == kNotFoundStatus && request.route.upstream_path.empty()))
      continue;
    candidates->push_back({Make(*scene, request, lacks, through, direct), {}});
  }
}

}  // namespace omnix

// proxy.dev_mismatch: the development server does not map the client's calls as production does. Judged for the paths
// that the client will call once its routing is mended: so the remedy depends on the side that is mended there.
#include <algorithm>
#include <set>

#include "agents/investigation/analyzer.h"
#include "agents/sources/client_env.h"
#include "fmt/format.h"

namespace omnix {
namespace {

struct Variant {
  // Remedy of the routing hypothesis that it goes with; "" where none is taken.
  std::string remedy;
  std::string strip;
  std::string add;
  // Whether development reads what is mended.
  bool in_development = true;
  std::string Final(const std::string& path) const {
    if (!strip.empty() && path.starts_with(strip + "/")) return path.substr(strip.size());
    return add + path;
  }
};

class DevAnalysis {
 public:
  DevAnalysis(const Scene& scene, const ClientFacts& client) : scene_(scene), client_(client) {}

  // Paths that the development server forwards elsewhere than production.
  std::vector<std::string> Mismatches(const Variant& variant) const {
    std::vector<std::string> wrong;
    std::set<std::string> seen;
    for (const ClientCall& call : client_.dev_calls.calls) {
      if (call.absolute) continue;
      const std::string in_production = InProduction(call);
      const bool same_base = call.path == in_production;
      const std::string path = same_base && variant.in_development ? variant.Final(call.path) : call.path;
      const std::string wanted = same_base ? path : variant.Final(in_production);
      if (seen.insert(path).second && !Fits(path, wanted)) wrong.push_back(path);
    }
    return wrong;
  }

  std::vector<v1::Action> Actions(const std::vector<std::string>& wrong) const {
    if (!client_.editable()) return {};
    std::vector<v1::Action> actions;
    std::set<size_t> wrong_entries;
    std::vector<std::string> unproxied;
    for (const std::string& path : wrong) {
      const DevForward forward = client_.dev->Forward(path);
      if (forward.proxied) {
        wrong_entries.insert(forward.entry);
      } else {
        unproxied.push_back(path);
      }
    }
    for (const size_t entry : wrong_entries) Correct(client_.dev->entries[entry], &actions);
    if (!unproxied.empty()) Rekey(unproxied, &actions);
    return actions;
  }

 private:
  // The same call as it is made in production, where the client's base may be another one.
  std::string InProduction(const ClientCall& call) const {
    for (const ClientCall& other : client_.calls.calls) {
      if (SamePlace(other.literal, call.literal) && other.method == call.method) return other.path;
    }
    return call.path;
  }

  // Whether `path` reaches what production reaches by `in_production`.
  bool Fits(const std::string& path, const std::string& in_production) const {
    const DevForward forward = client_.dev->Forward(path);
    if (!forward.proxied) return false;
    if (!forward.certain) return true;
    const v1::Service* target = scene_.ServiceAt(forward.target);
    if (target == client_.gateway) return forward.path == in_production;
    if (target == nullptr) return false;
    // Straight to a service behind the gateway: the path that the gateway would send it.
    const NginxFacts* nginx = scene_.NginxOf(client_.gateway);
    if (nginx == nullptr) return true;
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, in_production);
    return route.kind != NginxRoute::Kind::kProxy || forward.path == route.upstream_path;
  }

  v1::Action Replace(const Literal& literal, const std::string& old, const std::string& text,
                     const std::string& description) const {
    return ReplaceText(client_.client->name(), literal.location.file(), literal.location.line(), old, text,
                       description);
  }

  // The literal with its quotes, as it stands on its line.
  static std::string Quoted(const Literal& literal, const std::string& text) {
    const size_t column = literal.location.column() - 1;
    const std::string quote =
        column > 0 && column <= literal.line_text.size() ? literal.line_text.substr(column - 1, 1) : "'";
    return quote + text + quote;
  }

  void Correct(const DevProxyEntry& entry, std::vector<v1::Action>* actions) const {
    if (scene_.ServiceAt(entry.target.text) != client_.gateway || !BasePathOf(entry.target.text).empty()) {
      std::string target = client_.gateway->base_url();
      while (target.ends_with('/')) target.pop_back();
      if (entry.websocket && entry.target.text.starts_with("ws") && target.starts_with("http"))
        target.replace(0, 4, "ws");
      actions->push_back(Replace(entry.target, Quoted(entry.target, entry.target.text), Quoted(entry.target, target),
                                 fmt::format("Forward {} to {}", entry.key.text, target)));
    }
    if (!entry.rewrites.empty() && entry.rewrite.text.find('.') != std::string::npos &&
        !entry.rewrite.text.starts_with('{')) {
      actions->push_back(Replace(entry.rewrite, entry.rewrite.text,
                                 entry.rewrite.text.substr(0, entry.rewrite.text.find('.')),
                                 fmt::format("Forward the paths of {} unchanged", entry.key.text)));
    }
  }

  static std::string Root(const std::string& path) { return path.substr(1, path.find_first_of("/?", 1) - 1); }

  // A key that a recent change took away and that fits what is called now.
  std::string FormerKey(const DevProxyEntry& entry, const std::vector<std::string>& paths) const {
    for (const Change* change : scene_.ChangesOf(entry.key.location.file())) {
      for (const GitHunk& hunk : change->hunks) {
        for (const std::string& line : hunk.removed) {
          for (const JsToken& token : LexJavaScript(line)) {
            if (token.kind != JsTokenKind::kString || token.text.find_first_of("/^") != 0) continue;
            DevProxy single{{entry}, {}, client_.dev->tool};
            single.entries[0].key.text = token.text;
            const bool fits = std::all_of(paths.begin(), paths.end(),
                                          [&](const std::string& path) { return single.Forward(path).proxied; });
            if (fits && token.text != "/") return token.text;
          }
        }
      }
    }
    return "";
  }

  // The entry that forwarded calls to the gateway (or that nothing needs any more) gets a key that matches what is
  // called now.
  void Rekey(const std::vector<std::string>& unproxied, std::vector<v1::Action>* actions) const {
    const DevProxyEntry* entry = nullptr;
    for (const DevProxyEntry& e : client_.dev->entries) {
      const bool to_gateway = scene_.ServiceAt(e.target.text) == client_.gateway;
      if (entry == nullptr || (to_gateway && !(scene_.ServiceAt(entry->target.text) == client_.gateway))) entry = &e;
    }
    std::set<std::string> roots;
    for (const std::string& path : unproxied) roots.insert(Root(path));
    std::string key = FormerKey(*entry, unproxied);
    if (!key.empty()) {
      key = Quoted(entry->key, key);
    } else if (roots.size() == 1) {
      key = Quoted(entry->key, "/" + *roots.begin());
    } else if (client_.dev->tool == "vite") {
      std::string alternatives;
      for (const std::string& root : roots) alternatives += (alternatives.empty() ? "" : "|") + root;
      key = Quoted(entry->key, "^/(" + alternatives + ")(?:[/?]|$)");
    } else {
      for (const std::string& root : roots) key += (key.empty() ? "" : ", ") + Quoted(entry->key, "/" + root);
      if (client_.dev->tool == "middleware") key = "[" + key + "]";
      const std::string& line = entry->key.line_text;
      // webpack's keys are no patterns, nor Angular's: several paths fit only into a context list.
      if ((client_.dev->tool == "webpack" || client_.dev->tool == "angular") &&
          line.find("context") == std::string::npos)
        return;
    }
    if (client_.dev->tool == "package.json") return;
    actions->push_back(
        Replace(entry->key, Quoted(entry->key, entry->key.text), key, fmt::format("Forward {} in development", key)));
    // Whether the entry's rewrite leaves the new paths alone.
    for (const std::string& path : unproxied) {
      DevProxy single{{*entry}, {}, client_.dev->tool};
      single.entries[0].key.text = "/";
      const DevForward forward = single.Forward(path);
      if (forward.certain && forward.path == path && scene_.ServiceAt(entry->target.text) == client_.gateway) continue;
      Correct(*entry, actions);
      return;
    }
  }

  const Scene& scene_;
  const ClientFacts& client_;
};

// What each remedy of the routing hypothesis of this client makes of its paths.
std::vector<Variant> Variants(const ClientFacts& client, const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    const v1::Hypothesis& h = candidate.hypothesis;
    if (h.kind() != "route.prefix_mismatch") continue;
    std::vector<Variant> variants;
    bool ours = false;
    for (const v1::Remedy& remedy : h.remedies()) {
      Variant variant;
      variant.remedy = remedy.id();
      for (const v1::Action& action : remedy.actions()) {
        if (remedy.side() != "client" || action.component() != client.client->name()) continue;
        ours = true;
        // What only builds read leaves development as it is.
        if (!IsReadBy(action.with().fields().at("path").string_value(), ClientBuild::kDevelopment))
          variant.in_development = false;
        const auto& with = action.with().fields();
        const std::string old = with.at("old").string_value(), text = with.at("new").string_value();
        // The prefix is what the two texts differ by.
        const std::string& longer = old.size() > text.size() ? old : text;
        const std::string& shorter = old.size() > text.size() ? text : old;
        size_t same = 0;
        while (same < shorter.size() && longer[same] == shorter[same]) ++same;
        const std::string prefix = BasePathOf(longer.substr(same == 0             ? 0
                                                            : longer[same] == '/' ? same
                                                                                  : same - 1,
                                                            longer.size() - shorter.size()));
        (old.size() > text.size() ? variant.strip : variant.add) = prefix;
      }
      variants.push_back(variant);
    }
    if (ours || h.title().find(client.client->name()) != std::string::npos) return variants;
  }
  return {Variant{}};
}

// What has been so for long, while no client's routing is wrong, brought no incident about.
bool IsNews(const Scene& scene, const ClientFacts& client, const std::vector<Candidate>& candidates) {
  const auto changed = [&](const std::string& file) { return scene.RecentChangeOf(file) != nullptr; };
  return std::ranges::any_of(client.dev->files, changed) || std::ranges::any_of(client.calls.files, changed) ||
         std::ranges::any_of(candidates, [](const Candidate& candidate) {
           return candidate.hypothesis.kind() == "route.prefix_mismatch";
         });
}

// Stays a guess also where it accounts for all symptoms and the alerts speak of it.
constexpr double kStanding = 0.25;

double ConfidenceOf(const Scene& scene, const ClientFacts& client, const std::vector<Candidate>& candidates,
                    bool can_be_mended) {
  if (!IsNews(scene, client, candidates)) return kStanding;
  if (!can_be_mended) return 0.6;
  return scene.ServiceAt(client.dev->entries[0].target.text) != nullptr ? 0.88 : 0.7;
}

}  // namespace

void AnalyzeDevProxy(Scene* scene, std::vector<Candidate>* candidates) {
  for (const ClientFacts& client : scene->clients) {
    if (!client.dev || client.gateway == nullptr || client.dev_calls.calls.empty()) continue;
    const DevAnalysis analysis(*scene, client);
    Candidate candidate;
    v1::Hypothesis& h = candidate.hypothesis;
    const std::vector<std::string> now = analysis.Mismatches({});
    std::vector<std::string> named = now;
    for (const Variant& variant : Variants(client, *candidates)) {
      const std::vector<std::string> wrong = analysis.Mismatches(variant);
      if (wrong.empty()) continue;
      if (named.empty()) named = wrong;
      const auto actions = analysis.Actions(wrong);
      if (actions.empty()) continue;
      const std::string id = variant.remedy.empty() ? "dev" : "dev-" + variant.remedy;
      *h.add_remedies() = MakeRemedy(id, "Map calls in development as production does", "client", actions);
      if (!variant.remedy.empty()) candidate.fits_with[id] = variant.remedy;
    }
    if (named.empty()) continue;
    h.set_kind("proxy.dev_mismatch");
    h.set_component(client.client->name());
    *h.mutable_location() = client.dev->entries[0].key.location;
    h.set_title(fmt::format("The development proxy of {} maps {} calls otherwise than production",
                            client.client->name(), named.size()));
    const DevForward forward = client.dev->Forward(named[0]);
    h.set_explanation(fmt::format(
        "{} is {} by the development server, while {} serves the path as it is called. What works in development fails "
        "in production, or the other way round.",
        named[0],
        forward.proxied
            ? fmt::format("forwarded to {}{}", forward.target,
                          forward.path.substr(std::min(BasePathOf(forward.target).size(), forward.path.size())))
            : std::string("not forwarded"),
        client.gateway->name()));
    for (const auto& [id, result] : scene->symptom_results) {
      if (result.kind() == "dev_proxy" && result.service() == client.gateway->name()) h.add_symptom_ids(id);
    }
    if (h.symptom_ids_size() == 0) {
      h.add_symptom_ids(scene->AddSymptom(client.client->name(), "dev proxy", h.title(), client.dev_evidence));
    }
    h.add_evidence_for(client.dev_evidence);
    if (!client.evidence.empty()) h.add_evidence_for(client.evidence);
    h.set_confidence(ConfidenceOf(*scene, client, *candidates, h.remedies_size() > 0));
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates->push_back(std::move(candidate));
  }
}

}  // namespace omnix

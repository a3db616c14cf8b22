// gateway.proxy_path: the gateway hands a request on, but with a path that the upstream does not serve; with another
// path (the location's prefix taken away, or kept; what the upstream's own endpoints begin with put before it; as an
// earlier version of the line had it) the same upstream serves it. The remedy is what makes the path there: the URI
// part of that location's proxy_pass, or the replacement of the rewrite beside it; or, where a part of the path is left
// over that no URI part can take away, the location's prefix.
//
// nginx replaces the location's prefix by the URI part of proxy_pass; without one it passes the path as it came; a URI
// part with variables is passed as they make it
// (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass).
#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_paths.h"
#include "agents/investigation/symptoms_of.h"
#include "agents/sources/js_lexer.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kNotFoundStatus = 404;
constexpr int kFirstServerError = 500;
constexpr size_t kMaxSegments = 4;
// So many paths of a location are asked; the others only where these are not answered alike.
constexpr size_t kSampled = 3;

// What fails in one location: symptom ids and the paths as callers ask for them.
struct FailingLocation {
  const v1::Service* gateway = nullptr;
  const NginxFacts* nginx = nullptr;
  const NginxDirective* location = nullptr;
  // What makes the path that the upstream gets: a proxy_pass, or the rewrite before it; and the argument that does.
  const NginxDirective* maker = nullptr;
  size_t argument = 1;
  std::string target;
  std::string address;
  std::map<std::string, std::string> path_by_symptom;
  std::map<std::string, std::string> passed_as;
  // Those that are called with GET: nothing but their route can be why they are not found.
  std::set<std::string> read;
};

bool IsPrefixLocation(const NginxDirective& location) {
  const std::string kind = location.Argument(1);
  return location.words.back().text.starts_with('/') && (location.words.size() == 2 || kind == "^~");
}

bool HasVariables(const std::string& text) { return text.find('$') != std::string::npos; }

// The configuration with another argument in this directive.
NginxConfig With(NginxConfig config, const NginxDirective& changed, size_t argument, const std::string& text) {
  const v1::Location& place = changed.words[0].location;
  std::vector<NginxDirective*> open = {&config.root};
  while (!open.empty()) {
    NginxDirective* directive = open.back();
    open.pop_back();
    for (NginxDirective& child : directive->block) {
      const v1::Location& at = child.words[0].location;
      // What is included twice is written once.
      const bool same = child.name() == changed.name() && at.file() == place.file() && at.line() == place.line() &&
                        at.column() == place.column();
      if (same) child.words[argument].text = text;
      open.push_back(&child);
    }
  }
  return config;
}

// Scheme and host of a proxy_pass, without its URI part; of a rewrite's replacement nothing.
std::string WithoutUri(const std::string& target) {
  if (target.starts_with('/')) return "";
  const size_t host = target.find("//");
  const size_t uri = host == std::string::npos ? std::string::npos : target.find('/', host + 2);
  return target.substr(0, uri);
}

// A lone rewrite that leaves the path to proxy_pass; null: there is none, or more than one could be meant.
const NginxDirective* RewriteBeside(const NginxDirective& location) {
  const auto rewrites = location.Find("rewrite");
  if (rewrites.size() != 1 || rewrites[0]->Argument(3) != "break" || !rewrites[0]->Argument(2).starts_with('/'))
    return nullptr;
  return rewrites[0];
}

// Between blanks, quotes or the end of the statement.
bool HasWord(const std::string& line, const std::string& word) {
  const auto ends = [](char c) {
    return std::isspace(static_cast<unsigned char>(c)) || c == ';' || c == '"' || c == '\'';
  };
  for (size_t at = line.find(word); at != std::string::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    if (at > 0 && ends(line[at - 1]) && (end == line.size() || ends(line[end]))) return true;
  }
  return false;
}

std::vector<FailingLocation> Collect(Scene* scene) {
  std::vector<FailingLocation> found;
  for (const auto& [id, result] : scene->symptom_results) {
    const auto& attributes = result.attributes();
    if (!attributes.contains("url") || attributes.contains("origin") || attributes.contains("websocket") ||
        result.kind() == "dev_proxy") {
      continue;
    }
    const std::string url = attributes.at("url");
    const std::string path = PathOf(url);
    const v1::Service* gateway = scene->ServiceAt(url);
    const NginxFacts* nginx = gateway == nullptr ? nullptr : scene->NginxOf(gateway);
    if (nginx == nullptr || !nginx->config.has_value()) continue;
    if (scene->prober.Ask({gateway->name(), url, "", false}).status != kNotFoundStatus) continue;
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, path);
    if (route.kind != NginxRoute::Kind::kProxy || route.location == nullptr || route.addresses.empty()) continue;
    const auto passes = route.location->Find("proxy_pass");
    const NginxDirective* rewrite = RewriteBeside(*route.location);
    if (passes.size() != 1 || (rewrite == nullptr && !route.location->Find("rewrite").empty())) continue;
    const NginxDirective& maker = rewrite != nullptr ? *rewrite : *passes[0];
    const size_t argument = rewrite != nullptr ? 2 : 1;
    auto known = std::find_if(found.begin(), found.end(),
                              [&](const FailingLocation& f) { return f.location == route.location; });
    if (known == found.end()) {
      found.push_back(
          {gateway, nginx, route.location, &maker, argument, maker.Argument(argument), route.addresses[0], {}, {}, {}});
      known = found.end() - 1;
    }
    known->path_by_symptom[id] = path;
    known->passed_as[path] = route.upstream_path;
    if (AttributeOf(result, "method") == "GET") known->read.insert(path);
  }
  return found;
}

class ProxyPathAnalysis {
 public:
  ProxyPathAnalysis(Scene* scene, const FailingLocation& failing) : scene_(*scene), failing_(failing) {}

  void Run(std::vector<Candidate>* candidates) {
    // The upstream itself must not know the path that it gets: else the fault lies elsewhere.
    for (const auto& [path, passed] : failing_.passed_as) paths_.push_back(path);
    std::stable_partition(paths_.begin(), paths_.end(),
                          [&](const std::string& path) { return failing_.read.contains(path); });
    sample_.assign(paths_.begin(), paths_.begin() + static_cast<ptrdiff_t>(std::min(kSampled, paths_.size())));
    const auto known = [&](const std::string& path) { return !IsUnknown(path); };
    if (std::any_of(sample_.begin(), sample_.end(), known)) {
      std::erase_if(paths_, known);
      sample_ = paths_;
    }
    if (paths_.empty() || (!FindTarget() && !FindLeftOver())) return;
    candidates->push_back(Propose());
  }

 private:
  const Answer& Straight(const std::string& path) {
    const v1::Service* upstream = scene_.ServiceAt(failing_.address);
    return scene_.prober.Ask({upstream == nullptr ? failing_.gateway->name() : upstream->name(),
                              "http://" + failing_.address + path, "", false});
  }

  bool IsUnknown(const std::string& path) { return Straight(failing_.passed_as.at(path)).status == kNotFoundStatus; }

  bool Serves(const std::string& path) {
    const int status = Straight(path).status;
    return status > 0 && status < kFirstServerError && status != kNotFoundStatus;
  }

  const v1::Location& Place() const { return failing_.maker->words[0].location; }

  std::string Prefix() const { return failing_.location->words.back().text; }

  bool IsRewrite() const { return failing_.maker->name() == "rewrite"; }

  // The path that the upstream would get if the directive were written so.
  std::string PassedWith(const std::string& target, const std::string& path) const {
    const NginxFacts& nginx = *failing_.nginx;
    return RouteRequest(With(*nginx.config, *failing_.maker, failing_.argument, target), nginx.port, nginx.host, path)
        .upstream_path;
  }

  // As the argument may have to be written, the narrowest change first.
  std::vector<std::string> Targets() const {
    std::vector<std::string> targets;
    const std::string& now = failing_.target;
    const std::string host = WithoutUri(now), uri = now.substr(host.size());
    if (!IsRewrite() && IsPrefixLocation(*failing_.location) && !HasVariables(now)) {
      for (const std::string& part : PartsOfPrefix()) {
        // Without a closing slash on both sides the paths would run together ("/v1" + "x").
        if (part.empty() || Prefix().ends_with('/') == part.ends_with('/')) targets.push_back(host + part);
      }
    }
    // As the upstream's endpoints begin, where the rest is the same.
    const v1::Service* upstream = scene_.ServiceAt(failing_.address);
    for (const std::string& path : sample_) {
      if (upstream == nullptr) break;
      const std::string& passed = failing_.passed_as.at(path);
      for (const std::string& endpoint : EndpointsAlike(*upstream, passed)) {
        if (endpoint.ends_with(passed)) {
          targets.push_back(host + endpoint.substr(0, endpoint.size() - passed.size()) + RestOf(uri));
        } else if (const std::string before = passed.substr(0, passed.size() - endpoint.size());
                   uri.starts_with(before)) {
          targets.push_back(host + uri.substr(before.size()));
        }
      }
    }
    for (const Change* change : scene_.ChangesOf(Place().file())) AddEarlier(*change, &targets);
    return targets;
  }

  // What stands behind a prefix that is put before it: the URI part as it is, or what nginx passes without one.
  std::string RestOf(const std::string& uri) const {
    if (!uri.empty()) return uri;
    return IsPrefixLocation(*failing_.location) ? Prefix() : "$request_uri";
  }

  // Lines that a change took away where it put this one.
  void AddEarlier(const Change& change, std::vector<std::string>* targets) const {
    static const re2::RE2 kPass(R"(^\s*proxy_pass\s+([^;\s]+)\s*;)");
    static const re2::RE2 kRewrite(R"(^\s*rewrite\s+\S+\s+([^;\s]+)\s+break\s*;)");
    for (const GitHunk& hunk : change.hunks) {
      if (!PutsThisLine(hunk)) continue;
      for (const std::string& line : hunk.removed) {
        std::string target;
        if (re2::RE2::PartialMatch(line, IsRewrite() ? kRewrite : kPass, &target)) targets->push_back(target);
      }
    }
  }

  bool PutsThisLine(const GitHunk& hunk) const {
    return std::any_of(hunk.added.begin(), hunk.added.end(), [&](const std::string& line) {
      return line.find(failing_.maker->name()) != std::string::npos && HasWord(line, failing_.target);
    });
  }

  std::vector<std::string> PartsOfPrefix() const {
    std::vector<std::string> uris = {"", "/"};
    size_t at = 0;
    for (size_t i = 0; i < kMaxSegments && (at = Prefix().find('/', at + 1)) != std::string::npos; ++i) {
      uris.push_back(Prefix().substr(at));
    }
    return uris;
  }

  // Of the sample, as `wanted` has each; fewer where no majority can be reached any more.
  size_t CountServed(const std::function<std::string(const std::string&)>& wanted) {
    size_t served = 0, failed = 0;
    for (const std::string& path : sample_) {
      if (failed * 2 >= sample_.size()) break;
      const std::string passed = wanted(path);
      passed != failing_.passed_as.at(path) && Serves(passed) ? ++served : ++failed;
    }
    return served;
  }

  // What the argument would have to be for the upstream to serve the most of what fails.
  bool FindTarget() {
    std::set<std::string> tried = {failing_.target};
    for (const std::string& target : Targets()) {
      if (!tried.insert(target).second) continue;
      const size_t served = CountServed([&](const std::string& path) { return PassedWith(target, path); });
      if (served > served_) {
        served_ = served;
        target_ = target;
      }
      if (served_ == sample_.size()) break;
    }
    return served_ * 2 > sample_.size();
  }

  // What stands before the path that the upstream serves ("/v1" of "/v1/products"), the same for most of what fails.
  bool FindLeftOver() {
    constexpr size_t kMaxLeftOver = 3;
    // What takes everything says nothing of prefixes.
    if (IsRewrite() || !IsPrefixLocation(*failing_.location) || Prefix() == "/" || !Prefix().ends_with('/'))
      return false;
    const std::string sample = failing_.passed_as.at(paths_.front());
    size_t at = 0;
    for (size_t i = 0; i < kMaxLeftOver && (at = sample.find('/', at + 1)) != std::string::npos; ++i) {
      left_over_ = sample.substr(0, at);
      served_ = CountServed([&](const std::string& path) {
        const std::string& passed = failing_.passed_as.at(path);
        return passed.starts_with(left_over_ + "/") ? Wanted(path) : passed;
      });
      if (served_ * 2 > sample_.size()) return true;
    }
    return false;
  }

  // The path that the upstream should get.
  std::string Wanted(const std::string& path) const {
    return left_over_.empty() ? PassedWith(target_, path) : failing_.passed_as.at(path).substr(left_over_.size());
  }

  // The directive up to the argument as it is written, so that the text is found on its line once.
  v1::Action EditArgument() const {
    const v1::Location& place = failing_.maker->words[failing_.argument].location;
    const auto text = ReadFile(place.file());
    const std::string line = text.ok() ? LineIndex(*text).Line(place.line()) : "";
    const size_t begin = Place().line() == place.line() && Place().column() > 0 ? Place().column() - 1 : 0;
    const size_t at = line.find(failing_.target, begin);
    const std::string left = at == std::string::npos ? "" : line.substr(begin, at - begin);
    const std::string right = at == std::string::npos ? "" : line.substr(at + failing_.target.size(), 1);
    return ReplaceText(failing_.gateway->name(), place.file(), place.line(), left + failing_.target + right,
                       left + target_ + right, fmt::format("Pass on {} {}", IsRewrite() ? "as" : "to", target_));
  }

  v1::Action Edit() const {
    if (left_over_.empty()) return EditArgument();
    const v1::Location& place = failing_.location->words.back().location;
    const std::string wanted = Prefix() + left_over_.substr(1) + "/";
    return ReplaceText(failing_.gateway->name(), place.file(), place.line(), Prefix(), wanted,
                       fmt::format("Take {} away, not only {}", wanted, Prefix()));
  }

  const Change* LatestChange() const {
    for (const Change* change : scene_.ChangesOf(Place().file())) {
      for (const GitHunk& hunk : change->hunks) {
        const bool here =
            PutsThisLine(hunk) ||
            (!left_over_.empty() && std::any_of(hunk.added.begin(), hunk.added.end(), [&](const std::string& line) {
              return line.find("location " + Prefix()) != std::string::npos;
            }));
        if (here) return change;
      }
    }
    return nullptr;
  }

  Candidate Propose() {
    constexpr double kAllServed = 0.9, kMostServed = 0.75, kFittingChange = 0.05;
    const v1::Location& place =
        left_over_.empty() ? failing_.maker->words[0].location : failing_.location->words[0].location;
    const std::string& sample = paths_.front();
    Candidate candidate;
    v1::Hypothesis& h = candidate.hypothesis;
    h.set_kind("gateway.proxy_path");
    h.set_component(failing_.gateway->name());
    *h.mutable_location() = place;
    h.set_title(fmt::format("{} passes {} on as {}, which the upstream does not serve", failing_.gateway->name(),
                            sample, failing_.passed_as.at(sample)));
    std::string text = fmt::format(
        "The location {} hands {} failing paths to {}, which answers 404 to what it gets; of {} that were asked {} are "
        "served there as, for example, {}.",
        Prefix(), paths_.size(), failing_.address, sample_.size(), served_, Wanted(sample));
    const Change* change = LatestChange();
    if (change != nullptr) {
      text += fmt::format(" {} changed this line.", change->Name());
      h.add_evidence_for(change->evidence);
    }
    h.set_explanation(text);
    h.set_confidence((served_ == sample_.size() ? kAllServed : kMostServed) + (change != nullptr ? kFittingChange : 0));
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    AddTests(&h);
    for (const auto& [id, path] : failing_.path_by_symptom) {
      if (std::find(paths_.begin(), paths_.end(), path) != paths_.end()) h.add_symptom_ids(id);
    }
    if (MayEdit(scene_, *failing_.gateway, place.file())) {
      *h.add_remedies() = MakeRemedy(
          "gateway", fmt::format("Let {} pass {} on as {}", failing_.gateway->name(), sample, Wanted(sample)),
          "gateway", {Edit()});
    }
    return candidate;
  }

  void AddTests(v1::Hypothesis* h) {
    constexpr size_t kShown = 3;
    for (size_t i = 0; i < std::min(kShown, sample_.size()); ++i) {
      const std::string& passed = failing_.passed_as.at(sample_[i]);
      const std::string other = Wanted(sample_[i]);
      const Answer as_is = Straight(passed);
      const Answer changed = Straight(other);
      v1::Counterfactual* test = h->add_tests();
      test->set_description(fmt::format("straight to {}: {} is answered with {}, {} with {}", failing_.address, passed,
                                        as_is.status, other, changed.status));
      test->set_agrees(Serves(other));
      for (const std::string& id : {as_is.evidence, changed.evidence}) {
        test->add_evidence_ids(id);
        test->agrees() ? h->add_evidence_for(id) : h->add_evidence_against(id);
      }
    }
  }

  Scene& scene_;
  const FailingLocation& failing_;
  std::vector<std::string> paths_;
  // Of those, what is asked.
  std::vector<std::string> sample_;
  // What the argument should be.
  std::string target_;
  // Set: no URI part mends it, the location's prefix must take this along.
  std::string left_over_;
  size_t served_ = 0;
};

}  // namespace

void AnalyzeProxyPath(Scene* scene, std::vector<Candidate>* candidates) {
  for (const FailingLocation& failing : Collect(scene)) ProxyPathAnalysis(scene, failing).Run(candidates);
}

}  // namespace omnix

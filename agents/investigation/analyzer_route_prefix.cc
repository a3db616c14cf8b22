// route.prefix_mismatch: the client calls with a prefix that the gateway does not serve, or without one that it does.
//
// Counterfactual: the same calls with the prefix taken away (or put before them) are served. Which side is mended
// first: the owner's prefer_sides; else the side whose change mentions the prefix last; else the side that departs from
// the declared endpoints; else the narrower edit.
#include <algorithm>
#include <set>

#include "agents/investigation/analyzer.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kNotFoundStatus = 404;
constexpr int kGoneStatus = 410;
constexpr int kFirstServerError = 500;
constexpr int kFirstErrorStatus = 400;
constexpr size_t kMaxPrefixes = 12;
constexpr size_t kMaxCalls = 40;

struct Edit {
  std::string prefix;
  bool strip = true;
  std::string Apply(const std::string& path) const {
    if (!strip) return prefix + path;
    return path.starts_with(prefix + "/") ? path.substr(prefix.size()) : path;
  }
};

class PrefixAnalysis {
 public:
  PrefixAnalysis(Scene* scene, const ClientFacts& client)
      : scene_(*scene), client_(client), base_(client.gateway->base_url()) {
    while (base_.ends_with('/')) base_.pop_back();
    std::set<std::string> seen;
    for (const ClientCall& call : client.calls.calls) {
      if (seen.insert(call.path).second && calls_.size() < kMaxCalls) calls_.push_back(call);
    }
  }

  void Run(std::vector<Candidate>* candidates) {
    std::vector<Prober::Question> questions = {Ask(control_)};
    for (const ClientCall& call : calls_) questions.push_back(Ask(call.path, call.websocket));
    scene_.prober.AskAll(questions);
    for (const ClientCall& call : calls_) {
      if (Absent(call.path, call.websocket)) failing_.push_back(call);
    }
    if (failing_.empty()) return;
    if (!FindEdit()) return;
    candidates->push_back(Propose());
  }

 private:
  Prober::Question Ask(const std::string& path, bool websocket = false) const {
    return {client_.gateway->name(), base_ + path, "", websocket};
  }

  // Only "not found" speaks of routing: no answer or a server's error does not.
  bool Absent(const std::string& path, bool websocket) {
    const Answer& answer = scene_.prober.Ask(Ask(path, websocket));
    return answer.status == kNotFoundStatus || answer.status == kGoneStatus || IsFallback(answer);
  }

  // A gateway that answers every unknown path with the same page.
  bool IsFallback(const Answer& answer) {
    const Answer control = scene_.prober.Ask(Ask(control_));
    return control.status > 0 && control.status < kFirstErrorStatus && answer.status == control.status &&
           answer.body_hash == control.body_hash;
  }

  bool Served(const std::string& path, bool websocket) {
    const Answer answer = scene_.prober.Ask(Ask(path, websocket));
    return answer.status > 0 && answer.status < kFirstServerError && !Absent(path, websocket);
  }

  void AddPrefixes(const std::string& path, std::vector<std::string>* prefixes) const {
    constexpr size_t kMaxSegments = 3;
    size_t at = 0;
    for (size_t i = 0; i < kMaxSegments && (at = path.find('/', at + 1)) != std::string::npos; ++i) {
      const std::string prefix = path.substr(0, at);
      if (std::find(prefixes->begin(), prefixes->end(), prefix) == prefixes->end()) prefixes->push_back(prefix);
    }
  }

  std::vector<Edit> Edits() const {
    std::vector<std::string> strip, add;
    if (!client_.calls.base_path.empty()) strip.push_back(client_.calls.base_path);
    for (const ClientCall& call : failing_) AddPrefixes(call.path, &strip);
    for (const v1::Endpoint& endpoint : client_.gateway->endpoints()) AddPrefixes(endpoint.path(), &add);
    if (const NginxFacts* nginx = scene_.NginxOf(client_.gateway)) {
      for (const NginxDirective* server : NginxServers(*nginx->config)) {
        for (const NginxDirective* location : server->Find("location")) {
          std::string path = location->words.back().text;
          if (path.starts_with('/')) AddPrefixes(path.ends_with('/') ? path : path + "/", &add);
        }
      }
    }
    std::vector<Edit> edits;
    for (size_t i = 0; i < std::min(strip.size(), kMaxPrefixes); ++i) edits.push_back({strip[i], true});
    for (size_t i = 0; i < std::min(add.size(), kMaxPrefixes); ++i) edits.push_back({add[i], false});
    return edits;
  }

  bool FindEdit() {
    const std::vector<Edit> edits = Edits();
    std::vector<Prober::Question> questions;
    for (const Edit& edit : edits) {
      for (const ClientCall& call : failing_) questions.push_back(Ask(edit.Apply(call.path), call.websocket));
    }
    scene_.prober.AskAll(questions);
    for (const Edit& edit : edits) {
      size_t served = 0;
      for (const ClientCall& call : failing_) {
        if (edit.Apply(call.path) != call.path && Served(edit.Apply(call.path), call.websocket)) ++served;
      }
      if (served > served_) {
        served_ = served;
        edit_ = edit;
      }
    }
    // Paths with a made-up key ("/orders/1") are not found even where the route is well: they don't count against it.
    size_t certain = 0;
    for (const ClientCall& call : failing_) certain += call.has_template ? 0 : 1;
    return served_ > 0 && served_ * 2 >= certain;
  }

  // Places in the client's files to change.
  std::vector<v1::Action> ClientActions() const {
    std::vector<v1::Action> actions;
    std::set<std::string> done;
    auto change = [&](const Literal& literal) {
      const std::string place =
          fmt::format("{}:{}:{}", literal.location.file(), literal.location.line(), literal.location.column());
      if (!done.insert(place).second) return;
      std::string text = literal.text;
      if (edit_.strip) {
        const size_t at = text.find(edit_.prefix);
        if (at == std::string::npos) return;
        text.erase(at, edit_.prefix.size());
      } else {
        const size_t path =
            text.find("//") == std::string::npos ? 0 : std::min(text.find('/', text.find("//") + 2), text.size());
        text.insert(path, edit_.prefix);
      }
      // With what stands around it, so that the text is found on its line once: quotes or the template's surroundings.
      const size_t column = literal.location.column() - 1;
      const std::string& line = literal.line_text;
      std::string left = column > 0 ? line.substr(column - 1, 1) : "";
      std::string right = line.substr(std::min(line.size(), column + literal.text.size()), 1);
      if (line.compare(column, literal.text.size(), literal.text) != 0) return;
      actions.push_back(
          ReplaceText(client_.client->name(), literal.location.file(), literal.location.line(),
                      left + literal.text + right, left + text + right,
                      fmt::format("{} the prefix {} in {}", edit_.strip ? "Take away" : "Add", edit_.prefix,
                                  literal.location.file().substr(literal.location.file().rfind('/') + 1))));
    };
    for (const ClientCall& call : failing_) {
      if (!edit_.strip || call.path.starts_with(edit_.prefix + "/")) {
        if (call.base >= 0 &&
            (!edit_.strip || client_.calls.bases[call.base].text.find(edit_.prefix) != std::string::npos)) {
          change(client_.calls.bases[call.base]);
        } else {
          change(call.literal);
        }
      }
    }
    return actions;
  }

  // The latest change of one of the files that speaks of the prefix.
  const Change* LatestChange(const std::vector<std::string>& files, bool removed_only) const {
    const Change* latest = nullptr;
    for (const Change& change : scene_.changes) {
      if (std::find(files.begin(), files.end(), change.file) == files.end() ||
          (latest != nullptr && latest->commit.time >= change.commit.time))
        continue;
      for (const GitHunk& hunk : change.hunks) {
        auto mentions = [&](const std::vector<std::string>& lines) {
          return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
            return line.find(edit_.prefix) != std::string::npos ||
                   line.find(edit_.prefix.substr(1) + "/") != std::string::npos;
          });
        };
        if (mentions(hunk.removed) || (!removed_only && mentions(hunk.added)) || (removed_only && DropsRewrite(hunk)))
          latest = &change;
      }
    }
    return latest;
  }

  static bool DropsRewrite(const GitHunk& hunk) {
    return std::any_of(hunk.removed.begin(), hunk.removed.end(), [](const std::string& line) {
      return line.find("rewrite ") != std::string::npos || line.find("proxy_pass ") != std::string::npos;
    });
  }

  // A location that takes the prefix away, and leaves the rest to the locations that serve the paths without it.
  std::vector<v1::Action> GatewayInsertion() const {
    const NginxFacts* nginx = scene_.NginxOf(client_.gateway);
    if (nginx == nullptr || !edit_.strip) return {};
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, edit_.Apply(failing_[0].path));
    if (route.server == nullptr) return {};
    const auto locations = route.server->Find("location");
    const NginxDirective* sibling = route.location != nullptr ? route.location
                                    : locations.empty()       ? nullptr
                                                              : locations[0];
    if (sibling == nullptr) return {};
    // At the server's own level: before its first location in the same file.
    const v1::Location& place = sibling->words[0].location;
    const auto text = ReadFile(place.file());
    if (!text.ok() || !MayEdit(scene_, *client_.gateway, place.file())) return {};
    const LineIndex lines(*text);
    const std::string line = lines.Line(place.line());
    const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
    std::string inner = indent + (indent.find('\t') != std::string::npos ? "\t" : "    ");
    if (!sibling->block.empty() && sibling->block[0].words[0].location.line() > place.line()) {
      const std::string child = lines.Line(sibling->block[0].words[0].location.line());
      inner = child.substr(0, child.find_first_not_of(" \t"));
    }
    // Above the comment that belongs to the sibling.
    uint32_t above = place.line() - 1;
    while (above > 1 && lines.Line(above).find_first_not_of(" \t") != std::string::npos &&
           lines.Line(above)[lines.Line(above).find_first_not_of(" \t")] == '#') {
      --above;
    }
    std::string escaped;
    for (const char c : edit_.prefix) escaped += c == '.' ? "\\." : std::string(1, c);
    return {InsertLines(client_.gateway->name(), place.file(), above, lines.Line(above),
                        {indent + "location ^~ " + edit_.prefix + "/ {",
                         inner + "rewrite ^" + escaped + "(/.*)$ $1 last;", indent + "}", ""},
                        fmt::format("Serve {} as what follows it", edit_.prefix))};
  }

  struct Side {
    v1::Remedy remedy;
    const Change* change = nullptr;
    double rank = 0;
  };

  // Commits of the same second are told apart by their order in the history (newest first).
  static bool IsLater(const Change& a, const Change& b) {
    if (a.commit.time != b.commit.time) return a.commit.time > b.commit.time;
    return a.commit.hash != b.commit.hash && &a < &b;
  }

  double Rank(const Side& side) const {
    const auto& prefer = scene_.input.system.prefer_sides();
    const auto wish = std::find(prefer.begin(), prefer.end(), side.remedy.side());
    constexpr double kWish = 1000, kChange = 100, kContract = 10;
    double rank = wish == prefer.end() ? 0 : kWish * static_cast<double>(prefer.end() - wish);
    if (side.change != nullptr) {
      const bool last = std::none_of(sides_.begin(), sides_.end(), [&](const Side& other) {
        return other.change != nullptr && IsLater(*other.change, *side.change);
      });
      if (last) rank += kChange;
    }
    const auto& endpoints = client_.gateway->endpoints();
    const bool declared_with = std::any_of(endpoints.begin(), endpoints.end(), [&](const v1::Endpoint& e) {
      return e.path().starts_with(edit_.prefix + "/");
    });
    const bool contract_blames_client = edit_.strip ? !declared_with : declared_with;
    if (endpoints.size() > 0 && contract_blames_client == (side.remedy.side() == "client")) rank += kContract;
    if (other_clients_agree_ && side.remedy.side() == "gateway") rank += kContract * 2;
    return rank - side.remedy.actions_size();
  }

  void CollectSides() {
    for (const ClientFacts& other : scene_.clients) {
      if (other.client != client_.client && other.gateway == client_.gateway && !other.calls.calls.empty() &&
          edit_.strip && other.calls.calls[0].path.starts_with(edit_.prefix + "/"))
        other_clients_agree_ = true;
    }
    if (client_.editable()) {
      const auto actions = ClientActions();
      if (!actions.empty()) {
        sides_.push_back({MakeRemedy("client",
                                     fmt::format("{} the prefix {} in {}", edit_.strip ? "Take away" : "Add",
                                                 edit_.prefix, client_.client->name()),
                                     "client", actions),
                          LatestChange(client_.calls.files, false), 0});
      }
    }
    if (const NginxFacts* nginx = scene_.NginxOf(client_.gateway)) {
      const Change* change = LatestChange(nginx->config->files, true);
      if (change != nullptr && change->last_of_file && MayEdit(scene_, *client_.gateway, change->file)) {
        sides_.push_back(
            {MakeRemedy("gateway", fmt::format("Restore the routes that {} removed", change->commit.hash.substr(0, 10)),
                        "gateway", {GitRevert(client_.gateway->name(), *change)}),
             change, 0});
      } else if (const auto actions = GatewayInsertion(); !actions.empty()) {
        sides_.push_back({MakeRemedy("gateway", fmt::format("Let {} serve {}", client_.gateway->name(), edit_.prefix),
                                     "gateway", actions),
                          change, 0});
      }
    }
    for (Side& side : sides_) side.rank = Rank(side);
    std::stable_sort(sides_.begin(), sides_.end(), [](const Side& a, const Side& b) { return a.rank > b.rank; });
  }

  Candidate Propose() {
    CollectSides();
    Candidate candidate;
    v1::Hypothesis& h = candidate.hypothesis;
    h.set_kind("route.prefix_mismatch");
    const bool client_first = sides_.empty() || sides_[0].remedy.side() == "client";
    h.set_component(client_first ? client_.client->name() : client_.gateway->name());
    const std::string sample = failing_[0].path;
    h.set_title(edit_.strip ? fmt::format("{} calls {}..., {} serves it without {}", client_.client->name(),
                                          edit_.prefix, client_.gateway->name(), edit_.prefix)
                            : fmt::format("{} calls without {}, {} serves it only with it", client_.client->name(),
                                          edit_.prefix, client_.gateway->name()));
    std::string text = fmt::format(
        "{} of {} calls of {} find no route at {}. {} of them are served with the path {} instead (for example {} in "
        "place of {}).",
        failing_.size(), calls_.size(), client_.client->name(), client_.gateway->name(), served_,
        edit_.strip ? "without " + edit_.prefix : "after " + edit_.prefix, edit_.Apply(sample), sample);
    for (const Side& side : sides_) {
      if (side.change == nullptr) continue;
      text +=
          fmt::format(" On the {} side \"{}\" ({}) changed this {}.", side.remedy.side(), side.change->commit.subject,
                      side.change->commit.hash.substr(0, 10), omnix::FormatTime(side.change->commit.time));
      h.add_evidence_for(side.change->evidence);
    }
    h.set_explanation(text);
    for (const Side& side : sides_) *h.add_remedies() = side.remedy;
    Locate(&h);
    Tests(&h);
    Symptoms(&h);
    if (!client_.evidence.empty()) h.add_evidence_for(client_.evidence);
    const bool all = served_ == failing_.size();
    const bool changed =
        std::any_of(sides_.begin(), sides_.end(), [](const Side& side) { return side.change != nullptr; });
    h.set_confidence((all ? 0.9 : 0.75) + (changed ? 0.05 : 0));
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    return candidate;
  }

  void Locate(v1::Hypothesis* h) const {
    const bool client_first = sides_.empty() || sides_[0].remedy.side() == "client";
    if (client_first) {
      const ClientCall& call = failing_[0];
      *h->mutable_location() = call.base >= 0 ? client_.calls.bases[call.base].location : call.literal.location;
    } else if (sides_[0].change != nullptr) {
      h->mutable_location()->set_file(sides_[0].change->file);
      h->mutable_location()->set_line(sides_[0].change->hunks.empty() ? 0 : sides_[0].change->hunks[0].line);
    } else {
      const auto& with = sides_[0].remedy.actions(0).with().fields();
      h->mutable_location()->set_file(with.at("path").string_value());
      h->mutable_location()->set_line(static_cast<uint32_t>(with.at("after_line").number_value()) + 1);
    }
  }

  void Tests(v1::Hypothesis* h) {
    constexpr size_t kShown = 3;
    size_t shown = 0;
    for (const ClientCall& call : failing_) {
      const std::string other = edit_.Apply(call.path);
      if (other == call.path || ++shown > kShown) continue;
      const Answer with = scene_.prober.Ask(Ask(call.path, call.websocket)),
                   without = scene_.prober.Ask(Ask(other, call.websocket));
      v1::Counterfactual* test = h->add_tests();
      test->set_description(
          fmt::format("{} is answered with {}, {} with {}", call.path, with.status, other, without.status));
      test->set_agrees(Served(other, call.websocket));
      for (const std::string& id : {with.evidence, without.evidence}) test->add_evidence_ids(id);
      for (const std::string& id : {with.evidence, without.evidence})
        test->agrees() ? h->add_evidence_for(id) : h->add_evidence_against(id);
    }
  }

  void Symptoms(v1::Hypothesis* h) {
    for (const auto& [id, result] : scene_.symptom_results) {
      const auto& attributes = result.attributes();
      const auto url = attributes.find("url");
      if (url == attributes.end() || scene_.ServiceAt(url->second) != client_.gateway ||
          attributes.count("origin") > 0 || result.kind() == "dev_proxy")
        continue;
      const bool websocket = attributes.count("websocket") > 0;
      const std::string path = PathOf(url->second);
      // What the client's own calls prove holds for paths with a made-up key as well.
      const bool of_client =
          std::any_of(failing_.begin(), failing_.end(), [&](const ClientCall& call) { return call.path == path; });
      if (edit_.Apply(path) != path && Absent(path, websocket) && (of_client || Served(edit_.Apply(path), websocket)))
        h->add_symptom_ids(id);
    }
    if (h->symptom_ids_size() == 0) {
      h->add_symptom_ids(scene_.AddSymptom(
          client_.gateway->name(), "client calls",
          fmt::format("{} of {} calls of {} are not found", failing_.size(), calls_.size(), client_.client->name()),
          client_.evidence));
    }
  }

  Scene& scene_;
  const ClientFacts& client_;
  std::string base_;
  std::string control_ = "/omnix-probe-" + RandomHex(4);
  std::vector<ClientCall> calls_;
  std::vector<ClientCall> failing_;
  Edit edit_;
  size_t served_ = 0;
  bool other_clients_agree_ = false;
  std::vector<Side> sides_;
};

}  // namespace

void AnalyzeRoutePrefix(Scene* scene, std::vector<Candidate>* candidates) {
  for (const ClientFacts& client : scene->clients) {
    if (client.gateway == nullptr || client.gateway->base_url().empty() || client.calls.calls.empty()) continue;
    PrefixAnalysis(scene, client).Run(candidates);
  }
}

}  // namespace omnix

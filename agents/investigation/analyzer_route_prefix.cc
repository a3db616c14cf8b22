// route.prefix_mismatch: the client calls with a prefix that the gateway does not serve, without one that it does, or
// with another one.
//
// Counterfactual: the same calls with the prefix taken away, put before them or replaced are served. What declared
// endpoints with the same ending suggest is asked first, each suggestion of few calls. Which side is mended
// first: the owner's prefer_sides; else the side whose change mentions the prefix last; else the side that departs from
// the declared endpoints; else the narrower edit.
#include <algorithm>
#include <optional>
#include <set>

#include "agents/checks/http_tools.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/symptoms_of.h"
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
// To see whether an edit serves at all, and to be sure of it.
constexpr size_t kTriedCalls = 2;
constexpr size_t kTestedCalls = 5;

// What stands before the rest of a path, and what should. Either may be empty.
struct Edit {
  std::string from;
  std::string to;
  bool operator==(const Edit&) const = default;
  std::string Apply(const std::string& path) const {
    return path.starts_with(from + "/") ? to + path.substr(from.size()) : path;
  }
  // Takes away or replaces something that the client says.
  bool removes() const { return !from.empty(); }
  // "Take away the prefix /v1".
  std::string Text() const {
    if (to.empty()) return "Take away the prefix " + from;
    return from.empty() ? "Add the prefix " + to : fmt::format("Say {} in place of {}", to, from);
  }
  bool IsIn(const std::string& line) const {
    const auto has = [&](const std::string& prefix) {
      return !prefix.empty() &&
             (line.find(prefix) != std::string::npos || line.find(prefix.substr(1) + "/") != std::string::npos);
    };
    return has(from) || has(to);
  }
};

// What remains of a path when `count` segments are taken from its front; "" where there are not so many.
std::string Ending(const std::string& path, size_t count) {
  size_t at = 0;
  for (size_t i = 0; i < count && at != std::string::npos; ++i) at = path.find('/', at + 1);
  return at == std::string::npos ? "" : path.substr(at);
}

// The edit that makes `path` into `served`, as far as their longest common ending tells.
std::optional<Edit> EditTo(const std::string& path, const std::string& served) {
  constexpr size_t kMaxSegments = 4;
  for (size_t count = 0; count <= kMaxSegments; ++count) {
    const std::string ending = Ending(path, count);
    if (ending.size() < 2) return std::nullopt;
    if (served.size() < ending.size() || !served.ends_with(ending)) continue;
    const Edit edit{path.substr(0, path.size() - ending.size()), served.substr(0, served.size() - ending.size())};
    return edit.from == edit.to ? std::nullopt : std::optional(edit);
  }
  return std::nullopt;
}

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
    // What another request of the call's own method has shown to exist is not asked with GET.
    std::erase_if(calls_, [&](const ClientCall& call) {
      const int known = IsSafeMethod(call.method) ? 0 : scene_.http.KnownStatus(call.method, base_ + call.path);
      return known != 0 && known != kNotFoundStatus && known != kGoneStatus;
    });
    std::vector<Prober::Question> questions;
    for (const ClientCall& call : calls_) questions.push_back(Ask(call.path, call.websocket));
    scene_.prober.AskAll(questions);
    for (const ClientCall& call : calls_) {
      if (Absent(call.path, call.websocket)) failing_.push_back(call);
    }
    if (failing_.empty()) return;
    if (!FindEdit(IsExplained(*candidates))) return;
    candidates->push_back(Propose());
  }

 private:
  Prober::Question Ask(const std::string& path, bool websocket = false) const {
    return {client_.gateway->name(), base_ + path, "", websocket};
  }

  // Whether a test has shown another cause of all that fails.
  bool IsExplained(const std::vector<Candidate>& candidates) const {
    constexpr double kShown = 0.85;
    std::set<std::string> explained;
    for (const Candidate& candidate : candidates) {
      const v1::Hypothesis& h = candidate.hypothesis;
      if (h.confidence() < kShown || h.tests().empty()) continue;
      for (const std::string& id : h.symptom_ids()) {
        const auto result = scene_.symptom_results.find(id);
        if (result != scene_.symptom_results.end()) explained.insert(AttributeOf(result->second, "path"));
      }
    }
    return std::all_of(failing_.begin(), failing_.end(),
                       [&](const ClientCall& call) { return explained.contains(call.path); });
  }

  // Only "not found" speaks of routing: no answer or a server's error does not.
  bool Absent(const std::string& path, bool websocket) {
    const Answer& answer = scene_.prober.Ask(Ask(path, websocket));
    return answer.status == kNotFoundStatus || answer.status == kGoneStatus || IsFallback(answer);
  }

  // A gateway that answers every unknown path with the same page.
  bool IsFallback(const Answer& answer) {
    const bool page = answer.content_type.starts_with("text/html");
    if (!page || answer.status == 0 || answer.status >= kFirstErrorStatus) return false;
    const Answer control = scene_.prober.Ask(Ask(control_));
    return control.status > 0 && control.status < kFirstErrorStatus && answer.status == control.status &&
           answer.body_hash == control.body_hash;
  }

  bool Served(const std::string& path, bool websocket) {
    constexpr int kFirstOk = 200;
    const Answer answer = scene_.prober.Ask(Ask(path, websocket));
    // A page in answer to an upgrade shows that nothing there takes upgrades.
    if (websocket && answer.status >= kFirstOk && answer.status < kFirstErrorStatus) return false;
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

  // `explained`: that another cause is known leaves only what the model itself suggests.
  std::vector<Edit> Edits(bool explained) const {
    std::vector<std::string> strip, add;
    if (!client_.calls.base_path.empty()) strip.push_back(client_.calls.base_path);
    for (const ClientCall& call : failing_) AddPrefixes(call.path, &strip);
    for (const v1::Endpoint& endpoint : client_.gateway->endpoints()) AddPrefixes(endpoint.path(), &add);
    if (const NginxFacts* nginx = scene_.NginxOf(client_.gateway)) {
      for (const NginxDirective* server : NginxServers(*nginx->config)) {
        for (const NginxDirective* location : server->Find("location")) {
          std::string path = location->words.back().text;
          if (location->Argument(1) == "=") continue;
          if (path.starts_with('/')) AddPrefixes(path.ends_with('/') ? path : path + "/", &add);
        }
      }
    }
    std::vector<Edit> edits = Suggested();
    if (explained) return edits;
    const auto offer = [&](Edit edit) {
      if (std::find(edits.begin(), edits.end(), edit) == edits.end()) edits.push_back(std::move(edit));
    };
    for (size_t i = 0; i < std::min(strip.size(), kMaxPrefixes); ++i) offer({strip[i], ""});
    for (size_t i = 0; i < std::min(add.size(), kMaxPrefixes); ++i) {
      // What all of them have already is not what they lack.
      const bool said = std::all_of(failing_.begin(), failing_.end(),
                                    [&](const ClientCall& call) { return call.path.starts_with(add[i] + "/"); });
      if (!said) offer({"", add[i]});
    }
    return edits;
  }

  // By the gateway's endpoints that have the same endings as failing calls: those that fit the most calls first.
  std::vector<Edit> Suggested() const {
    std::vector<std::pair<Edit, size_t>> votes;
    for (const ClientCall& call : failing_) {
      for (const v1::Endpoint& endpoint : client_.gateway->endpoints()) {
        const std::optional<Edit> edit = EditTo(call.path, endpoint.path());
        if (!edit) continue;
        const auto known =
            std::find_if(votes.begin(), votes.end(), [&](const auto& vote) { return vote.first == *edit; });
        known == votes.end() ? votes.push_back({*edit, 1}) : void(++known->second);
      }
    }
    std::stable_sort(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<Edit> edits;
    for (size_t i = 0; i < std::min(votes.size(), kMaxPrefixes); ++i) edits.push_back(votes[i].first);
    return edits;
  }

  // Of the calls to which the edit does something, the first `count` are asked so; how many of them are served.
  size_t Serves(const Edit& edit, size_t count, size_t* asked) {
    std::vector<Prober::Question> questions;
    for (const ClientCall& call : failing_) {
      if (questions.size() < count && edit.Apply(call.path) != call.path)
        questions.push_back(Ask(edit.Apply(call.path), call.websocket));
    }
    scene_.prober.AskAll(questions);
    *asked = questions.size();
    return static_cast<size_t>(std::count_if(questions.begin(), questions.end(), [&](const Prober::Question& question) {
      return Served(question.url.substr(base_.size()), question.websocket);
    }));
  }

  bool FindEdit(bool explained) {
    // Paths with a made-up key ("/orders/1") are not found even where the route is well: they are asked last.
    std::stable_partition(failing_.begin(), failing_.end(), [](const ClientCall& call) { return !call.has_template; });
    for (const Edit& edit : Edits(explained)) {
      size_t asked = 0;
      if (Serves(edit, kTriedCalls, &asked) == 0) continue;
      const size_t served = Serves(edit, kTestedCalls, &asked);
      if (served <= served_) continue;
      served_ = served;
      tested_ = asked;
      edit_ = edit;
      if (served == asked && (asked == kTestedCalls || asked == failing_.size())) break;
    }
    size_t certain = 0;
    for (const ClientCall& call : failing_) certain += call.has_template ? 0 : 1;
    return served_ > 0 && served_ * 2 >= std::min(certain, tested_);
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
      if (edit_.removes()) {
        const size_t at = text.find(edit_.from);
        if (at == std::string::npos) return;
        text.replace(at, edit_.from.size(), edit_.to);
      } else {
        const size_t path =
            text.find("//") == std::string::npos ? 0 : std::min(text.find('/', text.find("//") + 2), text.size());
        text.insert(path, edit_.to);
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
                      fmt::format("{} in {}", edit_.Text(),
                                  literal.location.file().substr(literal.location.file().rfind('/') + 1))));
    };
    for (const ClientCall& call : failing_) {
      if (call.path.starts_with(edit_.from + "/")) {
        if (call.base >= 0 &&
            (!edit_.removes() || client_.calls.bases[call.base].text.find(edit_.from) != std::string::npos)) {
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
          return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return edit_.IsIn(line); });
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

  // A location that takes the prefix away (or puts the right one), and leaves the rest to the locations that serve
  // that.
  std::vector<v1::Action> GatewayInsertion() const {
    const NginxFacts* nginx = scene_.NginxOf(client_.gateway);
    if (nginx == nullptr || !edit_.removes()) return {};
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
    for (const char c : edit_.from) escaped += c == '.' ? "\\." : std::string(1, c);
    return {InsertLines(client_.gateway->name(), place.file(), above, lines.Line(above),
                        {indent + "location ^~ " + edit_.from + "/ {",
                         inner + "rewrite ^" + escaped + "(/.*)$ " + edit_.to + "$1 last;", indent + "}", ""},
                        edit_.to.empty() ? fmt::format("Serve {} as what follows it", edit_.from)
                                         : fmt::format("Serve {} as {}", edit_.from, edit_.to))};
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
      return e.path().starts_with((edit_.to.empty() ? edit_.from : edit_.to) + "/");
    });
    const bool contract_blames_client = edit_.to.empty() ? !declared_with : declared_with;
    if (endpoints.size() > 0 && contract_blames_client == (side.remedy.side() == "client")) rank += kContract;
    if (other_clients_agree_ && side.remedy.side() == "gateway") rank += kContract * 2;
    return rank - side.remedy.actions_size();
  }

  void CollectSides() {
    for (const ClientFacts& other : scene_.clients) {
      if (other.client != client_.client && other.gateway == client_.gateway && !other.calls.calls.empty() &&
          edit_.removes() && other.calls.calls[0].path.starts_with(edit_.from + "/"))
        other_clients_agree_ = true;
    }
    if (client_.editable()) {
      const auto actions = ClientActions();
      if (!actions.empty()) {
        sides_.push_back(
            {MakeRemedy("client", fmt::format("{} in {}", edit_.Text(), client_.client->name()), "client", actions),
             LatestChange(client_.calls.files, false), 0});
      }
    }
    if (const NginxFacts* nginx = scene_.NginxOf(client_.gateway)) {
      const Change* change = LatestChange(nginx->config->files, true);
      if (change != nullptr && change->IsRevertible() && MayEdit(scene_, *client_.gateway, change->file)) {
        sides_.push_back({MakeRemedy("gateway", fmt::format("Restore the routes that {} removed", change->Title()),
                                     "gateway", {GitRevert(client_.gateway->name(), *change)}),
                          change, 0});
      } else if (const auto actions = GatewayInsertion(); !actions.empty()) {
        sides_.push_back({MakeRemedy("gateway", fmt::format("Let {} serve {}", client_.gateway->name(), edit_.from),
                                     "gateway", actions),
                          change, 0});
      }
    }
    for (Side& side : sides_) side.rank = Rank(side);
    std::stable_sort(sides_.begin(), sides_.end(), [](const Side& a, const Side& b) { return a.rank > b.rank; });
  }

  std::string Title() const {
    const std::string &client = client_.client->name(), &gateway = client_.gateway->name();
    if (edit_.to.empty())
      return fmt::format("{} calls {}..., {} serves it without {}", client, edit_.from, gateway, edit_.from);
    if (edit_.from.empty())
      return fmt::format("{} calls without {}, {} serves it only with it", client, edit_.to, gateway);
    return fmt::format("{} calls {}..., {} serves it as {}...", client, edit_.from, gateway, edit_.to);
  }

  Candidate Propose() {
    CollectSides();
    Candidate candidate;
    v1::Hypothesis& h = candidate.hypothesis;
    h.set_kind("route.prefix_mismatch");
    const bool client_first = sides_.empty() || sides_[0].remedy.side() == "client";
    h.set_component(client_first ? client_.client->name() : client_.gateway->name());
    const std::string sample = failing_[0].path;
    h.set_title(Title());
    std::string text = fmt::format(
        "{} of {} calls of {} find no route at {}. {} of {} that were asked otherwise are served (for example {} in "
        "place of {}).",
        failing_.size(), calls_.size(), client_.client->name(), client_.gateway->name(), served_, tested_,
        edit_.Apply(sample), sample);
    for (const Side& side : sides_) {
      if (side.change == nullptr) continue;
      text += fmt::format(" On the {} side {} changed this {}.", side.remedy.side(), side.change->Name(),
                          omnix::FormatTime(side.change->commit.time));
      h.add_evidence_for(side.change->evidence);
    }
    h.set_explanation(text);
    for (const Side& side : sides_) *h.add_remedies() = side.remedy;
    Locate(&h);
    Tests(&h);
    Symptoms(&h);
    if (!client_.evidence.empty()) h.add_evidence_for(client_.evidence);
    const bool all = served_ == tested_;
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

  // Whether the development server forwards rightly what the client would call with the edit: where the part that is
  // edited stands alike in the call and in what the proxy makes of it.
  bool FollowsTheEdit(const v1::CheckResult& result) {
    const std::string forwarded = AttributeOf(result, "forwarded_path"), call = AttributeOf(result, "path");
    const std::string wanted = edit_.Apply(forwarded);
    if (!client_.dev || wanted == forwarded) return false;
    const size_t shortest = std::min(wanted.size(), forwarded.size());
    size_t same = 0;
    while (same < shortest && wanted[same] == forwarded[same]) ++same;
    const size_t behind = forwarded.size() - same;
    if (call.size() < behind || call.substr(call.size() - behind) != forwarded.substr(same)) return false;
    const DevForward forward = client_.dev->Forward(call.substr(0, call.size() - behind) + wanted.substr(same));
    return forward.proxied && forward.certain && forward.path == wanted;
  }

  void Symptoms(v1::Hypothesis* h) {
    for (const auto& [id, result] : scene_.symptom_results) {
      const auto& attributes = result.attributes();
      const auto url = attributes.find("url");
      if (url == attributes.end() || scene_.ServiceAt(url->second) != client_.gateway || attributes.count("origin") > 0)
        continue;
      if (result.kind() == "dev_proxy") {
        if (FollowsTheEdit(result)) h->add_symptom_ids(id);
        continue;
      }
      const bool websocket = attributes.count("websocket") > 0;
      const std::string path = PathOf(url->second);
      // What the client's own calls prove holds for paths with a made-up key as well.
      const bool of_client =
          std::any_of(failing_.begin(), failing_.end(), [&](const ClientCall& call) { return call.path == path; });
      if (edit_.Apply(path) != path && (of_client || (Absent(path, websocket) && Served(edit_.Apply(path), websocket))))
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
  // Of so many calls that were asked with the edit, so many are served.
  size_t tested_ = 0;
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

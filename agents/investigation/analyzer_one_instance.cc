// One of several copies behind the same address fails, so that only some requests do: each copy that the gateway's
// upstream block or the model names is asked straight. What the model does not know (or has elsewhere) is a stale
// address of the gateway; a declared copy that is silent hangs, and one that answers otherwise than its siblings runs
// another version or is broken by itself.
#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/probe_instances.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/symptoms_of.h"
#include "agents/sources/git_history.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kAskTimeout = absl::Seconds(4);
constexpr size_t kMaxCopies = 8;
// Where all copies answered well once, each is asked so many times more.
constexpr int kMaxRepeats = 3;
constexpr size_t kMaxCalls = 3;
constexpr double kStale = 0.9;
constexpr double kOtherVersion = 0.85;
constexpr double kOlderStart = 0.9;
constexpr double kBrokenAlone = 0.7;
constexpr double kSilent = 0.8;
constexpr double kNamedAlready = 0.6;
constexpr double kExplained = 0.85;

struct Copy {
  std::string address;
  // Null: the model does not know the address.
  const v1::Service* service = nullptr;
  const v1::Instance* instance = nullptr;
  int status = 0;
  bool refused = false;
  bool silent = false;
  // Of so many times that it was asked, so many failed.
  int asked = 0;
  int failed = 0;
  std::string evidence;

  bool fails() const { return failed > 0; }
};

struct Call {
  std::string path;
  std::vector<std::string> symptoms;
  const v1::Service* gateway = nullptr;
  const NginxFacts* nginx = nullptr;
  std::string upstream;
  std::vector<Copy> copies;
};

bool IsFailing(int status) { return status == 0 || status >= 500 || (status >= 401 && status <= 405); }

bool IsUnsure(const v1::CheckResult& result) { return IsFailing(StatusOf(result)); }

std::string NameOf(const Copy& copy) {
  return copy.instance != nullptr && !copy.instance->name().empty()
             ? fmt::format("{} ({})", copy.instance->name(), copy.address)
             : copy.address;
}

const v1::Instance* InstanceAt(const v1::Service& service, const std::string& address) {
  for (const v1::Instance& instance : service.instances()) {
    if (AddressOf(instance.base_url()) == address) return &instance;
  }
  return nullptr;
}

std::string Told(const Copy& copy) {
  const std::string answer = copy.refused       ? "refuses connections"
                             : copy.silent      ? "does not answer"
                             : copy.status == 0 ? "gives no answer"
                                                : fmt::format("answers {}", copy.status);
  if (copy.asked <= 1) return fmt::format("{} {}", NameOf(copy), answer);
  return fmt::format("{} failed {} of {} times ({})", NameOf(copy), copy.failed, copy.asked, answer);
}

class CallJudge {
 public:
  CallJudge(Scene* scene, std::vector<Candidate>* candidates) : scene_(*scene), candidates_(*candidates) {}

  // False where no copy answers at all: then other calls would only wait as long.
  bool Judge(Call call, const std::string& scheme, bool repeat) {
    AskAll(scheme, &call);
    const auto fails = [](const Copy& copy) { return copy.fails(); };
    if (repeat && std::none_of(call.copies.begin(), call.copies.end(), fails)) AskAgain(scheme, &call);
    const auto good = std::find_if_not(call.copies.begin(), call.copies.end(), fails);
    if (good == call.copies.end())
      return std::any_of(call.copies.begin(), call.copies.end(), [](const Copy& copy) { return !copy.silent; });
    for (Copy& copy : call.copies) {
      if (!copy.fails()) continue;
      copy.evidence = scene_.book.Add(MakeEvidence(
          "instances", (copy.service != nullptr ? copy.service : call.gateway)->name(),
          fmt::format("GET {} straight: {}; {}", call.path, Told(copy), Told(*good)), "", {}, {{"path", call.path}}));
      AddCandidate(call, copy, *good);
    }
    return true;
  }

 private:
  // All at once: those that are silent cost the time of one.
  void AskAll(const std::string& scheme, Call* call) {
    std::vector<std::thread> threads;
    for (Copy& copy : call->copies) {
      threads.emplace_back([&] {
        HttpRequest request;
        request.url = scheme + copy.address + call->path;
        request.timeout = kAskTimeout;
        Note(scene_.http.Send(request), &copy);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void AskAgain(const std::string& scheme, Call* call) {
    for (int round = 0; round < kMaxRepeats; ++round) {
      for (Copy& copy : call->copies) {
        if (scene_.input.cancelled()) return;
        HttpRequest request;
        request.url = scheme + copy.address + call->path;
        request.timeout = kAskTimeout;
        Note(scene_.http.SendAnew(request), &copy);
      }
    }
  }

  static void Note(const absl::StatusOr<HttpResponse>& answer, Copy* copy) {
    ++copy->asked;
    const int status = answer.ok() ? answer->status : 0;
    if (!IsFailing(status)) {
      if (!copy->fails()) copy->status = status;
      return;
    }
    ++copy->failed;
    copy->status = status;
    copy->silent = absl::IsDeadlineExceeded(answer.status());
    copy->refused = !answer.ok() && Message(answer.status()).find("refused") != std::string::npos;
  }

  // The line of the upstream block that names the copy.
  static const NginxDirective* LineOf(const Call& call, const Copy& copy) {
    if (call.nginx == nullptr) return nullptr;
    return FindDirective(*call.nginx->config, [&](const NginxDirective& directive) {
      return directive.name() == "server" && !directive.has_block && AddressOf(directive.Argument(1)) == copy.address;
    });
  }

  // More is known of this copy than that it fails.
  bool IsNamed(const v1::Service& service, const Copy& copy) const {
    return std::any_of(candidates_.begin(), candidates_.end(), [&](const Candidate& candidate) {
      const v1::Hypothesis& h = candidate.hypothesis;
      const bool names = h.title().find(copy.address) != std::string::npos ||
                         (copy.instance != nullptr && h.title().find(copy.instance->name()) != std::string::npos);
      return h.component() == service.name() && h.confidence() >= kNamedAlready &&
             (names || h.kind() == "endpoint.bad_deploy");
    });
  }

  void AddCandidate(const Call& call, const Copy& copy, const Copy& good) {
    v1::Hypothesis h;
    if (copy.service == nullptr || copy.service != good.service) {
      if (call.gateway == nullptr || good.service == nullptr) return;
      MakeStale(call, copy, good, &h);
    } else if (IsNamed(*copy.service, copy)) {
      return;
    } else {
      MakeBroken(call, copy, good, &h);
    }
    for (const std::string& id : call.symptoms) h.add_symptom_ids(id);
    h.add_evidence_for(copy.evidence);
    v1::Counterfactual* test = h.add_tests();
    test->set_description(fmt::format("asked straight, {}, {}", Told(copy), Told(good)));
    test->set_agrees(true);
    test->add_evidence_ids(copy.evidence);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates_.push_back({std::move(h), {}});
  }

  void MakeStale(const Call& call, const Copy& copy, const Copy& good, v1::Hypothesis* h) {
    h->set_kind("upstream.stale_address");
    h->set_component(call.gateway->name());
    if (const NginxDirective* line = LineOf(call, copy)) *h->mutable_location() = line->words[0].location;
    const std::string whose = copy.service == nullptr
                                  ? "the model knows no service there"
                                  : fmt::format("{} is there, not {}", copy.service->name(), good.service->name());
    h->set_title(fmt::format("{} still sends some requests of {} to {}", call.gateway->name(), good.service->name(),
                             copy.address));
    h->set_explanation(fmt::format("Of the {} servers of {}, {} and {}: about one request in {} fails. {}.",
                                   call.copies.size(), call.upstream, Told(copy), Told(good), call.copies.size(),
                                   whose));
    h->set_confidence(kStale);
    AddRevert(scene_, *call.gateway, h);
  }

  void MakeBroken(const Call& call, const Copy& copy, const Copy& good, v1::Hypothesis* h) {
    const v1::Service& service = *copy.service;
    const std::string older = StartedBefore(service, copy, good);
    const bool version = copy.status >= 404 && copy.status <= 405;
    h->set_kind(copy.refused ? "service.process_down" : copy.silent ? "service.hung" : "endpoint.bad_deploy");
    h->set_component(service.name());
    h->set_title(fmt::format("Only {} of {} fails {}{}", NameOf(copy), service.name(), call.path,
                             !older.empty() ? ": it runs what was there before the last change"
                             : version      ? ": it runs another version than its siblings"
                                            : ""));
    h->set_explanation(
        fmt::format("{}, while {}: about one request in {} fails.", Told(copy), Told(good), call.copies.size()));
    if (!older.empty()) h->add_evidence_for(older);
    h->set_confidence(copy.refused || copy.silent ? kSilent
                      : !older.empty()            ? kOlderStart
                      : version                   ? kOtherVersion
                                                  : kBrokenAlone);
    if (service.commands().contains("restart")) {
      v1::Remedy remedy = MakeRemedy("restart", fmt::format("Run {}.restart", service.name()), "process",
                                     {RunCommand(service, "restart")});
      // What is on disk is newer than what runs: then a restart is the cure.
      remedy.set_symptom_only(older.empty());
      *h->add_remedies() = remedy;
    }
  }

  // Evidence that the copy's process is older than a commit which its sibling's process is younger than; "" where it is
  // not, or nothing tells.
  std::string StartedBefore(const v1::Service& service, const Copy& copy, const Copy& good) {
    const ProcessFacts* old = ProcessOf(scene_, service, copy.instance);
    const ProcessFacts* young = ProcessOf(scene_, service, good.instance);
    if (old == nullptr || young == nullptr || old->processes.empty() || young->processes.empty()) return "";
    const absl::Time from = old->processes[0].started, to = young->processes[0].started;
    if (from >= to) return "";
    for (const v1::Repository& repository : scene_.input.system.repositories()) {
      const auto commits = GitLog(repository.path(), from);
      if (!commits.ok()) continue;
      for (const GitCommit& commit : *commits) {
        if (commit.time <= from || commit.time >= to) continue;
        return scene_.book.Add(
            MakeEvidence("instances", service.name(),
                         fmt::format("{} runs since {}, {} since {}; in between came \"{}\" ({})", NameOf(copy),
                                     omnix::FormatTime(from), NameOf(good), omnix::FormatTime(to), commit.subject,
                                     commit.hash.substr(0, 10))));
      }
    }
    return "";
  }

  Scene& scene_;
  std::vector<Candidate>& candidates_;
};

void AddCopy(const Scene& scene, const std::string& text, std::vector<Copy>* copies) {
  const std::string address = AddressOf(text);
  const bool known = std::any_of(copies->begin(), copies->end(), [&](const Copy& c) { return c.address == address; });
  if (address.empty() || known || copies->size() >= kMaxCopies) return;
  Copy copy;
  copy.address = address;
  copy.service = scene.ServiceAt(address);
  if (copy.service != nullptr) copy.instance = InstanceAt(*copy.service, address);
  copies->push_back(std::move(copy));
}

// Whether a cause that a test has shown is known for the call, however many checks met it: then the copies need not be
// asked.
bool IsExplained(const std::vector<Candidate>& candidates, const std::vector<std::string>& symptoms) {
  return std::any_of(symptoms.begin(), symptoms.end(), [&](const std::string& symptom) {
    return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
      const v1::Hypothesis& h = candidate.hypothesis;
      const auto& ids = h.symptom_ids();
      return h.confidence() >= kExplained && h.tests_size() > 0 &&
             std::find(ids.begin(), ids.end(), symptom) != ids.end();
    });
  });
}

// By what a gateway passes on and fails.
void JudgeGateways(Scene* scene, const std::vector<Candidate>& candidates, CallJudge* judge,
                   std::set<std::pair<const v1::Service*, std::string>>* done) {
  std::map<std::pair<std::string, std::string>, std::pair<Call, GatewayRequest>> calls;
  for (const GatewayRequest& request : GatewayRequests(*scene, IsUnsure)) {
    if (request.route.kind != NginxRoute::Kind::kProxy) continue;
    auto& [call, first] = calls[{request.route.upstream, request.route.upstream_path}];
    call.symptoms.push_back(request.symptom);
    if (call.symptoms.size() > 1) continue;
    first = request;
    call.path = request.route.upstream_path;
    call.gateway = request.gateway;
    call.nginx = request.nginx;
    call.upstream = request.route.upstream;
    for (const std::string& address : request.route.addresses) AddCopy(*scene, address, &call.copies);
    if (call.copies.size() > 1 || request.upstream == nullptr) continue;
    for (const v1::Instance& instance : request.upstream->instances())
      AddCopy(*scene, instance.base_url(), &call.copies);
  }
  size_t asked = 0;
  for (auto& [key, value] : calls) {
    auto& [call, first] = value;
    if (call.copies.size() < 2 || IsExplained(candidates, call.symptoms) || ++asked > kMaxCalls) continue;
    done->insert({first.upstream, call.path});
    if (!judge->Judge(call, first.scheme, first.result->kind() == "access_log")) return;
  }
}

// By what the copies were asked already.
void JudgeInstances(Scene* scene, CallJudge* judge, const std::set<std::pair<const v1::Service*, std::string>>& done) {
  for (const v1::Service& service : scene->input.system.services()) {
    Call call;
    for (const InstanceFacts* facts : InstancesOf(*scene, service)) {
      AddCopy(*scene, facts->instance->base_url(), &call.copies);
      if (call.path.empty()) call.path = PathFailedAlone(*scene, *facts);
    }
    if (call.path.empty() || done.contains({&service, call.path})) continue;
    call.symptoms = SymptomsBehind(*scene, service);
    const bool https = service.instances(0).base_url().starts_with("https://");
    judge->Judge(std::move(call), https ? "https://" : "http://", false);
  }
}

}  // namespace

void AnalyzeOneInstance(Scene* scene, std::vector<Candidate>* candidates) {
  CallJudge judge(scene, candidates);
  std::set<std::pair<const v1::Service*, std::string>> done;
  JudgeGateways(scene, *candidates, &judge, &done);
  JudgeInstances(scene, &judge, done);
}

}  // namespace omnix

// What an investigation knows: the case that it was given, the facts that its probes found, and the book of evidence.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/diagnosis.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agents/checks/http_broker.h"
#include "agents/investigation/facts.h"
#include "agents/sources/client_source.h"
#include "agents/sources/dev_proxy.h"
#include "agents/sources/git_history.h"
#include "agents/sources/nginx_config.h"

namespace omnix {

// What an earlier incident turned out to be: its fix was validated.
struct PriorCause {
  std::string incident;
  std::string kind;
  std::string component;
  // Where the fix was made; empty: unknown.
  std::string file;
};

struct Case {
  v1::SystemModel system;
  // When the trouble began, as far as the alert says.
  absl::Time started_at = absl::InfinitePast();
  absl::Time now;
  // Explanations that were tried already.
  std::vector<std::string> spent;
  // Newest first.
  std::vector<PriorCause> prior;
  // Services that the alerts speak of.
  std::set<std::string> reported;
  std::function<void(const v1::Evidence&)> report = [](const v1::Evidence&) {};
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  std::function<bool()> cancelled = [] { return false; };
  std::function<absl::Duration()> remaining = [] { return absl::Minutes(1); };
};

// Gives evidence its ids, redacts it and passes it on. Thread-safe.
class EvidenceBook {
 public:
  EvidenceBook(const Case& investigation) : case_(investigation) {}
  // The id. Texts may be raw.
  std::string Add(v1::Evidence evidence);
  const std::vector<v1::Evidence>& all() const { return evidence_; }

 private:
  const Case& case_;
  std::mutex mutex_;
  std::vector<v1::Evidence> evidence_;
};

v1::Evidence MakeEvidence(const std::string& source, const std::string& component, const std::string& summary,
                          const std::string& excerpt = "", const v1::Location& location = {},
                          const std::map<std::string, std::string>& attributes = {});

struct Answer {
  // 0: no answer, see error.
  int status = 0;
  std::string error;
  bool refused = false;
  // No answer in the time that a probe waits.
  bool timed_out = false;
  absl::Duration duration;
  std::string allow_origin;
  std::string content_type;
  std::string body_hash;
  std::string evidence;
};

// Asks the system under care: GET, OPTIONS and WebSocket upgrades only, only of addresses that the system model
// declares, each question once, at the pace of the HttpBroker. Thread-safe; AskAll asks at most kMaxParallelProbes at a
// time.
class Prober {
 public:
  static constexpr int kMaxParallelProbes = 8;
  static constexpr size_t kMaxProbes = 600;

  struct Question {
    std::string component;
    std::string url;
    // Set: a CORS preflight of this origin.
    std::string origin;
    bool websocket = false;
    bool operator<(const Question& other) const;
  };

  Prober(const Case& investigation, EvidenceBook* book, HttpBroker* http);
  void AskAll(const std::vector<Question>& questions);
  // Of a question that may not be asked: status 0 and an error that says why.
  const Answer& Ask(const Question& question);
  // False where the URL is at no declared address.
  bool MayAsk(const std::string& url) const;

 private:
  Answer Send(const Question& question) const;
  const Case& case_;
  EvidenceBook& book_;
  HttpBroker& http_;
  std::vector<std::string> allowed_;
  std::mutex mutex_;
  // An answer stays where it is.
  std::map<Question, Answer> answers_;
};

struct ClientFacts {
  const v1::Client* client = nullptr;
  const v1::Service* gateway = nullptr;
  ClientCalls calls;
  // As the development server's build makes them.
  ClientCalls dev_calls;
  std::optional<DevProxy> dev;
  std::string evidence;
  std::string dev_evidence;
  bool editable() const { return !client->has_editable() || client->editable(); }
};

struct NginxFacts {
  const v1::Service* service = nullptr;
  const v1::ConfigFile* file = nullptr;
  std::optional<NginxConfig> config;
  // Why it could not be read ("nginx.conf:3:1: unexpected '}'").
  std::string error;
  std::string evidence;
  int port = 0;
  std::string host;
};

// A commit's change of one file; or what was edited in it and not committed: that one's commit has no hash, and the
// time at which the file was written.
struct Change {
  std::string repository;
  GitCommit commit;
  std::string file;
  std::vector<GitHunk> hunks;
  std::string evidence;
  // No later commit changed the file; true of an edit.
  bool last_of_file = false;

  bool IsCommitted() const { return !commit.hash.empty(); }
  // Whether git can take it back without touching what came later.
  bool IsRevertible() const { return IsCommitted() && last_of_file; }
  // For people: "\"Shorter paths\"", "an edit that is not committed".
  std::string Title() const;
  // With the beginning of the commit's hash.
  std::string Name() const;
};

struct Scene {
  Scene(const Case& investigation, EvidenceBook* evidence, HttpBroker* broker, Prober* questions)
      : input(investigation), book(*evidence), http(*broker), prober(*questions) {}

  const Case& input;
  EvidenceBook& book;
  // Every HTTP request of an investigation goes through it (or through the prober, which uses it).
  HttpBroker& http;
  Prober& prober;
  FactBook facts;
  std::vector<v1::CheckResult> results;
  std::vector<v1::Symptom> symptoms;
  // The result behind each symptom, by the symptom's id.
  std::map<std::string, v1::CheckResult> symptom_results;
  std::vector<ClientFacts> clients;
  std::vector<NginxFacts> nginx;
  std::vector<Change> changes;
  std::vector<std::string> ruled_out;

  const v1::Service* FindService(const std::string& name) const;
  // The service with a base_url, a listen address or an instance which this URL or "host:port" is at.
  const v1::Service* ServiceAt(const std::string& url_or_address) const;
  const NginxFacts* NginxOf(const v1::Service* service) const;
  // Changes of a file, newest first.
  std::vector<const Change*> ChangesOf(const std::string& file) const;
  // It was made in the two days before the trouble, or since.
  bool IsRecent(const Change& change) const;
  bool IsRecent(absl::Time changed) const;
  // The newest one of a file that is; null where none is.
  const Change* RecentChangeOf(const std::string& file) const;
  // The id. Thread-safe.
  std::string AddSymptom(const std::string& component, const std::string& check, const std::string& summary,
                         const std::string& evidence);

 private:
  std::mutex symptoms_mutex_;
};

// Reads the clients and gateways that the model names; runs its suites (and what they lack), whose failures are
// symptoms, and all probes.
void Observe(Scene* scene);

// "/v1/products" of "http://h:1/v1/products?x".
std::string PathOf(const std::string& url);
// "host:port" of a URL or address, "localhost" and wildcards as 127.0.0.1.
std::string AddressOf(const std::string& url_or_address);

}  // namespace omnix

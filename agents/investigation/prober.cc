#include <algorithm>
#include <atomic>
#include <thread>
#include <tuple>

#include "agents/checks/http_tools.h"
#include "agents/checks/websocket_client.h"
#include "agents/investigation/scene.h"
#include "common/hash.h"
#include "common/http_client.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr absl::Duration kProbeTimeout = absl::Seconds(5);
constexpr size_t kMaxProbeBody = 64 << 10;
constexpr int kSwitchingProtocols = 101;

}  // namespace

bool Prober::Question::operator<(const Question& o) const {
  return std::tie(url, origin, websocket, component) < std::tie(o.url, o.origin, o.websocket, o.component);
}

Prober::Prober(const Case& investigation, EvidenceBook* book, HttpBroker* http)
    : case_(investigation), book_(*book), http_(*http) {
  for (const v1::Service& service : case_.system.services()) {
    if (!service.base_url().empty()) allowed_.push_back(AddressOf(service.base_url()));
    for (const std::string& listen : service.listen()) allowed_.push_back(AddressOf(listen));
    for (const v1::Instance& instance : service.instances()) allowed_.push_back(AddressOf(instance.base_url()));
  }
}

bool Prober::MayAsk(const std::string& url) const {
  return std::find(allowed_.begin(), allowed_.end(), AddressOf(url)) != allowed_.end();
}

Answer Prober::Send(const Question& question) const {
  Answer answer;
  const absl::Duration timeout = std::min(kProbeTimeout, case_.remaining());
  if (!MayAsk(question.url)) {
    answer.error = "not at an address that the system model declares";
    return answer;
  }
  if (case_.cancelled() || timeout <= absl::ZeroDuration()) {
    answer.error = "not asked: the time is up";
    return answer;
  }
  std::string excerpt, what = "GET";
  if (question.websocket) {
    what = "WebSocket";
    WebSocketRequest request;
    request.url = question.url;
    request.timeout = timeout;
    if (!question.origin.empty()) request.headers.emplace_back("Origin", question.origin);
    const auto outcome = http_.Converse(request);
    if (outcome.ok()) answer.status = outcome->accepted ? kSwitchingProtocols : outcome->status;
    if (!outcome.ok()) answer.error = Message(outcome.status());
    answer.refused = answer.error.find("refused") != std::string::npos;
  } else {
    HttpRequest request;
    request.url = question.url;
    request.timeout = timeout;
    request.max_body_bytes = kMaxProbeBody;
    if (!question.origin.empty()) {
      what = "OPTIONS (preflight)";
      request.method = "OPTIONS";
      request.headers = {{"Origin", question.origin}, {"Access-Control-Request-Method", "GET"}};
    }
    const auto response = http_.Send(request);
    if (response.ok()) {
      answer.status = response->status;
      answer.duration = response->duration;
      answer.allow_origin = response->Header("access-control-allow-origin");
      answer.content_type = response->Header("content-type");
      answer.body_hash = Sha256Hex(response->body);
      excerpt = ResponseExcerpt(*response);
    } else {
      answer.error = Message(response.status());
      answer.timed_out = absl::IsDeadlineExceeded(response.status());
      answer.refused = answer.error.find("refused") != std::string::npos;
    }
  }
  const std::string observed = answer.status > 0 ? std::to_string(answer.status) : answer.error;
  std::string summary = fmt::format("{} {}: {}", what, question.url, observed);
  if (!question.origin.empty() && !question.websocket) {
    summary +=
        fmt::format(", from {}: {}", question.origin,
                    answer.allow_origin.empty() ? "no Access-Control-Allow-Origin" : "allowed " + answer.allow_origin);
  }
  answer.evidence = book_.Add(
      MakeEvidence(question.websocket        ? "websocket"
                   : question.origin.empty() ? "http_matrix"
                                             : "cors_preflight",
                   question.component, summary, excerpt, {},
                   {{"url", question.url}, {"status", std::to_string(answer.status)}, {"origin", question.origin}}));
  return answer;
}

void Prober::AskAll(const std::vector<Question>& questions) {
  std::vector<Question> open;
  {
    const std::lock_guard lock(mutex_);
    for (const Question& question : questions) {
      const bool listed =
          std::any_of(open.begin(), open.end(), [&](const Question& q) { return !(q < question) && !(question < q); });
      if (answers_.count(question) == 0 && !listed && answers_.size() + open.size() < kMaxProbes)
        open.push_back(question);
    }
  }
  std::vector<Answer> answers(open.size());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  const size_t parallel = std::min<size_t>(kMaxParallelProbes, open.size());
  for (size_t t = 0; t < parallel; ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < open.size(); i = next++) answers[i] = Send(open[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < open.size(); ++i) answers_.try_emplace(open[i], answers[i]);
}

const Answer& Prober::Ask(const Question& question) {
  AskAll({question});
  const std::lock_guard lock(mutex_);
  const auto [it, fresh] = answers_.try_emplace(question);
  if (fresh) it->second.error = "not asked: too many probes";
  return it->second;
}

}  // namespace omnix

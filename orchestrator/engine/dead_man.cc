#include "orchestrator/engine/dead_man.h"

#include <spdlog/spdlog.h>

#include <future>
#include <memory>

#include "absl/strings/str_replace.h"
#include "common/file.h"
#include "common/http_client.h"
#include "common/status.h"
#include "common/thread_name.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(5);
constexpr int kFirstErrorStatus = 300;

// What is secret in such a URL is its path, which an error of the client names.
std::string WithoutPath(std::string text, const std::string& url) {
  constexpr std::string_view kScheme = "://";
  const size_t begin = url.find('/', url.find(kScheme) + kScheme.size());
  if (begin == std::string::npos) return text;
  const std::string path = url.substr(begin, url.find_first_of("?#", begin) - begin);
  if (path == "/") return text;
  return absl::StrReplaceAll(text, {{path, "/..."}});
}

}  // namespace

absl::Status ProveThatIncidentsMove(OperatorPort& port, const DeadManOptions& options, absl::Time now) {
  // Shared: the answer may come after the wait for it has ended.
  const auto answer = std::make_shared<std::promise<absl::Status>>();
  auto answered = answer->get_future();
  port.IngestAlerts(
      {}, [answer](const absl::StatusOr<std::vector<IngestedAlert>>& kept) { answer->set_value(kept.status()); });
  if (answered.wait_for(absl::ToChronoMilliseconds(options.proof_timeout)) != std::future_status::ready) {
    return DeadlineExceeded("the engine and its journal gave no answer for {}",
                            omnix::FormatDuration(options.proof_timeout));
  }
  OMNIX_RETURN_IF_ERROR(answered.get());
  return ReplaceFile(options.probe_file, omnix::FormatTime(now) + "\n");
}

DeadMan::DeadMan(OperatorPort* port, DeadManOptions options) : port_(port), options_(std::move(options)) {
  thread_ = std::thread([this] { Run(); });
}

DeadMan::~DeadMan() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

absl::Status DeadMan::Call() {
  HttpRequest request;
  request.url = options_.url;
  request.timeout = kCallTimeout;
  request.stop = &stopping_;
  OMNIX_ASSIGN_OR_RETURN(const HttpResponse response, SendHttp(request));
  if (response.status < kFirstErrorStatus) return absl::OkStatus();
  return Unavailable("HTTP {}", response.status);
}

void DeadMan::Run() {
  NameThread("dead-man");
  bool was_well = true;
  while (!stopping_) {
    const absl::Status proof = ProveThatIncidentsMove(*port_, options_, absl::Now());
    const absl::Status called = proof.ok() ? Call() : absl::OkStatus();
    const bool well = proof.ok() && called.ok();
    if (!proof.ok() && was_well) spdlog::error("the dead-man URL is not called: {}", Message(proof));
    if (!called.ok() && was_well && !stopping_) {
      spdlog::warn("--deadman-url: {}", WithoutPath(std::string(Message(called)), options_.url));
    }
    if (well && !was_well) spdlog::info("the dead-man URL is called again");
    was_well = well;
    std::unique_lock lock(mutex_);
    wakes_.wait_for(lock, absl::ToChronoMilliseconds(options_.interval), [this] { return stopping_.load(); });
  }
}

}  // namespace omnix

#include "agents/investigation/probe_clocks.h"

#include "agents/checks/url.h"
#include "agents/investigation/probe.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(3);
constexpr size_t kMaxBody = 1024;

// By an answer that some check had already, or by one more question.
std::optional<HttpBroker::Dated> DatedAnswer(Scene* scene, const v1::Service& service, const std::string& base) {
  if (auto known = scene->http.LastDate(base)) return known;
  HttpRequest request;
  request.method = "HEAD";
  request.url = JoinUrl(base, service.endpoints().empty() ? "/" : service.endpoints(0).path());
  request.timeout = std::min(kTimeout, scene->input.remaining());
  request.max_body_bytes = kMaxBody;
  if (!scene->http.SendAnew(request).ok()) return std::nullopt;
  return scene->http.LastDate(base);
}

void Ask(Scene* scene, const v1::Service& service, const v1::Instance* instance, const std::string& base) {
  const auto answer = DatedAnswer(scene, service, base);
  absl::Time date;
  std::string error;
  if (!answer || !absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", answer->date, absl::UTCTimeZone(), &date, &error))
    return;
  ClockFacts facts{&service, instance, date - answer->answered_at, ""};
  const std::string name = service.name() + (instance == nullptr ? "" : "/" + instance->name());
  if (absl::AbsDuration(facts.offset) > kTellingOffset) {
    facts.evidence = scene->book.Add(
        MakeEvidence("clock", service.name(),
                     fmt::format("{} says it is {}: {} {} of this machine's clock", name, answer->date,
                                 omnix::FormatDuration(absl::Trunc(absl::AbsDuration(facts.offset), absl::Seconds(1))),
                                 facts.offset > absl::ZeroDuration() ? "ahead" : "behind")));
  }
  scene->facts.Add(std::move(facts));
}

}  // namespace

void ProbeClocks(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    if (scene->input.cancelled()) return;
    for (const v1::Instance& instance : service.instances()) Ask(scene, service, &instance, instance.base_url());
    if (service.instances().empty() && service.base_url().starts_with("http"))
      Ask(scene, service, nullptr, service.base_url());
  }
}

}  // namespace omnix

// Metrics from a server that answers Prometheus' HTTP API as its documentation has it.
#include "agents/investigation/probe_metrics.h"

#include <gmock/gmock.h>

#include <cmath>

#include "agents/checks/test_server.h"
#include "agents/investigation/faulty_system.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProbeMetricsTest : public FaultySystem {
 protected:
  // A value of the named metric, `ago` seconds before now.
  using Course = std::function<double(const std::string& metric, int64_t ago)>;

  std::unique_ptr<TestServer> Prometheus(Course course) {
    return std::make_unique<TestServer>([this, course](const TestServer::Request& request,
                                                       TestServer::Response& response) {
      const std::string target(request.target());
      const auto number = [&](const std::string& name) {
        return std::atoll(target.c_str() + target.find(name + "=") + name.size() + 1);
      };
      const std::string metric = target.substr(target.find("query=") + 6, target.find('&') - target.find("query=") - 6);
      std::string points;
      for (int64_t t = number("start"); t <= number("end"); t += number("step")) {
        points += fmt::format("{}[{},\"{}\"]", points.empty() ? "" : ",", t,
                              course(metric, absl::ToUnixSeconds(case_.now) - t));
      }
      response.body() =
          R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[)" + points + "]}]}}";
    });
  }

  // "front" calls "store"; a path of the front is late.
  void Model(const TestServer& prometheus) {
    const int front_port = FreePort(), store_port = FreePort();
    Serve(front_port, "        self.answer(503 if self.path == '/all' else 200)");
    Serve(store_port, "        self.answer(200)");
    v1::Service* front = AddService("front", front_port, {"/all", "/about"});
    front->add_depends_on("store");
    v1::Service* store = AddService("store", store_port, {"/items"});
    case_.system.mutable_prometheus()->set_url(prometheus.Url());
    for (v1::Service* service : {front, store}) {
      (*service->mutable_metrics())["latency"] = service->name() + "_latency";
      (*service->mutable_metrics())["requests"] = service->name() + "_requests";
    }
    case_.started_at = case_.now - absl::Minutes(10);
  }
  static double Noise(int64_t ago) { return 0.01 * std::sin(static_cast<double>(ago) * 0.37); }
};

constexpr int64_t kBegan = 600;

TEST_F(ProbeMetricsTest, TooManyRequestsAreAnOverload) {
  const auto prometheus = Prometheus([](const std::string& metric, int64_t ago) {
    const bool now = ago < kBegan;
    if (metric == "store_requests") return (now ? 400.0 : 100.0) * (1 + Noise(ago));
    if (metric == "front_requests") return 100.0 * (1 + Noise(ago));
    return (now ? 2.0 : 0.1) + Noise(ago + 7) * 0.1;
  });
  Model(*prometheus);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "load.overload") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "store");
}

TEST_F(ProbeMetricsTest, UsualMetricsBlameNobody) {
  const auto prometheus = Prometheus([](const std::string&, int64_t ago) { return 1 + Noise(ago); });
  Model(*prometheus);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("load.overload")));
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("dependency.slow")));
}

TEST_F(ProbeMetricsTest, AServerOfAnotherKindIsEvidenceThatCouldNotBeHad) {
  TestServer other([](const TestServer::Request&, TestServer::Response& response) { response.body() = "<html>"; });
  Model(other);
  std::string seen;
  case_.report = [&](const v1::Evidence& evidence) {
    if (evidence.source() == "metrics") seen += evidence.summary() + "\n";
  };
  Run();
  EXPECT_THAT(seen, HasSubstr("latency: "));
}

}  // namespace
}  // namespace omnix

// What stands between checks and the services they ask, where a diagnosis must not become a load of its own: it paces
// the requests to each service, gives an answer that is known already again, and asks no more of an address that does
// not answer.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/checks/check.h"
#include "agents/checks/websocket_client.h"
#include "common/clock.h"
#include "common/http_client.h"

namespace omnix {

struct HttpBrokerOptions {
  // To one service, those that its callers pass on to it included.
  double max_requests_per_second = 4.9;
  // So many requests without an answer in a row, and an address is not asked again.
  int max_timeouts = 2;
  // No request waits longer, whatever it says itself.
  absl::Duration max_timeout = absl::Seconds(5);
};

// Thread-safe.
class HttpBroker {
 public:
  HttpBroker(const v1::SystemModel& system, HttpBrokerOptions options, std::function<bool()> cancelled);

  // Like SendHttp, after waiting for the service's turn; the time waited does not count as the request's. What reads
  // only (GET, HEAD, OPTIONS) is sent once: asked again, also without its Origin, it gives the first answer. Further
  // errors: DEADLINE_EXCEEDED where the address has not answered before, CANCELLED.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request);
  // The same without looking at former answers: for what may differ from one request to the next.
  absl::StatusOr<HttpResponse> SendAnew(const HttpRequest& request);
  // Like ConverseOverWebSocket, paced; where nothing is sent, once for each address and expectation.
  absl::StatusOr<WebSocketOutcome> Converse(const WebSocketRequest& request);

  // What this address last answered to a request of this method, whatever its headers and body were; 0 where none was
  // answered.
  int KnownStatus(const std::string& method, const std::string& url) const;

  // The Date of this address's last answer that had one, and when it was given by this machine's clock.
  struct Dated {
    std::string date;
    absl::Time answered_at;
  };
  std::optional<Dated> LastDate(const std::string& url) const;

  // Requests sent to this service ("" for addresses of no service), WebSocket handshakes included.
  int sent(const std::string& service) const;

 private:
  struct Service {
    std::string name;
    // It and all that it needs: a request to it may become one to each of them.
    std::vector<size_t> reaches;
    absl::Duration free_at = -absl::InfiniteDuration();
    int sent = 0;
  };
  struct Pending {
    bool done = false;
    absl::StatusOr<HttpResponse> answer;
  };

  void AddService(const v1::SystemModel& system, const v1::Service& service);
  size_t ServiceAt(const std::string& address) const;
  absl::StatusOr<WebSocketOutcome> ConverseAnew(const WebSocketRequest& request);
  absl::Status WaitForTurn(const std::string& url);
  void Note(const std::string& url, const absl::Status& status);

  const HttpBrokerOptions options_;
  const std::function<bool()> cancelled_;
  const SystemClock clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // The last one stands for addresses of no service.
  std::vector<Service> services_;
  std::map<std::string, size_t> at_address_;
  std::map<std::string, int> timeouts_;
  std::map<std::string, std::shared_ptr<Pending>> answers_;
  std::map<std::string, Dated> dates_;
  // By method and URL.
  std::map<std::pair<std::string, std::string>, int> statuses_;
  std::map<std::string, absl::StatusOr<WebSocketOutcome>> conversations_;
};

// Through the context's broker, or at once where it has none.
absl::StatusOr<HttpResponse> Send(const CheckContext& context, const HttpRequest& request);
absl::StatusOr<WebSocketOutcome> Converse(const CheckContext& context, const WebSocketRequest& request);
// See HttpBroker::KnownStatus: of the first of the methods that has one. Without a broker nothing is known.
int KnownStatus(const CheckContext& context, std::initializer_list<std::string_view> methods, const std::string& url);

}  // namespace omnix

// What stands between checks and the services they ask, where a diagnosis must not become a load of its own: it paces
// the requests to each service, gives an answer that is known already again, and asks no more of an address that does
// not answer, nor for some seconds of one that refused the connection.
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
  // Of that, for the connection: two tries of a machine that is there.
  absl::Duration max_connect_timeout = absl::Seconds(2);
  // So long an address that refused a connection is taken to refuse others.
  absl::Duration refused_for = absl::Seconds(3);
};

// Thread-safe.
class HttpBroker {
 public:
  HttpBroker(const v1::SystemModel& system, HttpBrokerOptions options, std::function<bool()> cancelled);

  // Like SendHttp, after waiting for the service's turn; the time waited does not count as the request's. What reads
  // only (GET, HEAD, OPTIONS) is sent once: asked again, also without its Origin, it gives the first answer. Further
  // errors: DEADLINE_EXCEEDED where the address has not answered before, UNAVAILABLE where it has just refused,
  // CANCELLED.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request);
  // The same without looking at former answers: for what may differ from one request to the next.
  absl::StatusOr<HttpResponse> SendAnew(const HttpRequest& request);
  // Like ConverseOverWebSocket, paced; where nothing is sent, once for each address and expectation.
  absl::StatusOr<WebSocketOutcome> Converse(const WebSocketRequest& request);

  // What this address last answered to a request of this method, whatever its headers and body were; 0 where none was
  // answered.
  int KnownStatus(const std::string& method, const std::string& url) const;

  // Others than the caller were answered so, lately: where nothing is known yet of this method and address, it is now.
  void Learn(const std::string& method, const std::string& url, int status);

  // What this service answered to all requests whose path ends with `path_end`, in no order; 0 stands for one that is
  // waited for, or was in vain.
  std::vector<int> KnownStatuses(const std::string& service, const std::string& path_end) const;

  // Returns when no request waits for its turn and for `span` from now none was sent or answered, so that all that is
  // open is late; or once `done` says so (looked at some 20 times a second), or the diagnosis was cancelled.
  void WaitUntilIdle(absl::Duration span, const std::function<bool()>& done);

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
  absl::Status WaitForTurn(const std::string& url, std::unique_lock<std::mutex>* lock);
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
  std::map<std::string, absl::Duration> refused_at_;
  std::map<std::string, std::shared_ptr<Pending>> answers_;
  std::map<std::string, Dated> dates_;
  int waiting_ = 0;
  absl::Duration last_activity_;
  // By method and URL; 0: waited for, or was in vain.
  std::map<std::pair<std::string, std::string>, int> statuses_;
  // The same, of others' requests.
  std::map<std::pair<std::string, std::string>, int> learned_;
  std::map<std::string, absl::StatusOr<WebSocketOutcome>> conversations_;
};

// Through the context's broker, or at once where it has none.
absl::StatusOr<HttpResponse> Send(const CheckContext& context, const HttpRequest& request);
absl::StatusOr<WebSocketOutcome> Converse(const CheckContext& context, const WebSocketRequest& request);
// See HttpBroker::KnownStatus: of the first of the methods that has one. Without a broker nothing is known.
int KnownStatus(const CheckContext& context, std::initializer_list<std::string_view> methods, const std::string& url);

}  // namespace omnix

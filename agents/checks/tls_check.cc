// tls: the certificate at `address` ("host:port"; default: every entry of the service's `tls`) is trusted, for this
// name, and not about to expire.
//   min_days (21): warns below it. server_name (the address's host), ca_file (the system's trust store).
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <optional>

#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/socket.h"
#include "agents/checks/url.h"
#include "common/status.h"

namespace omnix {
namespace {

namespace asio = boost::asio;

constexpr uint32_t kDefaultWeight = 15;
constexpr double kDefaultMinDays = 21;
constexpr double kMaxDays = 3650;
constexpr int kSecondsPerDay = 86400;
constexpr int kSubjectBytes = 256;

struct Options {
  std::string address;
  std::string server_name;
  std::string ca_file;
  double min_days = kDefaultMinDays;
};

struct Certificate {
  // X509_V_OK where chain and name hold.
  long verdict = X509_V_OK;
  double days_left = 0;
  std::string subject;
};

absl::StatusOr<Options> Read(const Json& json) {
  Parameters with(json);
  Options options;
  options.address = with.String("address");
  options.server_name = with.String("server_name");
  options.ca_file = with.String("ca_file");
  options.min_days = with.Number("min_days", 0, kMaxDays, kDefaultMinDays);
  OMNIX_RETURN_IF_ERROR(with.status());
  return options;
}

absl::StatusOr<Certificate> ReadCertificate(SSL* ssl) {
  X509* peer = SSL_get0_peer_certificate(ssl);
  if (peer == nullptr) return Unavailable("the peer shows no certificate");
  Certificate certificate;
  certificate.verdict = SSL_get_verify_result(ssl);
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(peer)) != 1)
    return Unavailable("the certificate's end can't be read");
  certificate.days_left = days + static_cast<double>(seconds) / kSecondsPerDay;
  char subject[kSubjectBytes] = "";
  X509_NAME_oneline(X509_get_subject_name(peer), subject, sizeof(subject));
  certificate.subject = subject;
  return certificate;
}

// The handshake is finished whatever the certificate, so that all of it can be told; the verdict is read afterwards.
absl::StatusOr<Certificate> Fetch(const HostPort& address, const Options& options, const Budget& budget) {
  const std::string what = fmt::format("TLS to {}:{}", address.host, address.port);
  boost::system::error_code error;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  if (options.ca_file.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.load_verify_file(options.ca_file, error);
  }
  if (error) return InvalidArgument("the trusted certificates can't be read: {}", error.message());
  tls.set_verify_mode(asio::ssl::verify_none);
  asio::io_context io;
  asio::ip::tcp::resolver resolver(io);
  asio::ssl::stream<asio::ip::tcp::socket> stream(io, tls);
  const std::string name = options.server_name.empty() ? address.host : options.server_name;
  boost::system::error_code not_ip;
  asio::ip::make_address(name, not_ip);
  if (not_ip) {
    SSL_set_tlsext_host_name(stream.native_handle(), name.c_str());
    SSL_set1_host(stream.native_handle(), name.c_str());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream.native_handle()), name.c_str());
  }
  absl::Status status = DeadlineExceeded("{}: no answer in time", what);
  const auto step = [&](const boost::system::error_code& failed) {
    if (failed) status = SocketError(failed, what);
    return !failed;
  };
  resolver.async_resolve(address.host, address.port, [&](const auto& unresolved, const auto& endpoints) {
    if (!step(unresolved)) return;
    asio::async_connect(stream.next_layer(), endpoints, [&](const auto& unconnected, const auto&) {
      if (!step(unconnected)) return;
      stream.async_handshake(asio::ssl::stream_base::client, [&](const auto& unshaken) {
        if (step(unshaken)) status = absl::OkStatus();
      });
    });
  });
  io.run_for(absl::ToChronoMilliseconds(budget.Remaining()));
  OMNIX_RETURN_IF_ERROR(status);
  return ReadCertificate(stream.native_handle());
}

v1::CheckResult Judge(const v1::Check& check, const std::string& address, const Options& options,
                      const Certificate& certificate) {
  std::string observed = fmt::format("valid for {:.0f} more days", certificate.days_left);
  v1::CheckStatus status = v1::CHECK_STATUS_PASSED;
  if (certificate.days_left < 0) {
    observed = fmt::format("expired {:.0f} days ago", -certificate.days_left);
    status = v1::CHECK_STATUS_FAILED;
  } else if (certificate.verdict != X509_V_OK) {
    observed = X509_verify_cert_error_string(certificate.verdict);
    status = v1::CHECK_STATUS_FAILED;
  } else if (certificate.days_left < options.min_days) {
    status = v1::CHECK_STATUS_WARNING;
  }
  v1::CheckResult result = MakeResult(check, status, fmt::format("TLS {}: {}", address, observed));
  result.set_expected(fmt::format("trusted, for this name, for {:.0f} more days", options.min_days));
  result.set_observed(observed);
  result.set_excerpt(certificate.subject);
  (*result.mutable_attributes())["address"] = address;
  (*result.mutable_attributes())["days_left"] = fmt::format("{:.0f}", certificate.days_left);
  return result;
}

v1::CheckResult CheckAddress(const v1::Check& check, const std::string& text, const Options& options,
                             const CheckContext& context) {
  const auto address = ParseHostPort(text);
  if (!address.ok()) return ErrorResult(check, address.status());
  const auto certificate = Fetch(ConnectableAddress(*address), options, Budget(context));
  if (!certificate.ok()) return UnansweredResult(check, certificate.status());
  return Judge(check, text, options, *certificate);
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  const auto options = Read(with);
  if (!options.ok()) return {ErrorResult(check, options.status())};
  if (!options->address.empty()) return {CheckAddress(check, options->address, *options, context)};
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const auto& addresses = (*service)->tls();
  if (addresses.empty()) return {NothingToCheck(check, fmt::format("service {} has no `tls`", check.service()))};
  return RunPieces(check, context, static_cast<size_t>(addresses.size()), [&](size_t i) {
    const std::string& address = addresses[static_cast<int>(i)];
    v1::CheckResult result = CheckAddress(check, address, *options, context);
    if (addresses.size() > 1) result.set_name(check.name() + ": " + address);
    return result;
  });
}

absl::Status Validate(const Json& with) { return Read(with).status(); }

}  // namespace

CheckKind TlsCheck() {
  return {"tls", kDefaultWeight, {"address", "min_days", "server_name", "ca_file"}, Run, Validate};
}

}  // namespace omnix

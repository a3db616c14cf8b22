#include "agents/checks/certificate.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <ctime>
#include <memory>

#include "agents/checks/socket.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

namespace asio = boost::asio;

constexpr size_t kMaxCertificateFile = 1 << 20;
constexpr int kNameBytes = 256;
constexpr size_t kMaxNames = 50;

absl::Time TimeOf(const ASN1_TIME* time, absl::Time otherwise) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? absl::FromTimeT(timegm(&parts)) : otherwise;
}

std::string TextOf(const X509_NAME* name) {
  char text[kNameBytes] = "";
  X509_NAME_oneline(name, text, sizeof(text));
  return text;
}

std::vector<std::string> NamesOf(const X509* certificate) {
  std::vector<std::string> names;
  auto* list = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; list != nullptr && i < sk_GENERAL_NAME_num(list) && names.size() < kMaxNames; ++i) {
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(list, i);
    if (entry->type != GEN_DNS && entry->type != GEN_IPADD) continue;
    const ASN1_STRING* text = entry->type == GEN_DNS ? entry->d.dNSName : entry->d.iPAddress;
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                            static_cast<size_t>(ASN1_STRING_length(text)));
    if (entry->type == GEN_DNS) {
      names.push_back(bytes);
    } else if (bytes.size() == asio::ip::address_v4::bytes_type().size()) {
      asio::ip::address_v4::bytes_type ip;
      std::copy(bytes.begin(), bytes.end(), ip.begin());
      names.push_back(asio::ip::address_v4(ip).to_string());
    }
  }
  GENERAL_NAMES_free(list);
  return names;
}

Certificate Read(X509* from) {
  Certificate certificate;
  certificate.not_before = TimeOf(X509_get0_notBefore(from), absl::InfinitePast());
  certificate.not_after = TimeOf(X509_get0_notAfter(from), absl::InfiniteFuture());
  certificate.subject = TextOf(X509_get_subject_name(from));
  certificate.issuer = TextOf(X509_get_issuer_name(from));
  certificate.names = NamesOf(from);
  certificate.self_signed = X509_NAME_cmp(X509_get_subject_name(from), X509_get_issuer_name(from)) == 0;
  unsigned char* bytes = nullptr;
  if (const int size = i2d_X509(from, &bytes); size > 0) {
    certificate.fingerprint = Sha256Hex(std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(size)));
    OPENSSL_free(bytes);
  }
  return certificate;
}

absl::StatusOr<Certificate> ReadPeer(SSL* ssl, const std::string& name, bool is_address) {
  X509* peer = SSL_get0_peer_certificate(ssl);
  if (peer == nullptr) return Unavailable("the peer shows no certificate");
  Certificate certificate = Read(peer);
  certificate.fits_name = (is_address ? X509_check_ip_asc(peer, name.c_str(), 0)
                                      : X509_check_host(peer, name.c_str(), name.size(), 0, nullptr)) == 1;
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  certificate.sent = chain == nullptr ? 1 : sk_X509_num(chain);
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK)
    certificate.mistake = X509_verify_cert_error_string(verdict);
  return certificate;
}

}  // namespace

absl::StatusOr<Certificate> FetchCertificate(const HostPort& address, const CertificateQuestion& question,
                                             absl::Duration timeout) {
  const std::string what = fmt::format("TLS to {}:{}", address.host, address.port);
  boost::system::error_code error;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  if (question.ca_file.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.load_verify_file(question.ca_file, error);
  }
  if (error) return InvalidArgument("the trusted certificates can't be read: {}", error.message());
  tls.set_verify_mode(asio::ssl::verify_none);
  asio::io_context io;
  asio::ip::tcp::resolver resolver(io);
  asio::ssl::stream<asio::ip::tcp::socket> stream(io, tls);
  const std::string name = question.server_name.empty() ? address.host : question.server_name;
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
  io.run_for(absl::ToChronoMilliseconds(timeout));
  OMNIX_RETURN_IF_ERROR(status);
  return ReadPeer(stream.native_handle(), name, !not_ip);
}

absl::StatusOr<Certificate> ReadCertificateFile(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxCertificateFile));
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                      BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> found(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                          X509_free);
  if (found == nullptr) return InvalidArgument("{}: holds no certificate", path);
  return Read(found.get());
}

}  // namespace omnix

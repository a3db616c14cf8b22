// The certificate that a server shows, or that a file holds, and whether it is good for a name.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/checks/url.h"

namespace omnix {

struct Certificate {
  // Empty where chain, times and name hold; else OpenSSL's words. Of a file: always empty.
  std::string mistake;
  absl::Time not_before;
  absl::Time not_after;
  std::string subject;
  std::string issuer;
  // Names and addresses that it is for.
  std::vector<std::string> names;
  bool self_signed = false;
  // It is for the name that was asked for. Of a file: true.
  bool fits_name = true;
  // Certificates that the server sends, its own included.
  int sent = 1;
  // SHA-256, hexadecimal.
  std::string fingerprint;
};

struct CertificateQuestion {
  // Empty: the address's host.
  std::string server_name;
  // Whom to trust; empty: the system's store.
  std::string ca_file;
};

// The handshake is finished whatever the certificate, so that all of it can be told. Errors: INVALID_ARGUMENT (the
// trusted certificates can't be read), UNAVAILABLE, DEADLINE_EXCEEDED.
absl::StatusOr<Certificate> FetchCertificate(const HostPort& address, const CertificateQuestion& question,
                                             absl::Duration timeout);

// The first of a PEM file. Errors: those of ReadFile; INVALID_ARGUMENT where there is none.
absl::StatusOr<Certificate> ReadCertificateFile(const std::string& path);

}  // namespace omnix

#include "orchestrator/journal/chain.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kHashBytes = 32;
constexpr int kNewKeyBytes = 32;
constexpr mode_t kKeyMode = 0600;
// Nobody but the owner and, for reading, the group may have access.
constexpr mode_t kForbiddenKeyMode = S_IWGRP | S_IRWXO;
constexpr size_t kHeadFields = 3;

// Written beside and linked into place: a crash never leaves half a key, and of two programs that start at once one
// makes it.
absl::Status CreateKey(const std::string& key_path) {
  const std::string temporary = fmt::format("{}.{}", key_path, RandomHex(8));
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kKeyMode);
  if (fd < 0) return Unavailable("{}: the key file can't be created: {}", key_path, std::strerror(errno));
  const std::string text = RandomHex(kNewKeyBytes) + "\n";
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int write_error = errno;
  close(fd);
  const bool linked = written && (link(temporary.c_str(), key_path.c_str()) == 0 || errno == EEXIST);
  const int error = written ? errno : write_error;
  unlink(temporary.c_str());
  if (!linked) return Unavailable("{}: the key file can't be written: {}", key_path, std::strerror(error));
  const std::string folder = key_path.substr(0, key_path.rfind('/') + 1);
  const int folder_fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder_fd >= 0 && fsync(folder_fd) == 0;
  const int sync_error = errno;
  if (folder_fd >= 0) close(folder_fd);
  if (!synced) return Unavailable("{}: its folder can't be synced: {}", key_path, std::strerror(sync_error));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> LoadJournalKey(const std::string& key_path, bool create) {
  struct stat info;
  if (create && stat(key_path.c_str(), &info) != 0 && errno == ENOENT) OMNIX_RETURN_IF_ERROR(CreateKey(key_path));
  OMNIX_ASSIGN_OR_RETURN(std::string key, ReadFile(key_path, kMaxKeyBytes));
  if (stat(key_path.c_str(), &info) == 0 && (info.st_mode & kForbiddenKeyMode) != 0) {
    return FailedPrecondition("{}: others can get at the journal's key; run: chmod 600 {}", key_path, key_path);
  }
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.size() < kMinKeyBytes) {
    return FailedPrecondition("{}: the journal's key has {} bytes, at least {} are needed", key_path, key.size(),
                              kMinKeyBytes);
  }
  return key;
}

void Sealer::ContextDeleter::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

Sealer::Sealer(const std::string& key) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  context_.reset(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);
  std::array<char, 7> digest = {"SHA256"};
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                               OSSL_PARAM_construct_end()};
  // An OpenSSL without HMAC-SHA-256 can't run this program at all.
  if (EVP_MAC_init(context_.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), params) != 1) {
    std::abort();
  }
}

void Sealer::Begin(char domain) {
  // Without a key: the one given at construction is used again, already expanded.
  if (EVP_MAC_init(context_.get(), nullptr, 0, nullptr) != 1) std::abort();
  gathered_.assign(1, domain);
}

// Hashed in one piece: each piece of its own costs as much as some hundred bytes.
void Sealer::Add(std::string_view bytes) { gathered_ += bytes; }

void Sealer::Add(int64_t number) {
  static_assert(std::endian::native == std::endian::little);
  Add(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
}

std::string Sealer::End() {
  EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(gathered_.data()), gathered_.size());
  std::string hash(kHashBytes, '\0');
  size_t size = 0;
  EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(hash.data()), &size, hash.size());
  return hash;
}

std::string Sealer::EventChain(const std::string& previous, int64_t id, const std::string& payload,
                               const std::string& text) {
  Begin('E');
  Add(previous);
  Add(id);
  Add(static_cast<int64_t>(payload.size()));
  Add(payload);
  Add(text);
  return End();
}

std::string Sealer::HeadSeal(int64_t id, const std::string& chain) {
  Begin('H');
  Add(id);
  Add(chain);
  return End();
}

std::string Sealer::PrunedSeal(int64_t first, int64_t last, const std::string& before, const std::string& after,
                               const std::string& time) {
  Begin('P');
  Add(first);
  Add(last);
  Add(before);
  Add(after);
  Add(time);
  return End();
}

std::string Sealer::SilenceChain(const std::string& previous, int64_t sequence, const std::string& payload) {
  Begin('S');
  Add(previous);
  Add(sequence);
  Add(payload);
  return End();
}

std::string Sealer::KeyId() {
  constexpr size_t kKeyIdDigits = 16;
  Begin('K');
  return Hex(End()).substr(0, kKeyIdDigits);
}

std::string Sealer::Origin() { return std::string(kHashBytes, '\0'); }

std::string FormatHead(const Head& head, Sealer& sealer) {
  return fmt::format("{} {} {}", head.id, Hex(head.chain), Hex(sealer.HeadSeal(head.id, head.chain)));
}

absl::StatusOr<Head> ParseHead(const std::string& text, Sealer& sealer) {
  const std::vector<std::string> fields = absl::StrSplit(text, ' ');
  Head head;
  if (fields.size() != kHeadFields ||
      std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), head.id).ec != std::errc()) {
    return DataLoss("the head record '{}' is malformed", text);
  }
  head.chain = absl::HexStringToBytes(fields[1]);
  if (FormatHead(head, sealer) != text) {
    return DataLoss("the head record's seal does not fit: it was changed without the key");
  }
  return head;
}

}  // namespace omnix

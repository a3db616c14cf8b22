#include "common/secret_name.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/characters.h"

namespace omnix {
namespace {

using characters::At;
using characters::Contains;
using characters::IsAlnum;
using characters::IsDigit;
using characters::IsLower;
using characters::IsUpper;
using characters::Lower;
using characters::ToLower;

// A name longer than this is none.
constexpr size_t kMaxKeyBytes = 64;

// The last parts of a name, the last one first: "dbPassword", "DB_PASSWORD", "db-password" -> {"password", "db", ""}.
// Short parts take no memory of their own.
std::array<std::string, 3> LastParts(std::string_view key) {
  std::array<std::string, 3> parts;
  for (size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    const bool hump = IsUpper(c) && i > 0 && (!IsUpper(key[i - 1]) || IsLower(At(key, i + 1)));
    if ((!IsAlnum(c) || hump) && !parts[0].empty()) {
      std::swap(parts[2], parts[1]);
      std::swap(parts[1], parts[0]);
      parts[0].clear();
    }
    if (IsAlnum(c)) parts[0].push_back(Lower(c));
  }
  if (parts[0].empty()) {
    std::swap(parts[0], parts[1]);
    std::swap(parts[1], parts[2]);
    parts[2].clear();
  }
  return parts;
}

// The last word of a secret's name; the second list goes for names that run together ("pgpassword").
constexpr std::array<std::string_view, 17> kSecretWords = {
    "password", "passwd",      "passphrase", "pwd",       "pass", "secret",    "token",      "authorization", "cookie",
    "apikey",   "credentials", "sessionid",  "accesskey", "sig",  "secretkey", "credential", "requirepass"};
constexpr std::array<std::string_view, 7> kSecretEndings = {"password", "passwd",    "secret",   "token",
                                                            "apikey",   "accesskey", "secretkey"};
// Before a final "key", "id" or "hash" these make it a secret: "private_key", "session_id", "password_hash".
constexpr std::array<std::string_view, 12> kBeforeKey = {"api",     "access",  "private",    "secret",
                                                         "signing", "account", "encryption", "master",
                                                         "auth",    "jwt",     "routing",    "integration"};

// Others that IsSecretName knows as a name's last word.
constexpr std::array<std::string_view, 5> kLastWords = {"key", "id", "hash", "base", "signature"};

// By two small letters: true where a word of the lists above ends with them. (Those of kSecretEndings are among
// kSecretWords.)
class LastTwoLetters {
 public:
  constexpr LastTwoLetters() {
    for (const std::string_view word : kSecretWords) Place(word) = true;
    for (const std::string_view word : kLastWords) Place(word) = true;
  }
  constexpr bool Contain(char before, char last) const {
    return IsLower(before) && IsLower(last) && ends_[Index(before)][Index(last)];
  }

 private:
  static constexpr size_t kLetters = 26;
  static constexpr size_t Index(char letter) { return static_cast<size_t>(letter - 'a'); }
  constexpr bool& Place(std::string_view word) {
    return ends_[Index(word[word.size() - 2])][Index(word[word.size() - 1])];
  }

  std::array<std::array<bool, kLetters>, kLetters> ends_{};
};
constexpr LastTwoLetters kLastTwoLetters;

// False where the name's last letters alone tell that it is no secret's: of nearly all words. What stands behind the
// last letter (digits, "_") is no part of a word in the lists.
bool MayBeSecretName(std::string_view word) {
  size_t end = word.size();
  while (end > 0 && !IsUpper(word[end - 1]) && !IsLower(word[end - 1])) --end;
  return end >= 2 && kLastTwoLetters.Contain(Lower(word[end - 2]), Lower(word[end - 1]));
}

}  // namespace

bool IsSecretName(std::string_view word) {
  if (word.size() > kMaxKeyBytes) word.remove_prefix(word.size() - kMaxKeyBytes);
  if (!MayBeSecretName(word)) return false;
  auto [last, before, first] = LastParts(word);
  // "password2"; "secret_key_base" is Rails' name of its signing key.
  while (!last.empty() && IsDigit(last.back())) last.pop_back();
  if (last.empty()) {
    last = before;
    before = first;
  }
  if (last.empty()) return false;
  if (last == "key") return Contains(kBeforeKey, before);
  if (last == "id") return before == "session";
  if (last == "hash") return before == "password";
  if (last == "base") return before == "key";
  if (last == "signature") return before == "amz" || before == "goog";
  if (Contains(kSecretWords, last)) return true;
  return std::any_of(kSecretEndings.begin(), kSecretEndings.end(), [&name = last](std::string_view ending) {
    return name.size() > ending.size() && name.ends_with(ending);
  });
}

bool IsHeaderName(std::string_view word) {
  const std::string name = ToLower(word);
  return name == "authorization" || name == "proxy-authorization" || name == "cookie" || name == "set-cookie";
}

}  // namespace omnix

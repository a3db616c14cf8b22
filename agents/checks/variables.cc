#include "agents/checks/variables.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "common/status.h"

namespace omnix {
namespace {

constexpr char kOpen[] = "${";
constexpr char kEnvironment[] = "env:";
// Shorter values would take too much of a text with them.
constexpr size_t kLeastSecretBytes = 6;

// The value that stands for the name between "${" and "}".
absl::StatusOr<std::string> Lookup(const std::string& name, const std::map<std::string, std::string>& variables) {
  if (name.rfind(kEnvironment, 0) == 0) {
    const std::string variable = name.substr(sizeof(kEnvironment) - 1);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) {
      return FailedPrecondition("environment variable {} is not set; set it where the agent is started", variable);
    }
    return std::string(value);
  }
  const auto found = variables.find(name);
  if (found == variables.end()) return NotFound("{}", name);
  return found->second;
}

// Calls visit(name) for each ${name} in the text.
template <typename Visit>
void ForEachReference(const std::string& text, const Visit& visit) {
  for (size_t at = text.find(kOpen); at != std::string::npos; at = text.find(kOpen, at + 1)) {
    const size_t end = text.find('}', at);
    if (end == std::string::npos) return;
    visit(text.substr(at + 2, end - at - 2));
  }
}

void CollectEnvironment(const Json& value, std::vector<std::string>* secrets) {
  if (value.is_structured()) {
    for (const Json& item : value) CollectEnvironment(item, secrets);
    return;
  }
  if (!value.is_string()) return;
  ForEachReference(value.get<std::string>(), [&](const std::string& name) {
    if (name.rfind(kEnvironment, 0) != 0) return;
    if (const auto found = Lookup(name, {}); found.ok()) secrets->push_back(*found);
  });
}

bool IsSecretName(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* word : {"pass", "token", "secret", "key", "auth", "cookie", "session", "credential", "jwt"}) {
    if (name.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::string> Expand(const std::string& text, const std::map<std::string, std::string>& variables) {
  std::string out;
  size_t from = 0;
  for (;;) {
    const size_t at = text.find(kOpen, from);
    out.append(text, from, at - from);
    if (at == std::string::npos) return out;
    const size_t end = text.find('}', at);
    if (end == std::string::npos) return InvalidArgument("'${{' without '}}'");
    OMNIX_ASSIGN_OR_RETURN(const std::string value, Lookup(text.substr(at + 2, end - at - 2), variables));
    out += value;
    if (out.size() > kMaxExpandedBytes) return ResourceExhausted("a parameter exceeds {} bytes", kMaxExpandedBytes);
    from = end + 1;
  }
}

absl::StatusOr<Json> ExpandJson(const Json& value, const std::map<std::string, std::string>& variables) {
  if (value.is_string()) {
    OMNIX_ASSIGN_OR_RETURN(std::string text, Expand(value.get<std::string>(), variables));
    return Json(std::move(text));
  }
  if (!value.is_structured()) return value;
  Json out = value;
  for (auto item = out.begin(); item != out.end(); ++item) {
    OMNIX_ASSIGN_OR_RETURN(*item, ExpandJson(*item, variables));
  }
  return out;
}

std::vector<std::string> SecretValues(const Json& value, const std::map<std::string, std::string>& variables) {
  std::vector<std::string> secrets;
  CollectEnvironment(value, &secrets);
  for (const auto& [name, text] : variables) {
    if (IsSecretName(name)) secrets.push_back(text);
  }
  std::erase_if(secrets, [](const std::string& secret) { return secret.size() < kLeastSecretBytes; });
  // Longest first, so that no part of one stays behind another.
  std::sort(secrets.begin(), secrets.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return secrets;
}

}  // namespace omnix

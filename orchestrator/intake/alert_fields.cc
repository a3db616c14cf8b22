#include "orchestrator/intake/alert_fields.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/clean_texts.h"
#include "common/hash.h"
#include "common/redact.h"

namespace omnix {
namespace {

constexpr size_t kFingerprintDigits = 16;
constexpr char kSeparator = '\xff';

struct SeverityWord {
  std::string_view word;
  v1::Severity severity;
};

constexpr std::array kSeverityWords = std::to_array<SeverityWord>({
    {"critical", v1::SEVERITY_CRITICAL},  {"crit", v1::SEVERITY_CRITICAL},     {"fatal", v1::SEVERITY_CRITICAL},
    {"emergency", v1::SEVERITY_CRITICAL}, {"disaster", v1::SEVERITY_CRITICAL}, {"page", v1::SEVERITY_CRITICAL},
    {"p1", v1::SEVERITY_CRITICAL},        {"sev0", v1::SEVERITY_CRITICAL},     {"p0", v1::SEVERITY_CRITICAL},
    {"emerg", v1::SEVERITY_CRITICAL},     {"panic", v1::SEVERITY_CRITICAL},    {"urgent", v1::SEVERITY_CRITICAL},
    {"error", v1::SEVERITY_ERROR},        {"err", v1::SEVERITY_ERROR},         {"high", v1::SEVERITY_ERROR},
    {"major", v1::SEVERITY_ERROR},        {"p2", v1::SEVERITY_ERROR},          {"sev1", v1::SEVERITY_ERROR},
    {"severe", v1::SEVERITY_ERROR},       {"warning", v1::SEVERITY_WARNING},   {"warn", v1::SEVERITY_WARNING},
    {"medium", v1::SEVERITY_WARNING},     {"average", v1::SEVERITY_WARNING},   {"minor", v1::SEVERITY_WARNING},
    {"p3", v1::SEVERITY_WARNING},         {"sev2", v1::SEVERITY_WARNING},      {"moderate", v1::SEVERITY_WARNING},
    {"sev5", v1::SEVERITY_INFO},          {"info", v1::SEVERITY_INFO},         {"information", v1::SEVERITY_INFO},
    {"informational", v1::SEVERITY_INFO}, {"notice", v1::SEVERITY_INFO},       {"low", v1::SEVERITY_INFO},
    {"debug", v1::SEVERITY_INFO},         {"p4", v1::SEVERITY_INFO},           {"p5", v1::SEVERITY_INFO},
    {"sev3", v1::SEVERITY_INFO},          {"sev4", v1::SEVERITY_INFO},         {"unknown", v1::SEVERITY_UNKNOWN},
});

// Text that will be cut at `limit` needs no look far beyond it: a megabyte takes a quarter of a second to redact. A
// secret that begins before the limit is known as one by its beginning.
std::string_view Near(std::string_view text, size_t limit) {
  constexpr size_t kBeyond = 4 << 10;
  return text.substr(0, limit + kBeyond);
}

// Excerpt, but quick for a text that it left as it is before. At each limit: none is below what is remembered.
std::string KeptText(std::string_view text, size_t limit) {
  static_assert(CleanTexts::kMaxTextBytes <= std::min(kMaxAlertTitleBytes, kMaxAlertTextBytes));
  thread_local CleanTexts clean;
  if (clean.Contains(text)) return std::string(text);
  std::string kept = Excerpt(Near(text, limit), limit);
  if (kept == text) clean.Add(text);
  return kept;
}

// The value, redacted in the light of its name: `api_key` says what the bare value does not.
std::string RedactedValue(const std::string& name, const std::string& whole_value) {
  // As "name=value". A name with a '=' inside would look like another name with another value.
  thread_local CleanTexts clean;
  const bool unmistakable = name.find('=') == std::string::npos;
  std::string head = name;
  head += '=';
  std::string whole = head;
  whole += Near(whole_value, kMaxLabelValueBytes);
  if (unmistakable && clean.Contains(whole)) return whole_value;
  const std::string redacted = Redact(whole);
  const std::string value =
      redacted.starts_with(head) ? redacted.substr(head.size()) : Redact(std::string_view(whole).substr(head.size()));
  std::string kept = Excerpt(value, kMaxLabelValueBytes);
  if (unmistakable && redacted == whole && kept == whole_value) clean.Add(whole);
  return kept;
}

std::string RedactedLink(const std::string& url) {
  thread_local CleanTexts clean;
  if (clean.Contains(url)) return url;
  std::string redacted = Redact(url);
  if (redacted == url) clean.Add(url);
  return redacted;
}

}  // namespace

std::optional<v1::Severity> ParseSeverity(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::ranges::find(kSeverityWords, lower, &SeverityWord::word);
  if (found == kSeverityWords.end()) return std::nullopt;
  return found->severity;
}

std::string LabelFingerprint(const std::map<std::string, std::string>& labels) {
  std::string bytes;
  for (const auto& [name, value] : labels) {
    bytes += name;
    bytes += kSeparator;
    bytes += value;
    bytes += kSeparator;
  }
  return Sha256Hex(bytes).substr(0, kFingerprintDigits);
}

std::string BoundedFingerprint(const std::string& key) {
  return key.size() <= kMaxFingerprintBytes ? key : Sha256Hex(key);
}

std::string AlertLine(std::string_view text) {
  std::string line = KeptText(text, kMaxAlertTitleBytes);
  std::ranges::replace_if(
      line, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return line;
}

std::string AlertText(std::string_view text) { return KeptText(text, kMaxAlertTextBytes); }

void SetLabels(const std::map<std::string, std::string>& labels, v1::Alert* alert) {
  size_t dropped = 0;
  auto& kept = *alert->mutable_labels();
  for (const auto& [name, value] : labels) {
    if (kept.size() >= kMaxAlertLabels || name.size() > kMaxLabelNameBytes) {
      ++dropped;
    } else {
      kept[name] = RedactedValue(name, value);
    }
  }
  if (dropped > 0) kept["omnix_dropped_labels"] = std::to_string(dropped);
}

void AddLink(const std::string& url, v1::Alert* alert) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return;
  if (url.size() > kMaxLinkBytes || alert->links_size() >= kMaxAlertLinks) return;
  const std::string link = RedactedLink(url);
  if (std::ranges::find(alert->links(), link) == alert->links().end()) alert->add_links(link);
}

}  // namespace omnix

// What all alert formats do alike: words of severity, fingerprints, and text made fit to keep.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace omnix {

// Longer text is cut (with "..."), further labels and links are left out; the label `omnix_dropped_labels` says how
// many.
inline constexpr size_t kMaxAlertTitleBytes = 512;
inline constexpr size_t kMaxAlertTextBytes = 16 << 10;
inline constexpr size_t kMaxAlertLabels = 128;
inline constexpr size_t kMaxLabelNameBytes = 256;
inline constexpr size_t kMaxLabelValueBytes = 4 << 10;
inline constexpr int kMaxAlertLinks = 16;
inline constexpr size_t kMaxLinkBytes = 4 << 10;
inline constexpr size_t kMaxFingerprintBytes = 256;

// The five words and what monitors use for them, whatever the case: P1..P5, sev0..sev4, fatal, page, high, warn,
// notice... nullopt for any other.
std::optional<v1::Severity> ParseSeverity(std::string_view word);

// Identity of an alert whose monitor sends none: the first 16 hex digits of SHA-256 over, label by label in the order
// of their names, the name, the byte 0xFF, the value, the byte 0xFF. 0xFF never occurs in UTF-8, so that no two label
// sets give the same bytes.
std::string LabelFingerprint(const std::map<std::string, std::string>& labels);

// The monitor's own key, or its hash where it is longer than kMaxFingerprintBytes.
std::string BoundedFingerprint(const std::string& key);

// One redacted line: control characters become spaces.
std::string AlertLine(std::string_view text);

// Redacted text of several lines.
std::string AlertText(std::string_view text);

// Puts redacted labels into the alert.
void SetLabels(const std::map<std::string, std::string>& labels, v1::Alert* alert);

// Adds the link unless it is empty, there already, or no http(s) URL (a console shows it as something to click).
void AddLink(const std::string& url, v1::Alert* alert);

}  // namespace omnix

#include "orchestrator/intake/cloudevents_binary.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "common/status.h"
#include "orchestrator/intake/body_parser.h"

namespace omnix {
namespace {

constexpr std::string_view kPrefix = "ce-";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Attribute values come percent-encoded; what is no escape stays as it is.
std::string Decoded(const std::string& value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    const bool escape =
        value[i] == '%' && i + 2 < value.size() && HexDigit(value[i + 1]) >= 0 && HexDigit(value[i + 2]) >= 0;
    if (!escape) {
      out += value[i];
      continue;
    }
    out += static_cast<char>(HexDigit(value[i + 1]) * 16 + HexDigit(value[i + 2]));
    i += 2;
  }
  return out;
}

bool IsUtf8(const std::string& text) {
  const Json round_trip = Json::parse(DumpJson(text), nullptr, false);
  return round_trip.is_string() && round_trip.get_ref<const std::string&>() == text;
}

std::string Base64(const std::string& bytes) {
  constexpr size_t kIn = 3, kOut = 4;
  std::string out((bytes.size() + kIn - 1) / kIn * kOut + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

// "application/json; charset=utf-8", "application/vnd.shop+json".
bool IsJsonType(std::string type) {
  type = type.substr(0, type.find(';'));
  std::erase_if(type, [](unsigned char c) { return std::isspace(c) != 0; });
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type.empty() || type == "text/json" || type.ends_with("/json") || type.ends_with("+json");
}

}  // namespace

bool IsBinaryCloudEvent(const std::map<std::string, std::string>& headers) {
  return headers.contains("ce-specversion") && headers.contains("ce-type");
}

absl::StatusOr<Json> StructuredCloudEvent(const std::map<std::string, std::string>& headers, const std::string& bytes) {
  Json event = Json::object();
  for (const auto& [name, value] : headers) {
    if (name.starts_with(kPrefix)) event[name.substr(kPrefix.size())] = Decoded(value);
  }
  const auto type = headers.find("content-type");
  const std::string content_type = type == headers.end() ? "" : type->second;
  if (!content_type.empty()) event["datacontenttype"] = content_type;
  if (bytes.empty()) return event;
  if (IsJsonType(content_type)) {
    OMNIX_ASSIGN_OR_RETURN(ParsedBody data, ParseBody(bytes));
    event["data"] = std::move(data.value);
  } else if (IsUtf8(bytes)) {
    event["data"] = bytes;
  } else {
    event["data_base64"] = Base64(bytes);
  }
  return event;
}

}  // namespace omnix

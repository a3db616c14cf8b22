#include "agents/sources/client_paths.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>

#include "agents/sources/js_value.h"

namespace omnix {

std::string RequestPath(std::string text) {
  const size_t scheme = text.find("//");
  if (scheme != std::string::npos && text.find('/') == scheme && text.find_first_of("?#") > scheme) {
    const size_t path = text.find('/', scheme + 2);
    text = path == std::string::npos ? "/" : text.substr(path);
  }
  while (!text.empty() && text.front() == kUnknownPiece) text.erase(0, 1);
  // "/orders${query}": a query string, as a rule.
  while (!text.empty() && text.back() == kUnknownPiece && text.size() >= 2 && text[text.size() - 2] != '/' &&
         text[text.size() - 2] != '=' && text[text.size() - 2] != '-') {
    text.pop_back();
  }
  text = text.substr(0, text.find('#'));
  std::replace(text.begin(), text.end(), kUnknownPiece, '1');
  return text;
}

std::string WithoutNames(std::string path) {
  static const re2::RE2 kName(R"(/\{[\w.-]+\})");
  re2::RE2::GlobalReplace(&path, kName, std::string("/") + kUnknownPiece);
  return path;
}

bool HasOpenHead(const std::string& text) {
  return !text.empty() && text.front() == kUnknownPiece && text.find("//") == std::string::npos;
}

bool HasUnknownPart(const std::string& base) {
  const size_t scheme = base.find("//");
  const size_t path = base.find('/', scheme == std::string::npos ? 0 : scheme + 2);
  return path != std::string::npos && base.find(kUnknownPiece, path) != std::string::npos;
}

bool NamesHost(const std::string& text) {
  const size_t slashes = text.find("//");
  return slashes != std::string::npos && slashes + 2 < text.size() && text[slashes + 2] != kUnknownPiece;
}

bool LooksLikePath(const std::string& text) {
  const size_t at = text.find_first_not_of(kUnknownPiece);
  if (at == std::string::npos) return false;
  const std::string rest = text.substr(at);
  if (rest.find_first_of(" \n\t<>{}") != std::string::npos) return false;
  return rest.starts_with("/") || rest.starts_with("http://") || rest.starts_with("https://") ||
         rest.starts_with("ws://") || rest.starts_with("wss://") || (at > 0 && rest.find('/') != std::string::npos);
}

bool IsScheme(const std::string& text) {
  return text.ends_with("//") && std::all_of(text.begin(), text.end() - 2, [](char c) {
           return std::isalpha(static_cast<unsigned char>(c)) || c == ':';
         });
}

}  // namespace omnix

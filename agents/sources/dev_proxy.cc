#include "agents/sources/dev_proxy.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "agents/sources/js_value.h"
#include "common/file.h"
#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxProxyFileBytes = 1 << 20;
constexpr size_t kMaxEntries = 200;

// Regular expressions of JavaScript that RE2 reads alike, once the escaped slashes are plain.
std::string ToRe2(std::string pattern) {
  for (size_t at = 0; (at = pattern.find("\\/", at)) != std::string::npos;) pattern.erase(at, 1);
  return pattern;
}

// "$1" -> "\1".
std::string ToRe2Replacement(const std::string& replacement) {
  std::string out;
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] == '$' && i + 1 < replacement.size() &&
        std::isdigit(static_cast<unsigned char>(replacement[i + 1]))) {
      out += '\\';
    } else if (replacement[i] == '\\') {
      out += "\\\\";
    } else {
      out += replacement[i];
    }
  }
  return out;
}

re2::RE2::Options Quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

bool Matches(const std::string& pattern, const std::string& text) {
  const re2::RE2 regex(pattern, Quiet());
  return regex.ok() && re2::RE2::PartialMatch(text, regex);
}

std::string TargetPath(const std::string& target) {
  const size_t scheme = target.find("//");
  const size_t slash = target.find('/', scheme == std::string::npos ? 0 : scheme + 2);
  std::string path = slash == std::string::npos ? "" : target.substr(slash);
  while (path.ends_with('/')) path.pop_back();
  return path;
}

class Reader {
 public:
  Reader(const std::vector<JsFile>& files, DevProxy* proxy) : files_(files), symbols_(files), proxy_(*proxy) {}

  void ReadFileAt(size_t f) {
    const auto& tokens = files_[f].tokens;
    for (size_t i = 0; i + 2 < tokens.size() && proxy_.entries.size() < kMaxEntries; ++i) {
      if (tokens[i].text == "proxy" && tokens[i + 1].Is(":")) {
        ProxyProperty(f, i + 2);
      } else if (tokens[i].Is("use") && tokens[i + 1].Is("(")) {
        Middleware(f, i + 1);
      }
    }
  }

  // A file that is nothing but the proxy: Angular's proxy.conf.json (https://angular.dev/tools/cli/serve), an object of
  // paths or a list of contexts, by itself or behind a "=".
  void ReadBareFileAt(size_t f) {
    const auto& tokens = files_[f].tokens;
    const size_t before = proxy_.entries.size();
    for (size_t i = 0; i + 2 < tokens.size() && proxy_.entries.size() < kMaxEntries; ++i) {
      if (!tokens[i].Is("{") && !tokens[i].Is("[")) continue;
      if (i == 0 || tokens[i - 1].Is("=")) ProxyProperty(f, i);
      i = MatchingBracket(tokens, i);
    }
    const auto is_none = [](const DevProxyEntry& entry) {
      const bool path = entry.key.text.starts_with('/') || entry.key.text.starts_with('^');
      return !path || entry.target.text.find("://") == std::string::npos;
    };
    proxy_.entries.erase(
        std::remove_if(proxy_.entries.begin() + static_cast<std::ptrdiff_t>(before), proxy_.entries.end(), is_none),
        proxy_.entries.end());
    const std::string name = files_[f].path.substr(files_[f].path.rfind('/') + 1);
    const bool is_angulars = name.ends_with(".json") || name.find("proxy.conf") != std::string::npos;
    if (proxy_.entries.size() > before && before == 0 && is_angulars) proxy_.tool = "angular";
  }

 private:
  Literal MakeLiteral(size_t f, size_t offset, const std::string& text) const {
    Literal literal{text, files_[f].lines.Locate(files_[f].path, offset), ""};
    literal.line_text = files_[f].lines.Line(literal.location.line());
    return literal;
  }

  Literal Text(size_t f, const std::vector<JsToken>& tokens, size_t at) const {
    const JsValue value = symbols_.Evaluate(f, tokens, &at);
    for (const JsPiece& piece : value.pieces) {
      if (!piece.literal) continue;
      Literal literal = *piece.literal;
      literal.text = value.Text();
      return literal;
    }
    return {};
  }

  // proxy: 'http://...' | { '/api': ... } | [ { context: [...], target } ] | name
  void ProxyProperty(size_t f, size_t at) {
    const auto& tokens = files_[f].tokens;
    if (tokens[at].Is("[")) {
      const size_t close = MatchingBracket(tokens, at);
      for (size_t i = at + 1; i < close; ++i) {
        if (!tokens[i].Is("{")) continue;
        ContextObject(f, i);
        i = MatchingBracket(tokens, i);
      }
    } else if (tokens[at].Is("{")) {
      Entries(f, at);
    } else if (tokens[at].kind == JsTokenKind::kIdentifier) {
      for (const auto& d : symbols_.declarations()) {
        if (d.name == tokens[at].text && d.file == f && (*d.tokens)[d.value_at].Is("{")) Entries(f, d.value_at);
      }
    } else if (tokens[at].kind == JsTokenKind::kString && tokens[at].text.starts_with("http")) {
      DevProxyEntry entry;
      entry.key = MakeLiteral(f, tokens[at].offset + 1, "/");
      entry.target = MakeLiteral(f, tokens[at].offset + 1, tokens[at].text);
      proxy_.entries.push_back(entry);
    }
  }

  void Entries(size_t f, size_t open) {
    const auto& tokens = files_[f].tokens;
    const size_t close = MatchingBracket(tokens, open);
    for (size_t i = open + 1; i + 1 < close && proxy_.entries.size() < kMaxEntries; ++i) {
      DevProxyEntry entry;
      size_t value = i + 2;
      if (tokens[i].Is("[")) {
        // [`^${prefix}`]: { ... }
        const size_t bracket = MatchingBracket(tokens, i);
        entry.key = Text(f, tokens, i + 1);
        value = bracket + 2;
        if (bracket + 1 >= close || !tokens[bracket + 1].Is(":")) return;
      } else if (tokens[i].kind == JsTokenKind::kString && tokens[i + 1].Is(":")) {
        entry.key = MakeLiteral(f, tokens[i].offset + 1, tokens[i].text);
      } else {
        continue;
      }
      if (value >= close) return;
      if (tokens[value].Is("{")) {
        Options(f, value, &entry);
        i = MatchingBracket(tokens, value);
      } else if (const auto* shared = ObjectNamed(f, tokens[value].text)) {
        Options(f, shared->value_at, &entry);
        i = value;
      } else {
        entry.target = Text(f, tokens, value);
        size_t end = value;
        symbols_.Evaluate(f, tokens, &end);
        i = end - 1;
      }
      proxy_.entries.push_back(std::move(entry));
    }
  }

  // `const edge = { target: ... }`, used for several keys; null where the name is none of an object in this file.
  const JsSymbols::Declaration* ObjectNamed(size_t f, const std::string& name) const {
    for (const auto& d : symbols_.declarations()) {
      if (d.name == name && d.file == f && !d.property && d.tokens == &files_[f].tokens &&
          (*d.tokens)[d.value_at].Is("{"))
        return &d;
    }
    return nullptr;
  }

  void ContextObject(size_t f, size_t open) {
    const auto& tokens = files_[f].tokens;
    const size_t close = MatchingBracket(tokens, open);
    DevProxyEntry common;
    Options(f, open, &common);
    for (size_t i = open + 1; i + 2 < close; ++i) {
      if (tokens[i].text != "context" || !tokens[i + 1].Is(":")) continue;
      const size_t end = tokens[i + 2].Is("[") ? MatchingBracket(tokens, i + 2) : i + 3;
      for (size_t k = i + 2; k < end; ++k) {
        if (tokens[k].kind != JsTokenKind::kString) continue;
        DevProxyEntry entry = common;
        entry.key = MakeLiteral(f, tokens[k].offset + 1, tokens[k].text);
        proxy_.entries.push_back(std::move(entry));
      }
    }
  }

  // app.use('/api', createProxyMiddleware({ ... })) and app.use(createProxyMiddleware('/api', { ... }))
  void Middleware(size_t f, size_t open) {
    const auto& tokens = files_[f].tokens;
    const size_t close = MatchingBracket(tokens, open);
    DevProxyEntry entry;
    bool is_proxy = false;
    for (size_t i = open + 1; i < close; ++i) {
      if (tokens[i].Is("createProxyMiddleware") || tokens[i].Is("proxy")) is_proxy = true;
      if (tokens[i].kind == JsTokenKind::kString && entry.key.text.empty()) {
        entry.key = MakeLiteral(f, tokens[i].offset + 1, tokens[i].text);
      }
      if (is_proxy && tokens[i].Is("{")) {
        Options(f, i, &entry);
        break;
      }
    }
    if (is_proxy && !entry.target.text.empty()) {
      if (entry.key.text.empty()) entry.key = MakeLiteral(f, tokens[open].offset, "/");
      proxy_.tool = "middleware";
      proxy_.entries.push_back(std::move(entry));
    }
  }

  void Options(size_t f, size_t open, DevProxyEntry* entry) {
    const auto& tokens = files_[f].tokens;
    const size_t close = MatchingBracket(tokens, open);
    for (size_t i = open + 1; i + 1 < close; ++i) {
      const bool colon = tokens[i + 1].Is(":");
      if (tokens[i].Is("...")) {
        const auto* shared = ObjectNamed(f, tokens[i + 1].text);
        if (shared != nullptr && shared->value_at < open) Options(f, shared->value_at, entry);
      } else if (tokens[i].text == "rewrite" && (colon || tokens[i + 1].Is("("))) {
        i = Rewrite(f, i + (colon ? 2 : 1), close, entry);
      } else if (tokens[i].text == "pathRewrite" && colon) {
        i = PathRewrite(f, i + 2, close, entry);
      } else if (!colon || i + 2 >= close) {
        continue;
      } else if (tokens[i].text == "target") {
        entry->target = Text(f, tokens, i + 2);
      } else if (tokens[i].text == "changeOrigin") {
        entry->change_origin = tokens[i + 2].Is("true");
      } else if (tokens[i].text == "ws") {
        entry->websocket = tokens[i + 2].Is("true");
      } else if (tokens[i + 2].Is("{") || tokens[i + 2].Is("[")) {
        i = MatchingBracket(tokens, i + 2);
      }
    }
  }

  // End of the property value that begins at `at`: the comma at the same depth, or `close`.
  static size_t ValueEnd(const std::vector<JsToken>& tokens, size_t at, size_t close) {
    for (size_t i = at; i < close; ++i) {
      if (tokens[i].Is(",")) return i;
      if (tokens[i].Is("(") || tokens[i].Is("[") || tokens[i].Is("{")) i = MatchingBracket(tokens, i);
    }
    return close;
  }

  // path => path.replace(/^\/api/, '').replace(...); (path) => path; path => '/v1' + path
  size_t Rewrite(size_t f, size_t at, size_t close, DevProxyEntry* entry) {
    const auto& tokens = files_[f].tokens;
    const size_t end = ValueEnd(tokens, at, close);
    size_t body = at;
    for (size_t i = at; i < end; ++i) {
      if (tokens[i].Is("=>") || tokens[i].Is("return")) body = i + 1;
    }
    size_t last = end;
    while (last > body && (tokens[last - 1].Is(";") || tokens[last - 1].Is("}"))) --last;
    if (body >= last) return end;
    entry->rewrite =
        MakeLiteral(f, tokens[body].offset,
                    files_[f].source.substr(tokens[body].offset, tokens[last - 1].end - tokens[body].offset));
    Replacements(tokens, body, last, entry);
    return end;
  }

  void Replacements(const std::vector<JsToken>& tokens, size_t body, size_t last, DevProxyEntry* entry) {
    size_t i = body;
    if (tokens[i].kind == JsTokenKind::kString && i + 1 < last && tokens[i + 1].Is("+")) {
      entry->rewrites.push_back({"^", ToRe2Replacement(tokens[i].text)});
      i += 2;
    } else if (tokens[i].kind == JsTokenKind::kTemplate && tokens[i].parts.size() == 2 &&
               !tokens[i].parts[0].is_expression) {
      entry->rewrites.push_back({"^", ToRe2Replacement(tokens[i].parts[0].text)});
      return;
    }
    ++i;  // the parameter
    while (i + 5 < last + 1 && tokens[i].Is(".") && tokens[i + 1].Is("replace") && tokens[i + 2].Is("(")) {
      const JsToken& from = tokens[i + 3];
      const JsToken& to = tokens[i + 5];
      if (!tokens[i + 4].Is(",") || to.kind != JsTokenKind::kString) break;
      if (from.kind == JsTokenKind::kRegex) {
        entry->rewrites.push_back({ToRe2(from.text), ToRe2Replacement(to.text)});
      } else if (from.kind == JsTokenKind::kString) {
        entry->rewrites.push_back({re2::RE2::QuoteMeta(from.text), ToRe2Replacement(to.text)});
      } else {
        break;
      }
      i += 7;
    }
    entry->understood = i >= last;
  }

  // { '^/api': '' }
  size_t PathRewrite(size_t f, size_t at, size_t close, DevProxyEntry* entry) {
    const auto& tokens = files_[f].tokens;
    if (!tokens[at].Is("{")) return Rewrite(f, at, close, entry);
    const size_t end = std::min(MatchingBracket(tokens, at), close);
    entry->rewrite = MakeLiteral(f, tokens[at].offset,
                                 files_[f].source.substr(tokens[at].offset, tokens[end].end - tokens[at].offset));
    for (size_t i = at + 1; i + 2 < end; ++i) {
      if (tokens[i].kind == JsTokenKind::kString && tokens[i + 1].Is(":") &&
          tokens[i + 2].kind == JsTokenKind::kString) {
        entry->rewrites.push_back({ToRe2(tokens[i].text), ToRe2Replacement(tokens[i + 2].text)});
      }
    }
    return end;
  }

  const std::vector<JsFile>& files_;
  JsSymbols symbols_;
  DevProxy& proxy_;
};

std::string ToolOf(const std::string& path, const std::string& source) {
  if (path.ends_with("package.json")) return "package.json";
  if (path.find("webpack") != std::string::npos || source.find("devServer") != std::string::npos) return "webpack";
  return "vite";
}

}  // namespace

DevForward DevProxy::Forward(std::string_view path) const {
  const std::string asked(path);
  for (size_t i = 0; i < entries.size(); ++i) {
    const DevProxyEntry& entry = entries[i];
    const std::string& key = entry.key.text;
    const bool matches =
        key.starts_with('^') ? Matches(ToRe2(key), asked) : asked.starts_with(key.substr(0, key.find('*')));
    if (!matches) continue;
    DevForward forward{true, entry.target.text, asked, i, entry.understood};
    for (const DevRewrite& rewrite : entry.rewrites) {
      const re2::RE2 regex(rewrite.pattern, Quiet());
      if (!regex.ok()) {
        forward.certain = false;
        continue;
      }
      re2::RE2::Replace(&forward.path, regex, rewrite.replacement);
    }
    if (!forward.path.starts_with('/')) forward.path.insert(0, "/");
    forward.path.insert(0, TargetPath(entry.target.text));
    return forward;
  }
  return {};
}

absl::StatusOr<DevProxy> ReadDevProxy(const std::vector<std::string>& patterns) {
  DevProxy proxy;
  std::vector<JsFile> files;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : Glob(pattern)) {
      OMNIX_ASSIGN_OR_RETURN(std::string source, ReadFile(path, kMaxProxyFileBytes));
      JsFile file{path, std::move(source), LineIndex(""), {}};
      file.lines = LineIndex(file.source);
      file.tokens = LexJavaScript(file.source);
      files.push_back(std::move(file));
    }
  }
  if (files.empty()) {
    return NotFound("no development proxy file matches {}; correct `dev_proxy_files` in the system model",
                    patterns.empty() ? "(nothing given)" : patterns[0]);
  }
  Reader reader(files, &proxy);
  for (size_t f = 0; f < files.size(); ++f) {
    const size_t before = proxy.entries.size();
    if (proxy.tool.empty()) proxy.tool = ToolOf(files[f].path, files[f].source);
    reader.ReadFileAt(f);
    if (proxy.entries.size() == before) reader.ReadBareFileAt(f);
    if (proxy.entries.size() > before) proxy.files.push_back(files[f].path);
  }
  if (proxy.entries.empty()) {
    return FailedPrecondition("{}: no server.proxy, devServer.proxy, createProxyMiddleware or \"proxy\" found",
                              files[0].path);
  }
  return proxy;
}

}  // namespace omnix

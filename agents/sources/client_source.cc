#include "agents/sources/client_source.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "agents/sources/client_env.h"
#include "agents/sources/client_headers.h"
#include "agents/sources/client_makers.h"
#include "agents/sources/client_paths.h"
#include "agents/sources/client_words.h"
#include "agents/sources/js_value.h"
#include "common/file.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

class Reader {
 public:
  explicit Reader(const std::vector<JsFile>& files, JsSymbols* symbols) : files_(files), symbols_(*symbols) {}

  ClientCalls Read() {
    FindInstances();
    made_ = FindMadeClients(files_, symbols_);
    for (size_t f = 0; f < files_.size(); ++f) ScanCalls(f, files_[f].tokens);
    FindNamedBases();
    JoinPending();
    FindEndpointTables();
    result_.headers = RequestHeaders(files_, SendsBodies());
    ChooseBasePath();
    return std::move(result_);
  }

 private:
  struct Pending {
    ClientCall call;
    std::string text;
    size_t file;
    std::string receiver;
    bool raw;
    // Called as a method: client.get('/x').
    bool dotted = false;
    size_t offset = 0;
  };

  int AddBase(const Literal& literal) {
    for (size_t i = 0; i < result_.bases.size(); ++i) {
      if (SamePlace(result_.bases[i], literal)) return static_cast<int>(i);
    }
    result_.bases.push_back(literal);
    return static_cast<int>(result_.bases.size() - 1);
  }

  // The literal that carries the path of a base: the last text piece with more than a scheme and host, else the last
  // one.
  static const Literal* BaseLiteral(const std::vector<JsPiece>& pieces) {
    const Literal* last = nullptr;
    for (const JsPiece& piece : pieces) {
      if (piece.literal && (last == nullptr || !BasePathOf(piece.literal->text).empty())) last = &*piece.literal;
    }
    return last;
  }

  int AddBase(const JsValue& value, size_t file) {
    const Literal* literal = BaseLiteral(value.pieces);
    if (literal == nullptr || !(LooksLikePath(value.Text()) || literal->text.empty())) return -1;
    const int index = AddBase(*literal);
    base_text_[index] = BasePathOf(RequestPath(value.Text()));
    if (HasOpenHead(value.Text())) open_bases_.insert(index);
    if (HasUnknownPart(value.Text())) unknown_bases_.insert(index);
    file_base_.emplace(file, index);
    if (shared_base_ < 0) shared_base_ = index;
    return index;
  }

  // const api = axios.create({ baseURL: ... }), axios.defaults.baseURL = ..., config objects with a base.
  void FindInstances() {
    for (size_t f = 0; f < files_.size(); ++f) {
      const auto& tokens = files_[f].tokens;
      for (size_t i = 0; i + 1 < tokens.size(); ++i) {
        const std::string name = PlainName(tokens[i].text);
        if (name != "baseurl" && name != "prefixurl") continue;
        if (!tokens[i + 1].Is(":") && !tokens[i + 1].Is("=")) continue;
        size_t at = i + 2;
        const int base = AddBase(symbols_.Evaluate(f, tokens, &at), f);
        if (base < 0) continue;
        const std::string owner = Owner(tokens, i);
        if (!owner.empty()) instance_base_[owner] = base;
      }
    }
  }

  // Name of the variable that `NAME = x.create({ ... baseURL` or `NAME.defaults.baseURL` sets up.
  static std::string Owner(const std::vector<JsToken>& tokens, size_t at) {
    if (at >= 4 && tokens[at - 2].Is("defaults")) return tokens[at - 4].text;
    for (size_t back = 1; back <= 40 && back <= at; ++back) {
      const JsToken& token = tokens[at - back];
      if (token.Is(";")) return "";
      if ((token.Is("create") || token.Is("extend")) && at >= back + 2) {
        for (size_t more = back + 1; more <= back + 8 && more <= at; ++more) {
          if (tokens[at - more].Is("=") && at >= more + 1) return tokens[at - more - 1].text;
        }
        return "";
      }
    }
    return "";
  }

  void ScanCalls(size_t f, const std::vector<JsToken>& tokens) {
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      for (const JsTemplatePart& part : tokens[i].parts) {
        if (part.is_expression) ScanCalls(f, part.tokens);
      }
      if (tokens[i].kind != JsTokenKind::kIdentifier || !IsCallName(tokens[i].text)) continue;
      size_t open = i + 1;
      if (tokens[open].Is("<")) open = AfterTypeArguments(tokens, open);
      if (open >= tokens.size() || !tokens[open].Is("(")) continue;
      if (made_.makers.contains(tokens[i].text)) continue;
      if (i > 0 && tokens[i - 1].Is("function")) continue;
      Call(f, tokens, i, open);
    }
  }

  static size_t AfterTypeArguments(const std::vector<JsToken>& tokens, size_t at) {
    int depth = 0;
    constexpr int kMostWords = 40;
    int words = 0;
    for (size_t i = at; i < tokens.size() && words < kMostWords; ++i, ++words) {
      // Types may be written out: get<{ name: string; rows: Row[] }>(...).
      if (tokens[i].Is("{") || tokens[i].Is("[")) i = MatchingBracket(tokens, i);
      if (i >= tokens.size() || tokens[i].Is(";") || tokens[i].Is("(")) break;
      if (tokens[i].Is("<")) ++depth;
      for (const char* end : {">", ">>", ">>>"}) {
        if (tokens[i].Is(end)) depth -= static_cast<int>(std::string_view(end).size());
      }
      if (depth <= 0) return i + 1;
    }
    return tokens.size();
  }

  void Call(size_t f, const std::vector<JsToken>& tokens, size_t name_at, size_t open) {
    const size_t close = MatchingBracket(tokens, open);
    // A method's declaration, not a call: get(path) { ... }
    if (close + 1 < tokens.size() && tokens[close + 1].Is("{") && !(name_at > 0 && tokens[name_at - 1].Is("."))) return;
    Pending pending;
    pending.file = f;
    const std::string& function = tokens[name_at].text;
    const bool dotted = name_at >= 2 && (tokens[name_at - 1].Is(".") || tokens[name_at - 1].Is("?."));
    pending.receiver = dotted ? tokens[name_at - 2].text : function;
    if (dotted && IsNoClient(pending.receiver)) return;
    pending.dotted = dotted;
    pending.offset = tokens[name_at].offset;
    pending.raw = IsRaw(function, pending.receiver);
    pending.call.websocket = function == "WebSocket" ||
                             absl::StrContains(absl::AsciiStrToLower(function), "websocket") ||
                             (function == "URL" && IsGivenToSocket(tokens, name_at));
    pending.call.method = MethodOfFunction(function);
    size_t at = open + 1;
    JsValue value;
    if (at < close && tokens[at].Is("{")) {
      value = Property(f, tokens, at, {"url", "path", "uri", "endpoint"});
    } else if (at < close) {
      value = symbols_.Evaluate(f, tokens, &at);
      if (pending.call.method.empty() && at < close && tokens[at].kind == JsTokenKind::kPunctuation &&
          tokens[at].Is(",")) {
        // request('POST', '/x')
        const std::string method = MethodOfFunction(value.Text());
        if (!method.empty()) {
          pending.call.method = method;
          ++at;
          value = symbols_.Evaluate(f, tokens, &at);
        } else if (!LooksLikePath(value.Text()) && at + 1 < close && tokens[at + 1].Is("{")) {
          // request(OpenAPI, { method: 'GET', url: '/x' }), as generators write it.
          value = Property(f, tokens, at + 1, {"url", "path", "uri", "endpoint"});
        }
      }
    }
    if (pending.call.method.empty()) pending.call.method = MethodIn(f, tokens, open, close);
    Keep(std::move(pending), value);
  }

  // `const x = new URL(...)` that is opened by `new WebSocket(x)`.
  static bool IsGivenToSocket(const std::vector<JsToken>& tokens, size_t url_at) {
    if (url_at < 3 || !tokens[url_at - 1].Is("new") || !tokens[url_at - 2].Is("=")) return false;
    const std::string& name = tokens[url_at - 3].text;
    for (size_t i = url_at; i + 2 < tokens.size(); ++i) {
      if (tokens[i].Is("WebSocket") && tokens[i + 1].Is("(") && tokens[i + 2].Is(name)) return true;
    }
    return false;
  }

  // Value of one of the properties of the object that opens at `open`.
  JsValue Property(size_t f, const std::vector<JsToken>& tokens, size_t open, const std::set<std::string>& names) {
    const size_t close = MatchingBracket(tokens, open);
    for (size_t i = open + 1; i + 1 < close; ++i) {
      if (names.count(tokens[i].text) == 0 || !tokens[i + 1].Is(":")) continue;
      size_t at = i + 2;
      return symbols_.Evaluate(f, tokens, &at);
    }
    return {};
  }

  std::string MethodIn(size_t f, const std::vector<JsToken>& tokens, size_t open, size_t close) {
    for (size_t i = open + 1; i + 2 < close; ++i) {
      if (!(tokens[i].text == "method" || tokens[i].text == "type") || !tokens[i + 1].Is(":")) continue;
      size_t at = i + 2;
      const std::string method = MethodOfFunction(symbols_.Evaluate(f, tokens, &at).Text());
      if (!method.empty()) return method;
    }
    return "GET";
  }

  // A wrapper (`fetch(`${BASE}${path}`)`) gives a base; everything else that looks like a path is a call.
  void Keep(Pending pending, const JsValue& value) {
    if (value.pieces.empty() || !value.has_text()) return;
    const std::string text = WithoutNames(value.Text());
    if (!LooksLikePath(text)) return;
    const JsPiece& last = value.pieces.back();
    const bool own_text = std::any_of(value.pieces.begin(), value.pieces.end(), [](const JsPiece& p) {
      return p.literal && p.symbol.empty() && p.literal->text != "/";
    });
    if (!last.literal && (IsPathName(last.name) || (!own_text && value.pieces.size() > 1 &&
                                                    !text.ends_with(std::string("/") + kUnknownPiece)))) {
      JsValue base = value;
      base.pieces.pop_back();
      AddBase(base, pending.file);
      return;
    }
    pending.text = text;
    pending.call.has_template = text.find(kUnknownPiece, 1) != std::string::npos;
    pending.call.open_head = HasOpenHead(text);
    const JsPiece* own = nullptr;
    for (const JsPiece& piece : value.pieces) {
      if (!piece.literal || piece.literal->text.find('/') == std::string::npos || IsScheme(piece.literal->text))
        continue;
      if (own == nullptr || !own->symbol.empty()) own = &piece;
    }
    if (own == nullptr) return;
    pending.call.literal = *own->literal;
    NoteInlineBase(value, *own, &pending);
    if (pending_.size() < kMaxClientCalls) pending_.push_back(std::move(pending));
  }

  // `${BASE_URL}/orders`: what stands before the call's own text is a base, and already joined.
  void NoteInlineBase(const JsValue& value, const JsPiece& own, Pending* pending) {
    JsValue before;
    for (const JsPiece& piece : value.pieces) {
      if (&piece == &own) break;
      before.pieces.push_back(piece);
    }
    const bool has_base = std::any_of(before.pieces.begin(), before.pieces.end(), [](const JsPiece& piece) {
      return piece.literal && !IsScheme(piece.literal->text);
    });
    if (has_base && !own.literal->text.empty()) {
      pending->call.base = AddBase(before, pending->file);
      pending->raw = true;
    } else if (!before.pieces.empty()) {
      pending->raw = true;
    }
  }

  // A constant that is named as a base, used in a way that was not understood.
  void FindNamedBases() {
    if (shared_base_ >= 0) return;
    for (const JsSymbols::Declaration& d : symbols_.declarations()) {
      if (!IsBaseName(d.name)) continue;
      size_t at = d.value_at;
      const JsValue value = symbols_.Evaluate(d.file, *d.tokens, &at);
      if (value.has_text() && LooksLikePath(value.Text())) AddBase(value, d.file);
    }
  }

  int BaseFor(const Pending& pending) const {
    if (pending.raw) return -1;
    if (const auto it = instance_base_.find(pending.receiver); it != instance_base_.end()) return it->second;
    if (pending.receiver == "axios") return -1;
    if (const auto it = file_base_.find(pending.file); it != file_base_.end()) return it->second;
    return shared_base_;
  }

  void Emit(ClientCall call, const std::string& text) {
    const bool absolute = absl::StrContains(text, "//");
    call.absolute = call.base < 0 && NamesHost(text);
    if (call.base < 0 || call.path.empty()) call.path = RequestPath(text);
    if (!call.path.starts_with('/')) {
      // "https://h/v1" + "products" or an unknown origin before a relative path.
      if (absolute || call.path.empty()) return;
      call.path.insert(0, "/");
    }
    const bool known = std::any_of(result_.calls.begin(), result_.calls.end(), [&](const ClientCall& c) {
      return c.method == call.method && c.path == call.path && c.websocket == call.websocket &&
             SamePlace(c.literal, call.literal);
    });
    if (!known && result_.calls.size() < kMaxClientCalls) result_.calls.push_back(std::move(call));
  }

  // False where the call is made by a wrapper whose base is not known: then its path isn't either.
  bool FindBase(const Pending& pending, int* base) {
    *base = -1;
    if (pending.raw || !pending.dotted || made_.makers.empty()) {
      *base = BaseFor(pending);
      return true;
    }
    if (const MadeClient* made = made_.Find(pending.file, pending.offset, pending.receiver)) {
      const std::string text = made->base.Text();
      // An empty base, or a host alone, leaves the paths as they are.
      if (made->base.has_text()) *base = AddBase(made->base, made->file);
      return made->base.has_text() && (*base >= 0 || text.empty());
    }
    *base = BaseFor(pending);
    return *base >= 0;
  }

  void JoinPending() {
    for (Pending& pending : pending_) {
      int base = -1;
      if (!FindBase(pending, &base)) continue;
      if (unknown_bases_.contains(base) || unknown_bases_.contains(pending.call.base)) {
        ++result_.unknown_calls;
        continue;
      }
      if (base >= 0 && !absl::StrContains(pending.text, "//") && pending.text.front() != kUnknownPiece) {
        pending.call.base = base;
        pending.call.open_head = open_bases_.contains(base);
        const std::string own = RequestPath(pending.text);
        pending.call.path = base_text_[base] + (own.starts_with('/') ? own : "/" + own);
      }
      Emit(std::move(pending.call), pending.text);
    }
  }

  // endpoints: { products: '/products' }: paths that no call names directly.
  void FindEndpointTables() {
    for (size_t f = 0; f < files_.size(); ++f) {
      const auto& tokens = files_[f].tokens;
      for (size_t i = 0; i + 2 < tokens.size(); ++i) {
        if (!IsEndpointTable(tokens[i].text) || !(tokens[i + 1].Is(":") || tokens[i + 1].Is("=")) ||
            !tokens[i + 2].Is("{"))
          continue;
        const size_t close = MatchingBracket(tokens, i + 2);
        for (size_t k = i + 3; k < close; ++k) {
          if (!tokens[k].Is(":") || tokens[k + 1].Is("{")) continue;
          size_t at = k + 1;
          TableEntry(f, symbols_.Evaluate(f, tokens, &at));
        }
      }
    }
  }

  void TableEntry(size_t f, const JsValue& value) {
    const std::string text = value.Text();
    if (!value.has_text() || !LooksLikePath(text)) return;
    Pending pending;
    pending.file = f;
    pending.raw = false;
    pending.call.method = "GET";
    for (const JsPiece& piece : value.pieces) {
      if (piece.literal) pending.call.literal = *piece.literal;
    }
    const bool used = std::any_of(result_.calls.begin(), result_.calls.end(),
                                  [&](const ClientCall& c) { return SamePlace(c.literal, pending.call.literal); });
    const bool is_base = std::any_of(result_.bases.begin(), result_.bases.end(),
                                     [&](const Literal& base) { return SamePlace(base, pending.call.literal); });
    if (used || is_base) return;
    pending.call.websocket = text.starts_with("ws");
    pending.call.base = text.starts_with('/') && value.pieces.front().symbol.empty() ? BaseFor(pending) : -1;
    if (pending.call.base >= 0) pending.call.path = base_text_[pending.call.base] + RequestPath(text);
    Emit(pending.call, text);
  }

  bool SendsBodies() const {
    return std::any_of(result_.calls.begin(), result_.calls.end(), [](const ClientCall& call) {
      return call.method == "POST" || call.method == "PUT" || call.method == "PATCH";
    });
  }

  void ChooseBasePath() {
    std::map<int, size_t> uses;
    for (const ClientCall& call : result_.calls) {
      if (call.base >= 0) ++uses[call.base];
    }
    int best = shared_base_;
    for (const auto& [base, count] : uses) {
      if (best < 0 || count > uses[best]) best = base;
    }
    if (best >= 0) result_.base_path = base_text_[best];
  }

  const std::vector<JsFile>& files_;
  JsSymbols& symbols_;
  ClientCalls result_;
  std::vector<Pending> pending_;
  std::map<int, std::string> base_text_;
  std::set<int> open_bases_;
  // Nothing can be said of the paths behind these.
  std::set<int> unknown_bases_;
  std::map<std::string, int> instance_base_;
  std::map<size_t, int> file_base_;
  int shared_base_ = -1;
  MadeClients made_;
};

}  // namespace

bool SamePlace(const Literal& a, const Literal& b) {
  return a.location.file() == b.location.file() && a.location.line() == b.location.line() &&
         a.location.column() == b.location.column();
}

std::string BasePathOf(const std::string& url_or_path) {
  std::string path = url_or_path;
  if (const size_t scheme = path.find("//"); scheme != std::string::npos && path.find('/') == scheme) {
    const size_t slash = path.find('/', scheme + 2);
    path = slash == std::string::npos ? "" : path.substr(slash);
  }
  path = path.substr(0, path.find_first_of("?#"));
  while (path.ends_with('/')) path.pop_back();
  return path.empty() || path.front() == '/' ? path : "/" + path;
}

absl::StatusOr<ClientCalls> ReadDevelopmentCalls(const v1::Client& client) {
  OMNIX_ASSIGN_OR_RETURN(ClientCalls calls, ReadClientCalls(client, ClientBuild::kDevelopment));
  OMNIX_ASSIGN_OR_RETURN(const ClientCalls production, ReadClientCalls(client));
  std::erase_if(calls.calls, [&](const ClientCall& call) {
    return call.open_head &&
           std::any_of(production.calls.begin(), production.calls.end(), [&](const ClientCall& other) {
             return SamePlace(other.literal, call.literal) && !other.open_head;
           });
  });
  return calls;
}

absl::StatusOr<ClientCalls> ReadClientCalls(const v1::Client& client, ClientBuild build) {
  std::set<std::string> paths;
  for (const std::string& pattern : client.files()) {
    for (const std::string& path : Glob(pattern)) paths.insert(path);
  }
  if (paths.empty()) {
    return NotFound("client {}: no file matches {}; correct `files` in the system model", client.name(),
                    client.files_size() > 0 ? client.files(0) : std::string("(its `files` are empty)"));
  }
  AddEnvFiles(&paths);
  ChooseEnvironments(build, &paths);
  std::vector<JsFile> files;
  for (const std::string& path : paths) {
    if (files.size() >= kMaxClientFiles) break;
    absl::StatusOr<std::string> source = ReadFile(path, kMaxClientFileBytes);
    if (!source.ok()) continue;
    JsFile file{path, *std::move(source), LineIndex(""), {}};
    file.lines = LineIndex(file.source);
    if (!IsEnvFile(path)) file.tokens = LexJavaScript(file.source);
    files.push_back(std::move(file));
  }
  JsSymbols symbols(files, build);
  for (const JsFile& file : files) {
    if (IsEnvFile(file.path) && IsReadBy(file.path, build)) ReadEnvFile(file, &symbols);
  }
  ClientCalls calls = Reader(files, &symbols).Read();
  for (const JsFile& file : files) calls.files.push_back(file.path);
  return calls;
}

}  // namespace omnix

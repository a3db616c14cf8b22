#include "agents/sources/client_makers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace omnix {
namespace {

using Tokens = std::vector<JsToken>;

// Where a wrapper's base comes from: an argument, or a property of one.
struct Source {
  size_t argument = 0;
  std::string property;
};

struct Parameter {
  std::string name;
  // `{ base }`, `{ base: b }`: the key; empty for a plain parameter.
  std::string key;
  size_t argument = 0;
  // `private base: string` of a constructor: a member of the same name.
  bool is_member = false;
};

bool IsModifier(const JsToken& token) {
  return token.Is("private") || token.Is("public") || token.Is("protected") || token.Is("readonly");
}

bool IsSender(const JsToken& token) {
  static const std::set<std::string> kNames = {"fetch", "axios", "XMLHttpRequest", "ky", "got", "ofetch", "request"};
  return token.kind == JsTokenKind::kIdentifier && kNames.contains(token.text);
}

bool IsPathWord(const std::string& name) {
  static const std::set<std::string> kNames = {"path", "url", "endpoint", "route", "uri", "resource", "input"};
  return kNames.contains(name);
}

// The parameters between the brackets at `open`.
std::vector<Parameter> Parameters(const Tokens& tokens, size_t open) {
  std::vector<Parameter> parameters;
  const size_t close = MatchingBracket(tokens, open);
  size_t argument = 0;
  bool expects = true, member = false;
  for (size_t i = open + 1; i < close; ++i) {
    if (tokens[i].Is(",")) {
      ++argument;
      expects = true;
      member = false;
    } else if (expects && IsModifier(tokens[i])) {
      member = true;
    } else if (expects && tokens[i].Is("{")) {
      const size_t end = MatchingBracket(tokens, i);
      for (size_t k = i + 1; k < end; ++k) {
        if (tokens[k].kind != JsTokenKind::kIdentifier || !(tokens[k - 1].Is("{") || tokens[k - 1].Is(","))) continue;
        const bool renamed = k + 2 < end && tokens[k + 1].Is(":");
        parameters.push_back({renamed ? tokens[k + 2].text : tokens[k].text, tokens[k].text, argument, false});
      }
      i = end;
      expects = false;
    } else if (expects && tokens[i].kind == JsTokenKind::kIdentifier) {
      parameters.push_back({tokens[i].text, "", argument, member});
      expects = false;
    } else if (tokens[i].Is("(") || tokens[i].Is("[") || tokens[i].Is("{")) {
      i = MatchingBracket(tokens, i);
    }
  }
  return parameters;
}

// What a URL is begun with in these tokens: `this.base + path`, `${base}${path}`; as words ("this.base", "base").
void Heads(const Tokens& tokens, size_t begin, size_t end, std::set<std::string>* heads) {
  const auto word = [](const Tokens& all, size_t at, size_t limit, size_t* after) -> std::string {
    if (at >= limit || all[at].kind != JsTokenKind::kIdentifier) return "";
    std::string name = all[at].text;
    *after = at + 1;
    while (*after + 1 < limit && all[*after].Is(".") && all[*after + 1].kind == JsTokenKind::kIdentifier) {
      name += "." + all[*after + 1].text;
      *after += 2;
    }
    return name;
  };
  for (size_t i = begin; i < end; ++i) {
    size_t after = 0;
    const bool begins = i == begin || !(tokens[i - 1].Is(".") || tokens[i - 1].Is("+"));
    if (begins) {
      if (const std::string name = word(tokens, i, end, &after); !name.empty() && after < end && tokens[after].Is("+"))
        heads->insert(name);
    }
    const auto& parts = tokens[i].parts;
    if (parts.size() >= 2 && parts[0].is_expression) {
      const std::string name = word(parts[0].tokens, 0, parts[0].tokens.size(), &after);
      if (!name.empty()) heads->insert(name);
    }
    // new URL(path, this.base)
    if (tokens[i].Is("URL") && i + 1 < end && tokens[i + 1].Is("(")) {
      const size_t close = MatchingBracket(tokens, i + 1);
      for (size_t k = i + 2; k + 1 < close; ++k) {
        if (!tokens[k].Is(",")) continue;
        if (const std::string name = word(tokens, k + 1, close, &after); !name.empty()) heads->insert(name);
      }
    }
  }
}

bool Sends(const Tokens& tokens, size_t begin, size_t end) {
  return std::any_of(tokens.begin() + begin, tokens.begin() + std::min(end, tokens.size()), IsSender);
}

class Finder {
 public:
  Finder(const std::vector<JsFile>& files, const JsSymbols& symbols) : files_(files), symbols_(symbols) {}

  MadeClients Find() {
    for (const JsFile& file : files_) FindMakers(file.tokens);
    for (const auto& [name, source] : makers_) found_.makers.insert(name);
    for (size_t f = 0; f < files_.size() && !makers_.empty(); ++f) FindMade(f);
    return std::move(found_);
  }

 private:
  void FindMakers(const Tokens& tokens) {
    for (size_t i = 0; i + 3 < tokens.size(); ++i) {
      if (tokens[i].Is("class")) {
        ReadClass(tokens, i);
      } else if (tokens[i].Is("function") && tokens[i + 2].Is("(")) {
        ReadFunction(tokens, tokens[i + 1].text, i + 2);
      } else if (tokens[i].kind == JsTokenKind::kIdentifier && tokens[i + 1].Is("=") && tokens[i + 2].Is("(")) {
        // const makeClient = (base) => ({ ... })
        const size_t close = MatchingBracket(tokens, i + 2);
        for (size_t k = close; k < std::min(close + 8, tokens.size()); ++k) {
          if (tokens[k].Is("=>")) ReadFunction(tokens, tokens[i].text, i + 2);
        }
      }
    }
  }

  void ReadClass(const Tokens& tokens, size_t at) {
    const std::string& name = tokens[at + 1].text;
    size_t open = at + 2;
    while (open < tokens.size() && !tokens[open].Is("{")) ++open;
    const size_t close = MatchingBracket(tokens, open);
    if (close >= tokens.size() || !Sends(tokens, open, close)) return;
    std::set<std::string> heads;
    Heads(tokens, open, close, &heads);
    for (size_t i = open; i + 1 < close; ++i) {
      if (!tokens[i].Is("constructor") || !tokens[i + 1].Is("(")) continue;
      const size_t body_end = BodyEnd(tokens, MatchingBracket(tokens, i + 1), close);
      for (const Parameter& parameter : Parameters(tokens, i + 1)) {
        if (parameter.is_member && heads.contains("this." + parameter.name)) {
          makers_[name] = {parameter.argument, parameter.key};
        }
        // this.base = base;   this.base = options.base ?? '';
        for (size_t k = i; k + 4 < body_end; ++k) {
          if (!tokens[k].Is("this") || !tokens[k + 3].Is("=") || tokens[k + 4].text != parameter.name) continue;
          if (!heads.contains("this." + tokens[k + 2].text)) continue;
          const bool property = k + 6 < body_end && tokens[k + 5].Is(".") && parameter.key.empty() &&
                                !(k + 7 < tokens.size() && tokens[k + 7].Is("("));
          makers_[name] = {parameter.argument, property ? tokens[k + 6].text : parameter.key};
        }
      }
    }
  }

  static size_t BodyEnd(const Tokens& tokens, size_t from, size_t limit) {
    while (from < limit && !tokens[from].Is("{")) ++from;
    return std::min(MatchingBracket(tokens, from), limit);
  }

  // A function that gives functions: those know its parameters.
  void ReadFunction(const Tokens& tokens, const std::string& name, size_t open) {
    size_t begin = MatchingBracket(tokens, open) + 1;
    while (begin < tokens.size() && !tokens[begin].Is("{") && !tokens[begin].Is(";")) ++begin;
    if (begin >= tokens.size() || tokens[begin].Is(";")) return;
    const size_t end = MatchingBracket(tokens, begin);
    if (end >= tokens.size() || !Sends(tokens, begin, end)) return;
    const bool gives_functions = std::any_of(tokens.begin() + begin, tokens.begin() + end, [](const JsToken& token) {
      return token.Is("=>") || token.Is("function") || token.Is("return");
    });
    const size_t inner = InnerFunction(tokens, begin, end);
    if (!gives_functions || inner == end) return;
    std::set<std::string> heads;
    Heads(tokens, inner, end, &heads);
    for (const Parameter& parameter : Parameters(tokens, open)) {
      if (heads.contains(parameter.name) && !IsPathWord(parameter.name))
        makers_[name] = {parameter.argument, parameter.key};
      for (const std::string& head : heads) {
        if (parameter.key.empty() && head.starts_with(parameter.name + "."))
          makers_[name] = {parameter.argument, head.substr(parameter.name.size() + 1)};
      }
    }
  }

  static size_t InnerFunction(const Tokens& tokens, size_t begin, size_t end) {
    for (size_t i = begin + 1; i + 1 < end; ++i) {
      if (tokens[i].Is("=>") || tokens[i].Is("function")) return i;
      // get(path) { ... }
      if (tokens[i].Is(")") && tokens[i + 1].Is("{")) return i;
    }
    return end;
  }

  void FindMade(size_t f) {
    const Tokens& tokens = files_[f].tokens;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (tokens[i].Is("class")) {
        FindExtension(f, i);
        continue;
      }
      const auto maker = makers_.find(tokens[i].text);
      if (maker == makers_.end() || tokens[i].kind != JsTokenKind::kIdentifier) continue;
      size_t open = i + 1;
      if (tokens[open].Is("<")) {
        while (open < tokens.size() && !tokens[open].Is("(") && !tokens[open].Is(";")) ++open;
      }
      if (open >= tokens.size() || !tokens[open].Is("(") || (i > 0 && tokens[i - 1].Is("function"))) continue;
      const std::string name = HolderOf(tokens, i);
      if (!name.empty()) found_.clients.push_back({f, name, 0, std::string::npos, Argument(f, open, maker->second)});
    }
  }

  // class Items extends Http { constructor() { super('/items'); } }: `this` within it.
  void FindExtension(size_t f, size_t at) {
    const Tokens& tokens = files_[f].tokens;
    size_t open = at + 1;
    std::string base;
    for (; open < tokens.size() && !tokens[open].Is("{"); ++open) {
      if (tokens[open].Is("extends") && open + 1 < tokens.size()) base = tokens[open + 1].text;
    }
    const auto maker = makers_.find(base);
    const size_t close = MatchingBracket(tokens, open);
    if (maker == makers_.end() || close >= tokens.size()) return;
    for (size_t i = open; i + 1 < close; ++i) {
      if (!tokens[i].Is("super") || !tokens[i + 1].Is("(")) continue;
      for (const char* name : {"this", "super"}) {
        found_.clients.push_back(
            {f, name, tokens[open].offset, tokens[close].offset, Argument(f, i + 1, maker->second)});
      }
    }
  }

  // NAME of `NAME = [await] [new] maker(`, `NAME: Type = new maker(`, `NAME: new maker(`.
  static std::string HolderOf(const Tokens& tokens, size_t at) {
    size_t i = at;
    while (i > 0 && (tokens[i - 1].Is("new") || tokens[i - 1].Is("await"))) --i;
    if (i < 2) return "";
    if (tokens[i - 1].Is(":")) return tokens[i - 2].text;
    if (!tokens[i - 1].Is("=")) return "";
    if (i >= 4 && tokens[i - 3].Is(":")) return tokens[i - 4].text;
    return tokens[i - 2].text;
  }

  JsValue Argument(size_t f, size_t open, const Source& source) const {
    const Tokens& tokens = files_[f].tokens;
    const size_t close = MatchingBracket(tokens, open);
    size_t at = open + 1;
    for (size_t argument = 0; argument < source.argument; ++argument) {
      symbols_.Evaluate(f, tokens, &at);
      if (at >= close || !tokens[at].Is(",")) return {};
      ++at;
    }
    if (at >= close) return {};
    if (source.property.empty()) return symbols_.Evaluate(f, tokens, &at);
    if (!tokens[at].Is("{")) return {};
    const size_t end = MatchingBracket(tokens, at);
    for (size_t i = at + 1; i + 1 < end; ++i) {
      if (tokens[i].text != source.property || !(tokens[i - 1].Is("{") || tokens[i - 1].Is(","))) continue;
      size_t value = tokens[i + 1].Is(":") ? i + 2 : i;
      return symbols_.Evaluate(f, tokens, &value);
    }
    return {};
  }

  const std::vector<JsFile>& files_;
  const JsSymbols& symbols_;
  std::map<std::string, Source> makers_;
  MadeClients found_;
};

}  // namespace

const MadeClient* MadeClients::Find(size_t file, size_t offset, const std::string& receiver) const {
  const MadeClient* elsewhere = nullptr;
  size_t count = 0;
  for (const MadeClient& client : clients) {
    if (client.name != receiver) continue;
    if (client.file == file && offset >= client.begin && offset <= client.end) return &client;
    if (client.end == std::string::npos) {
      elsewhere = &client;
      ++count;
    }
  }
  return count == 1 ? elsewhere : nullptr;
}

MadeClients FindMadeClients(const std::vector<JsFile>& files, const JsSymbols& symbols) {
  return Finder(files, symbols).Find();
}

}  // namespace omnix

// Constant strings in JavaScript/TypeScript, followed through names, concatenation, templates, fallbacks
// (`process.env.X || '/v1'`), choices by the build (`location.hostname === 'localhost' ? a : b`) and the project's .env
// files. What isn't known statically stays as an unknown piece. No
// code is run.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/sources/js_lexer.h"

namespace omnix {

// What a client is built for.
enum class ClientBuild { kProduction, kDevelopment };

inline constexpr int kMaxJsExpressionDepth = 24;
inline constexpr size_t kMaxJsPieces = 64;
// Work for one expression, whatever its names lead to.
inline constexpr size_t kMaxJsSteps = 20'000;

struct JsPiece {
  // Unset: not known statically; `name` is then the last word of the expression ("path" of `options.path`).
  std::optional<Literal> literal;
  std::string name;
  // Name through which a literal came ("BASE_URL"); empty where it is written in place.
  std::string symbol;
};

struct JsValue {
  std::vector<JsPiece> pieces;
  bool has_text() const;
  // Unknown pieces become '\x01'.
  std::string Text() const;
};

inline constexpr char kUnknownPiece = '\x01';

struct JsFile {
  std::string path;
  std::string source;
  LineIndex lines{""};
  std::vector<JsToken> tokens;
};

// Names and what they are set to, over several files.
class JsSymbols {
 public:
  // `files` must outlive the table. Where a condition asks whether this is development or production, that of `build`
  // holds.
  explicit JsSymbols(const std::vector<JsFile>& files, ClientBuild build = ClientBuild::kProduction);

  // Values of environment variables, from .env files: KEY -> literal.
  void AddEnvironment(const std::string& name, Literal value);

  // The expression that begins at tokens[*at]; *at is moved past it. `file` is the index of the file that the tokens
  // belong to.
  JsValue Evaluate(size_t file, const std::vector<JsToken>& tokens, size_t* at) const;

  struct Declaration {
    std::string name;
    size_t file;
    // Tokens (of the file, or of a template's expression) and where the value begins.
    const std::vector<JsToken>* tokens;
    size_t value_at;
    size_t offset;
    // `x: value`, `this.x = value` and fields of classes; else a variable or a parameter with a default.
    bool property;
  };
  const std::vector<Declaration>& declarations() const { return declarations_; }

 private:
  struct Scope {
    size_t file;
    // Shared by the whole evaluation.
    size_t* steps;
    int depth = 0;
    std::set<std::string> open;
  };
  JsValue Alternative(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const;
  JsValue Concatenation(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const;
  JsValue Primary(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const;
  JsValue Chain(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const;
  JsValue NewUrl(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const;
  JsValue Template(const JsToken& token, Scope* scope) const;
  JsValue Resolve(const std::string& name, bool member, size_t offset, Scope* scope) const;
  void ReadPattern(size_t file, size_t open);
  JsPiece TextPiece(size_t file, size_t offset, const std::string& text) const;

  const std::vector<JsFile>& files_;
  const ClientBuild build_;
  std::vector<Declaration> declarations_;
  std::multimap<std::string, size_t> by_name_;
  // `const { apiRoot, base: root } = config`: by file and variable, the property that it is.
  std::map<std::pair<size_t, std::string>, std::string> taken_out_;
  std::map<std::string, Literal> environment_;
};

// Index of the bracket that closes the one at tokens[open], or tokens.size().
size_t MatchingBracket(const std::vector<JsToken>& tokens, size_t open);

}  // namespace omnix

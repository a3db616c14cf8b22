#include "agents/sources/nginx_config.h"

#include <cctype>
#include <filesystem>

#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxNginxFileBytes = 4 << 20;

class Parser {
 public:
  Parser(std::string prefix, NginxConfig* config) : prefix_(std::move(prefix)), config_(*config) {}

  absl::Status ParseFile(const std::string& path, int depth, std::vector<NginxDirective>* out) {
    if (depth > kMaxNginxDepth) return InvalidArgument("{}: includes nested deeper than {}", path, kMaxNginxDepth);
    if (config_.files.size() >= kMaxNginxFiles) return InvalidArgument("{}: more than {} files", path, kMaxNginxFiles);
    OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxNginxFileBytes));
    config_.files.push_back(path);
    Cursor cursor{text, path};
    return Block(&cursor, depth, false, out, nullptr);
  }

 private:
  struct Cursor {
    const std::string& text;
    const std::string& file;
    size_t at = 0;
    uint32_t line = 1;
    size_t line_start = 0;

    bool done() const { return at >= text.size(); }
    void Step() {
      if (text[at] == '\n') {
        ++line;
        line_start = at + 1;
      }
      ++at;
    }
    v1::Location Here() const {
      v1::Location location;
      location.set_file(file);
      location.set_line(line);
      location.set_column(static_cast<uint32_t>(at - line_start + 1));
      return location;
    }
  };

  static absl::Status Error(const Cursor& c, const std::string& what) {
    return InvalidArgument("{}:{}:{}: {}", c.file, c.line, c.at - c.line_start + 1, what);
  }

  static void SkipSpace(Cursor* c) {
    while (!c->done()) {
      if (c->text[c->at] == '#') {
        while (!c->done() && c->text[c->at] != '\n') c->Step();
      } else if (std::isspace(static_cast<unsigned char>(c->text[c->at]))) {
        c->Step();
      } else {
        return;
      }
    }
  }

  static absl::Status Word(Cursor* c, NginxWord* word) {
    const char quote = c->text[c->at];
    word->quoted = quote == '"' || quote == '\'';
    if (word->quoted) c->Step();
    word->location = c->Here();
    int variable_braces = 0;
    while (!c->done()) {
      const char ch = c->text[c->at];
      if (ch == '\\' && c->at + 1 < c->text.size()) {
        const char next = c->text[c->at + 1];
        // nginx takes the backslash away only before quotes, space characters' letters and itself stay for regular
        // expressions.
        if (next != '"' && next != '\'' && next != ';') word->text.push_back(ch);
        c->Step();
      } else if (word->quoted ? ch == quote
                              : variable_braces == 0 &&
                                    (std::isspace(static_cast<unsigned char>(ch)) || ch == ';' || ch == '{')) {
        if (word->quoted) c->Step();
        return absl::OkStatus();
      } else if (ch == '$' && c->at + 1 < c->text.size() && c->text[c->at + 1] == '{') {
        word->text.push_back(ch);
        c->Step();
        ++variable_braces;
      } else if (ch == '}' && variable_braces > 0) {
        --variable_braces;
      }
      word->text.push_back(c->text[c->at]);
      c->Step();
    }
    return word->quoted ? Error(*c, "the quoted word does not end") : absl::OkStatus();
  }

  absl::Status Block(Cursor* c, int depth, bool inside, std::vector<NginxDirective>* out, v1::Location* end) {
    if (depth > kMaxNginxDepth) return Error(*c, "blocks nested too deep");
    NginxDirective directive;
    while (true) {
      SkipSpace(c);
      if (c->done()) {
        if (!directive.words.empty())
          return Error(*c, "unexpected end of file, expecting ';' or '{' after \"" + directive.name() + "\"");
        return inside ? Error(*c, "unexpected end of file, expecting '}'") : absl::OkStatus();
      }
      const char ch = c->text[c->at];
      if (ch == ';' || ch == '{') {
        if (directive.words.empty()) return Error(*c, std::string("unexpected '") + ch + "'");
        directive.end = c->Here();
        c->Step();
        OMNIX_RETURN_IF_ERROR(Finish(c, ch == '{', depth, &directive, out));
        directive = NginxDirective();
      } else if (ch == '}') {
        if (!inside || !directive.words.empty()) return Error(*c, "unexpected '}'");
        *end = c->Here();
        c->Step();
        return absl::OkStatus();
      } else {
        NginxWord word;
        OMNIX_RETURN_IF_ERROR(Word(c, &word));
        directive.words.push_back(std::move(word));
      }
    }
  }

  absl::Status Finish(Cursor* c, bool block, int depth, NginxDirective* directive, std::vector<NginxDirective>* out) {
    directive->has_block = block;
    if (block && directive->name().ends_with("_by_lua_block")) return SkipLua(c, directive, out);
    if (block) OMNIX_RETURN_IF_ERROR(Block(c, depth + 1, true, &directive->block, &directive->end));
    if (!block && directive->name() == "include" && directive->words.size() == 2) {
      const std::string pattern = ResolvePath(directive->Argument(1), prefix_);
      for (const std::string& path : Glob(pattern)) OMNIX_RETURN_IF_ERROR(ParseFile(path, depth + 1, out));
      return absl::OkStatus();
    }
    out->push_back(std::move(*directive));
    return absl::OkStatus();
  }

  static absl::Status SkipLua(Cursor* c, NginxDirective* directive, std::vector<NginxDirective>* out) {
    for (int braces = 1; !c->done(); c->Step()) {
      if (c->text[c->at] == '{') ++braces;
      if (c->text[c->at] == '}' && --braces == 0) {
        c->Step();
        out->push_back(std::move(*directive));
        return absl::OkStatus();
      }
    }
    return Error(*c, "unexpected end of file in a Lua block");
  }

  std::string prefix_;
  NginxConfig& config_;
};

void CollectServers(const NginxDirective& directive, std::vector<const NginxDirective*>* servers) {
  for (const NginxDirective& child : directive.block) {
    if (child.name() == "server" && child.has_block && directive.name() != "upstream") servers->push_back(&child);
    if (child.name() == "http") CollectServers(child, servers);
  }
}

}  // namespace

std::vector<const NginxDirective*> NginxDirective::Find(std::string_view name) const {
  std::vector<const NginxDirective*> found;
  for (const NginxDirective& child : block) {
    if (child.name() == name) found.push_back(&child);
  }
  return found;
}

absl::StatusOr<NginxConfig> ReadNginxConfig(const std::string& path, const std::string& prefix) {
  NginxConfig config;
  NginxWord name;
  name.text = "main";
  config.root.words.push_back(name);
  config.root.has_block = true;
  Parser parser(prefix.empty() ? std::filesystem::path(path).parent_path().string() : prefix, &config);
  OMNIX_RETURN_IF_ERROR(parser.ParseFile(path, 0, &config.root.block));
  return config;
}

std::vector<const NginxDirective*> NginxServers(const NginxConfig& config) {
  std::vector<const NginxDirective*> servers;
  CollectServers(config.root, &servers);
  return servers;
}

}  // namespace omnix

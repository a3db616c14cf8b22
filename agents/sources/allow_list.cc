#include "agents/sources/allow_list.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "agents/sources/js_lexer.h"
#include "common/file.h"
#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxConfigBytes = 4 << 20;
constexpr int kMaxTreeDepth = 64;
// Lines above an entry that may name its list.
constexpr uint32_t kNamingLines = 12;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool SpeaksOfOrigins(const std::string& text) {
  const std::string lower = Lower(text);
  return lower.find("origin") != std::string::npos || lower.find("cors") != std::string::npos;
}

std::string WithoutSlash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string Escaped(const std::string& origin) {
  std::string out;
  for (const char c : origin) {
    if (c == '.') out += '\\';
    out += c;
  }
  return out;
}

std::string PointerPart(const std::string& key) {
  std::string out;
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

// Position of `text` in `source` from `from` on, as a whole origin: "https://a.b" is not in "https://a.bc" nor in
// "https://a.b:81".
size_t FindWhole(const std::string& source, const std::string& text, size_t from) {
  for (size_t at = from; (at = source.find(text, at)) != std::string::npos; ++at) {
    const char next = at + text.size() < source.size() ? source[at + text.size()] : ' ';
    const bool longer = std::isalnum(static_cast<unsigned char>(next)) || next == '.' || next == '-' || next == ':';
    if (!longer) return at;
  }
  return std::string::npos;
}

AllowListEntry EntryAt(const std::string& file, const LineIndex& lines, const std::string& origin,
                       const std::string& written, size_t offset) {
  AllowListEntry entry{origin, written, lines.Locate(file, offset), ""};
  entry.line_text = lines.Line(entry.location.line());
  return entry;
}

class TreeSearch {
 public:
  TreeSearch(const std::string& file, const std::string& text, ListStyle style, const std::vector<std::string>& origins)
      : file_(file), text_(text), lines_(text), style_(style), origins_(origins) {}

  void Json(const omnix::Json& node, const std::string& pointer, int depth) {
    if (depth > kMaxTreeDepth) return;
    std::vector<std::string> values;
    size_t index = 0;
    for (const auto& [key, child] : node.items()) {
      if (node.is_array() && child.is_string()) values.push_back(child.get<std::string>());
      if (child.is_structured())
        Json(child, pointer + "/" + (node.is_array() ? std::to_string(index) : PointerPart(key)), depth + 1);
      ++index;
    }
    if (node.is_array()) Array(values, pointer);
  }

  void Yaml(const YAML::Node& node, const std::string& pointer, int depth) {
    if (depth > kMaxTreeDepth) return;
    if (node.IsMap()) {
      for (const auto& item : node) {
        if (item.first.IsScalar()) Yaml(item.second, pointer + "/" + PointerPart(item.first.Scalar()), depth + 1);
      }
    } else if (node.IsSequence()) {
      std::vector<std::string> values;
      size_t index = 0;
      for (const auto& item : node) {
        if (item.IsScalar()) values.push_back(item.Scalar());
        Yaml(item, pointer + "/" + std::to_string(index++), depth + 1);
      }
      Array(values, pointer);
    }
  }

  std::vector<AllowList> lists;

 private:
  void Array(const std::vector<std::string>& values, const std::string& pointer) {
    AllowList list;
    list.file = file_;
    list.style = style_;
    list.pointer = pointer;
    list.named_for_origins = SpeaksOfOrigins(pointer);
    for (const std::string& value : values) {
      const std::string origin = WithoutSlash(value);
      if (std::find(origins_.begin(), origins_.end(), origin) == origins_.end()) continue;
      size_t at = FindWhole(text_, value, 0);
      if (at == std::string::npos) at = 0;
      list.entries.push_back(EntryAt(file_, lines_, origin, value, at));
    }
    if (!list.entries.empty()) lists.push_back(std::move(list));
  }

  const std::string& file_;
  const std::string& text_;
  const LineIndex lines_;
  const ListStyle style_;
  const std::vector<std::string>& origins_;
};

std::optional<ListStyle> StyleAt(const std::string& line, size_t column, const std::string& written, bool env) {
  const std::string before = line.substr(0, column);
  const std::string after = line.substr(std::min(line.size(), column + written.size()));
  const bool alone = before.find_first_not_of(" \t\"'`-~^") == std::string::npos;
  const char left = before.empty() ? ' ' : before.back();
  const char right = after.empty() ? ' ' : after.front();
  if (left == '(' || left == '|' || right == '|') return ListStyle::kAlternation;
  const std::string rest = after.substr(
      after.find_first_not_of("\"'`") == std::string::npos ? after.size() : after.find_first_not_of("\"'`"));
  // Another origin on the line makes it an inline list; the same one again is the value of a map's entry.
  const size_t next_origin = rest.find("://");
  const size_t same = FindWhole(rest, written, 0);
  if (alone && (next_origin == std::string::npos || (same != std::string::npos && same < next_origin)))
    return ListStyle::kLines;
  if ((left == '"' || left == '\'' || left == '`') && right == left) {
    const size_t outer = before.find_last_not_of(" \t", before.size() - 2);
    const char opens = before.size() < 2 || outer == std::string::npos ? ' ' : before[outer];
    const size_t next = after.find_first_not_of(" \t", 1);
    const char closes = next == std::string::npos ? ' ' : after[next];
    if (opens == '[' || opens == ',' || closes == ',' || closes == ']') return ListStyle::kInlineQuoted;
    return env ? std::optional(ListStyle::kCommaSeparated) : std::nullopt;
  }
  if (left == ',' || right == ',' || (env && (left == '=' || left == '"' || left == '\'')))
    return ListStyle::kCommaSeparated;
  return std::nullopt;
}

class TextSearch {
 public:
  TextSearch(const std::string& file, const std::string& text, bool env, const std::vector<std::string>& origins)
      : file_(file), text_(text), lines_(text), env_(env), origins_(origins) {}

  std::vector<AllowList> Run() {
    for (const std::string& origin : origins_) {
      for (const std::string& written : {origin, Escaped(origin)}) {
        for (size_t at = 0; (at = FindWhole(text_, written, at)) != std::string::npos; at += written.size())
          Occurrence(origin, written, at);
        if (written == Escaped(origin) && Escaped(origin) == origin) break;
      }
    }
    return std::move(lists_);
  }

 private:
  void Occurrence(const std::string& origin, const std::string& written, size_t at) {
    AllowListEntry entry = EntryAt(file_, lines_, origin, written, at);
    const std::string trimmed =
        entry.line_text.substr(std::min(entry.line_text.find_first_not_of(" \t"), entry.line_text.size()));
    if (trimmed.starts_with('#') || trimmed.starts_with("//")) return;
    const auto style = StyleAt(entry.line_text, entry.location.column() - 1, written, env_);
    if (!style) return;
    // Entries of one list are on one line, or on lines that follow each other closely.
    for (AllowList& list : lists_) {
      const uint32_t other = list.entries.back().location.line(), line = entry.location.line();
      const uint32_t distance = other > line ? other - line : line - other;
      if (list.style != *style || distance > (*style == ListStyle::kLines ? kNamingLines : 0)) continue;
      if (!list.Holds(origin)) list.entries.push_back(std::move(entry));
      return;
    }
    AllowList list;
    list.file = file_;
    list.style = *style;
    for (uint32_t back = 0; back <= kNamingLines && back < entry.location.line(); ++back) {
      const std::string line = lines_.Line(entry.location.line() - back);
      list.named_for_origins |= SpeaksOfOrigins(line);
      // A list that is opened above belongs to nothing further up.
      if (back > 0 && line.find_first_of("{[(") != std::string::npos) break;
    }
    list.previous_line = entry.location.line() > 1 ? lines_.Line(entry.location.line() - 1) : "";
    list.entries.push_back(std::move(entry));
    lists_.push_back(std::move(list));
  }

  const std::string& file_;
  const std::string& text_;
  const LineIndex lines_;
  const bool env_;
  const std::vector<std::string>& origins_;
  std::vector<AllowList> lists_;
};

google::protobuf::Value Number(uint32_t number) {
  google::protobuf::Value value;
  value.set_number_value(number);
  return value;
}

void Set(v1::Action* action, const std::string& key, const std::string& value) {
  (*action->mutable_with()->mutable_fields())[key].set_string_value(value);
}

void Lines(const AllowList& list, const std::vector<std::string>& missing, v1::Action* action) {
  const AllowListEntry& entry = list.entries.front();
  const std::string& line = entry.line_text;
  const size_t column = entry.location.column() - 1;
  const std::string before = line.substr(0, column);
  std::string after = line.substr(column + entry.written.size());
  const bool escaped = entry.written != entry.origin;
  // The last element of an array has no comma: the new ones go above it, with one.
  const bool quoted = !before.empty() && (before.back() == '"' || before.back() == '\'' || before.back() == '`');
  const bool above = quoted && after.size() == 1;
  if (above) after += ",";
  auto* lines = (*action->mutable_with()->mutable_fields())["lines"].mutable_list_value();
  for (const std::string& origin : missing) {
    std::string text = before;
    text += escaped ? Escaped(origin) : origin;
    // A map of nginx may repeat the origin as its value.
    std::string tail = after;
    if (const size_t again = FindWhole(tail, entry.origin, 0); again != std::string::npos)
      tail.replace(again, entry.origin.size(), origin);
    lines->add_values()->set_string_value(text + tail);
  }
  action->set_kind("file.insert_lines");
  (*action->mutable_with()->mutable_fields())["after_line"] =
      Number(above ? entry.location.line() - 1 : entry.location.line());
  Set(action, "after_text", above ? list.previous_line : line);
}

void Inline(const AllowList& list, const std::vector<std::string>& missing, v1::Action* action) {
  const AllowListEntry& entry = list.entries.back();
  const size_t column = entry.location.column() - 1;
  std::string quote;
  std::string separator = list.style == ListStyle::kAlternation ? "|" : ",";
  if (list.style == ListStyle::kInlineQuoted) {
    quote = entry.line_text.substr(column - 1, 1);
    const bool tight = entry.line_text.find(quote + "," + quote) != std::string::npos;
    separator = tight ? "," : ", ";
  }
  const std::string old = quote + entry.written + quote;
  std::string text = old;
  for (const std::string& origin : missing) {
    text += separator + quote +
            (entry.written != entry.origin || list.style == ListStyle::kAlternation ? Escaped(origin) : origin) + quote;
  }
  action->set_kind("file.replace_text");
  (*action->mutable_with()->mutable_fields())["line"] = Number(entry.location.line());
  Set(action, "old", old);
  Set(action, "new", text);
}

}  // namespace

bool AllowList::Holds(const std::string& origin) const {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const AllowListEntry& entry) { return entry.origin == origin; });
}

absl::StatusOr<std::vector<AllowList>> FindAllowLists(const std::string& file, const std::string& format,
                                                      const std::vector<std::string>& origins) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxConfigBytes));
  std::vector<AllowList> lists;
  const std::string name = file.substr(file.rfind('/') + 1);
  const bool json = format == "json" || (format.empty() && name.ends_with(".json"));
  const bool yaml = format == "yaml" || (format.empty() && (name.ends_with(".yaml") || name.ends_with(".yml")));
  const bool env = format == "env" || (format.empty() && (name.starts_with(".env") || name.ends_with(".env")));
  if (json) {
    if (const auto document = ParseJson(text); document.ok()) {
      TreeSearch search(file, text, ListStyle::kJsonArray, origins);
      search.Json(*document, "", 0);
      lists = std::move(search.lists);
    }
  } else if (yaml) {
    try {
      TreeSearch search(file, text, ListStyle::kYamlSequence, origins);
      search.Yaml(YAML::Load(text), "", 0);
      lists = std::move(search.lists);
    } catch (const YAML::Exception&) {
      // No YAML after all: as text.
    }
  }
  // Comments (jsonc), broken files, comma lists inside of values.
  if (lists.empty()) lists = TextSearch(file, text, env || json || yaml, origins).Run();
  std::stable_sort(lists.begin(), lists.end(),
                   [](const AllowList& a, const AllowList& b) { return a.named_for_origins > b.named_for_origins; });
  return lists;
}

v1::Action AddToAllowList(const AllowList& list, const std::vector<std::string>& missing,
                          const std::string& component) {
  v1::Action action;
  action.set_component(component);
  Set(&action, "path", list.file);
  if (list.style == ListStyle::kJsonArray || list.style == ListStyle::kYamlSequence) {
    action.set_kind("config.list_add");
    Set(&action, "format", list.style == ListStyle::kJsonArray ? "json" : "yaml");
    Set(&action, "pointer", list.pointer);
    auto* values = (*action.mutable_with()->mutable_fields())["values"].mutable_list_value();
    for (const std::string& origin : missing) values->add_values()->set_string_value(origin);
  } else if (list.style == ListStyle::kLines) {
    Lines(list, missing, &action);
  } else {
    Inline(list, missing, &action);
  }
  std::string names;
  for (const std::string& origin : missing) names += (names.empty() ? "" : ", ") + origin;
  action.set_description(fmt::format("Allow {} in {}", names, list.file.substr(list.file.rfind('/') + 1)));
  return action;
}

}  // namespace omnix

#include "agents/recovery/edit/config_edit.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "agents/recovery/edit/config_tree.h"
#include "agents/recovery/edit/env_edit.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t npos = std::string_view::npos;

absl::StatusOr<ConfigNode> ParseTree(ConfigFormat format, std::string_view text) {
  switch (format) {
    case ConfigFormat::kJson:
      return ParseJsonTree(text);
    case ConfigFormat::kYaml:
      return ParseYamlTree(text);
    case ConfigFormat::kToml:
      return ParseTomlTree(text);
    case ConfigFormat::kEnv:
      break;
  }
  return Internal("env files have no tree");
}

// A word that YAML reads as that text and as nothing else, in block and in flow style.
bool IsPlainYaml(const std::string& text) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  constexpr std::string_view kStart = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
  constexpr std::string_view kColon = "://";
  if (text.empty() || kStart.find(text[0]) == npos || ParseJson(text).ok()) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* word : {"yes", "no", "on", "off", "y", "n", "true", "false", "null"}) {
    if (lower == word) return false;
  }
  // URLs with a port are plain, too: a colon matters only before a blank.
  const bool url = text.find(kColon) != npos;
  return std::all_of(text.begin(), text.end(), [&](char c) { return kWord.find(c) != npos || (url && c == ':'); }) &&
         text.back() != ':';
}

// `like`: the text of a value in whose style the new one is written (its quotes).
std::string Render(ConfigFormat format, const Json& value, std::string_view like) {
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    const char mark = like.empty() ? '\0' : like.front();
    const bool single_holds = text.find_first_of("'\r\n\t") == std::string::npos;
    if (format != ConfigFormat::kJson && mark == '\'' && single_holds) return "'" + text + "'";
    if (format == ConfigFormat::kYaml && mark != '"' && mark != '\'' && IsPlainYaml(text)) return text;
    return DumpJson(value);
  }
  if (format == ConfigFormat::kToml && value.is_object()) {
    std::string out;
    for (const auto& [key, item] : value.items())
      out += (out.empty() ? "{ " : ", ") + DumpJson(Json(key)) + " = " + Render(format, item, "");
    return out.empty() ? "{}" : out + " }";
  }
  if (!value.is_structured()) return DumpJson(value);
  std::string out;
  for (const auto& [key, item] : value.items()) {
    out += out.empty() ? "" : ", ";
    if (value.is_object()) out += DumpJson(Json(key)) + ": ";
    out += Render(format, item, format == ConfigFormat::kYaml ? "\"" : "");
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

struct Insertion {
  size_t at;
  std::string text;
};

std::string Inserted(std::string_view text, std::vector<Insertion> insertions) {
  std::string out(text);
  std::stable_sort(insertions.begin(), insertions.end(), [](const auto& a, const auto& b) { return a.at > b.at; });
  for (const Insertion& insertion : insertions) out.insert(insertion.at, insertion.text);
  return out;
}

size_t LineBegin(std::string_view text, size_t at) { return at == 0 ? 0 : text.rfind('\n', at - 1) + 1; }

// Before the "\n" or "\r\n" of the line.
size_t LineStop(std::string_view text, size_t at) {
  const size_t end = std::min(text.find('\n', at), text.size());
  return end > at && text[end - 1] == '\r' ? end - 1 : end;
}

std::string_view LineBreak(std::string_view text) { return text.find("\r\n") != npos ? "\r\n" : "\n"; }

// Adds items (already rendered) to {...} or [...], laid out as the items that are there.
std::string AddBracketed(std::string_view text, const ConfigNode& node, const std::vector<std::string>& items) {
  auto item_begin = [&](size_t i) { return node.keys.empty() ? node.children[i].begin : node.key_begins[i]; };
  if (node.children.empty()) {
    std::string all;
    for (const std::string& item : items) all += (all.empty() ? "" : ", ") + item;
    return Inserted(text, {{node.begin + 1, all}});
  }
  const size_t last = node.children.size() - 1;
  const size_t end = node.children[last].end;
  const size_t begin = item_begin(last);
  const std::string_view lead = text.substr(LineBegin(text, begin), begin - LineBegin(text, begin));
  const bool own_line = lead.find_first_not_of(" \t") == npos;
  const size_t comma = text.find_first_not_of(" \t", end);
  const bool trailing_comma = comma < node.end && text[comma] == ',';
  const size_t stop = LineStop(text, end);
  if (own_line && stop < node.end) {
    std::string lines;
    for (size_t i = 0; i < items.size(); ++i) {
      lines += std::string(LineBreak(text)) + std::string(lead) + items[i] +
               (i + 1 < items.size() || trailing_comma ? "," : "");
    }
    if (trailing_comma) return Inserted(text, {{stop, lines}});
    return end == stop ? Inserted(text, {{end, "," + lines}}) : Inserted(text, {{end, ","}, {stop, lines}});
  }
  std::string separator = ", ";
  if (last > 0) {
    const size_t previous = node.children[last - 1].end;
    const std::string_view between = text.substr(previous, begin - previous);
    if (between == ",") separator = ",";
  }
  std::string all;
  for (const std::string& item : items) all += separator + item;
  return Inserted(text, {{end, all}});
}

// Adds whole lines behind the line that ends the last item of a block.
std::string AddLines(std::string_view text, size_t item_end, const std::vector<std::string>& lines) {
  const size_t stop = LineStop(text, item_end);
  std::string all;
  for (const std::string& line : lines) all += std::string(LineBreak(text)) + line;
  return Inserted(text, {{stop, all}});
}

absl::StatusOr<std::string> AddKey(ConfigFormat format, std::string_view text, const ConfigNode& object,
                                   const std::string& key, const Json& value) {
  if (object.bracketed && format != ConfigFormat::kToml) {
    std::string separator = ": ";
    if (!object.children.empty()) {
      const std::string_view member =
          text.substr(object.key_begins.back(), object.children.back().begin - object.key_begins.back());
      const size_t colon = member.rfind(':');
      if (colon != npos && member.find_first_not_of(" \t", colon + 1) == npos) separator = member.substr(colon);
    }
    const std::string_view like = format == ConfigFormat::kYaml ? "" : "\"";
    return AddBracketed(text, object, {Render(format, Json(key), like) + separator + Render(format, value, "")});
  }
  if (format != ConfigFormat::kYaml || object.children.empty()) {
    return NotFound("no key '{}' there, and none can be added to this kind of object", key);
  }
  const ConfigNode& last = object.children.back();
  const size_t column = object.key_begins.front() - LineBegin(text, object.key_begins.front());
  return AddLines(text, last.end,
                  {std::string(column, ' ') + Render(format, Json(key), "") + ": " + Render(format, value, "")});
}

absl::StatusOr<std::string> AddToBlockList(std::string_view text, const ConfigNode& list,
                                           const std::vector<Json>& values) {
  const ConfigNode& last = list.children.back();
  const std::string_view lead = text.substr(LineBegin(text, last.begin), last.begin - LineBegin(text, last.begin));
  const size_t dash = lead.rfind('-');
  if (dash == npos) return FailedPrecondition("the list is not laid out with an item a line");
  const std::string prefix = std::string(dash, ' ') + std::string(lead.substr(dash));
  const std::string_view like =
      last.kind == ConfigNode::Kind::kScalar ? text.substr(last.begin, last.end - last.begin) : "";
  std::vector<std::string> lines;
  for (const Json& value : values) lines.push_back(prefix + Render(ConfigFormat::kYaml, value, like));
  return AddLines(text, last.end, lines);
}

// `wanted` is what the whole document must say afterwards: whatever the edit got wrong is seen here and never written.
absl::StatusOr<std::string> Verified(ConfigFormat format, absl::StatusOr<std::string> edited, const Json& wanted) {
  if (!edited.ok()) return edited;
  const auto tree = ParseTree(format, *edited);
  if (!tree.ok() || TreeToJson(*tree) != wanted)
    return FailedPrecondition("this value can't be changed without touching more than it");
  return edited;
}

absl::StatusOr<std::string> SetInTree(ConfigFormat format, std::string_view text, const std::vector<std::string>& parts,
                                      const Json& value) {
  OMNIX_ASSIGN_OR_RETURN(const ConfigNode root, ParseTree(format, text));
  const std::vector<std::string> parent_parts(parts.begin(), parts.end() - 1);
  const ConfigNode* node = FindNode(root, parts);
  const ConfigNode* parent = FindNode(root, parent_parts);
  Json wanted = TreeToJson(root);
  Json* place = &wanted;
  for (const std::string& part : parent_parts) {
    if (parent != nullptr) place = place->is_array() ? &(*place)[std::stoul(part)] : &(*place)[part];
  }
  if (node == nullptr) {
    if (parent == nullptr || parent->kind != ConfigNode::Kind::kObject)
      return NotFound("no place '{}' in the file", parts.back());
    (*place)[parts.back()] = value;
    return Verified(format, AddKey(format, text, *parent, parts.back(), value), wanted);
  }
  if (TreeToJson(*node) == value) return FailedPrecondition("it has that value already");
  if (node->kind != ConfigNode::Kind::kScalar && !node->bracketed)
    return FailedPrecondition("it is a block of several lines: change the values in it, or use config.list_add");
  (place->is_array() ? (*place)[std::stoul(parts.back())] : (*place)[parts.back()]) = value;
  const std::string_view old = text.substr(node->begin, node->end - node->begin);
  const std::string rendered = (node->begin == node->end ? " " : "") + Render(format, value, old);
  return Verified(format, std::string(text.substr(0, node->begin)) + rendered + std::string(text.substr(node->end)),
                  wanted);
}

absl::StatusOr<std::string> AddInTree(ConfigFormat format, std::string_view text, const std::vector<std::string>& parts,
                                      const std::vector<Json>& values) {
  OMNIX_ASSIGN_OR_RETURN(const ConfigNode root, ParseTree(format, text));
  const ConfigNode* list = FindNode(root, parts);
  if (list == nullptr) return NotFound("no such place in the file");
  if (list->kind != ConfigNode::Kind::kArray) return InvalidArgument("there is no list there");
  Json all = TreeToJson(*list);
  std::vector<Json> fresh;
  for (const Json& value : values) {
    if (std::find(all.begin(), all.end(), value) != all.end()) continue;
    all.push_back(value);
    fresh.push_back(value);
  }
  if (fresh.empty()) return FailedPrecondition("the list has every one of these values already");
  Json wanted = TreeToJson(root);
  Json* place = &wanted;
  for (const std::string& part : parts) place = place->is_array() ? &(*place)[std::stoul(part)] : &(*place)[part];
  *place = all;
  if (!list->bracketed) return Verified(format, AddToBlockList(text, *list, fresh), wanted);
  const std::string_view like = list->children.empty() ? "\"" : text.substr(list->children.back().begin, 1);
  std::vector<std::string> items;
  for (const Json& value : fresh) items.push_back(Render(format, value, like));
  return Verified(format, AddBracketed(text, *list, items), wanted);
}

absl::StatusOr<std::string> SetInEnv(std::string_view text, const std::string& name, const Json& value) {
  OMNIX_ASSIGN_OR_RETURN(const EnvValue place, FindEnvValue(text, name));
  if (value.is_structured()) return InvalidArgument("an env file holds texts and numbers only");
  const std::string wanted = value.is_string() ? value.get<std::string>() : DumpJson(value);
  if (text.substr(place.begin, place.end - place.begin) == wanted)
    return FailedPrecondition("it has that value already");
  return ReplaceEnvValue(text, place, wanted);
}

absl::StatusOr<std::string> AddInEnv(std::string_view text, const std::string& name, const std::vector<Json>& values) {
  OMNIX_ASSIGN_OR_RETURN(const EnvValue place, FindEnvValue(text, name));
  std::string list(text.substr(place.begin, place.end - place.begin));
  const std::string old = list;
  const std::string separator = list.find(", ") != std::string::npos ? ", " : ",";
  for (const Json& value : values) {
    if (!value.is_string()) return InvalidArgument("an env file's list holds texts only");
    const std::string item = value.get<std::string>();
    if (item.find(',') != std::string::npos) return InvalidArgument("'{}' holds a comma", item);
    std::string compact = "," + list + ",";
    compact.erase(std::remove(compact.begin(), compact.end(), ' '), compact.end());
    if (compact.find("," + item + ",") == std::string::npos) list += (list.empty() ? "" : separator) + item;
  }
  if (list == old) return FailedPrecondition("the list has every one of these values already");
  return ReplaceEnvValue(text, place, list);
}

template <typename InTree, typename InEnv>
absl::StatusOr<std::string> Edit(ConfigFormat format, std::string_view content, const std::string& pointer,
                                 InTree in_tree, InEnv in_env) {
  OMNIX_ASSIGN_OR_RETURN(const std::vector<std::string> parts, ParsePointer(pointer));
  if (parts.empty())
    return InvalidArgument("the whole document can't be replaced: give a pointer such as /server/port");
  const bool marked = content.substr(0, kByteOrderMark.size()) == kByteOrderMark;
  if (marked) content.remove_prefix(kByteOrderMark.size());
  if (format == ConfigFormat::kEnv && parts.size() != 1) return InvalidArgument("an env file has no depth: give /NAME");
  auto edited = format == ConfigFormat::kEnv ? in_env(content, parts[0]) : in_tree(content, parts);
  if (!edited.ok()) return Annotate(edited.status(), pointer + ": ");
  return marked ? std::string(kByteOrderMark) + *edited : *edited;
}

}  // namespace

absl::StatusOr<ConfigFormat> FindConfigFormat(const std::string& name, const std::string& path) {
  const std::filesystem::path file = std::filesystem::path(path).filename();
  const std::string extension = file.extension().string();
  const std::string word = !name.empty()                         ? name
                           : file.string().rfind(".env", 0) == 0 ? "env"
                           : extension.empty()                   ? ""
                                                                 : extension.substr(1);
  if (word == "json" || word == "jsonc" || word == "webmanifest") return ConfigFormat::kJson;
  if (word == "yaml" || word == "yml") return ConfigFormat::kYaml;
  if (word == "toml") return ConfigFormat::kToml;
  if (word == "env") return ConfigFormat::kEnv;
  return InvalidArgument(
      "{}: '{}' is none of the formats json, yaml, toml, env: give one as 'format', or use file.replace_text", path,
      word);
}

absl::StatusOr<std::string> SetConfigValue(ConfigFormat format, std::string_view content, const std::string& pointer,
                                           const Json& value) {
  return Edit(
      format, content, pointer,
      [&](std::string_view text, const auto& parts) { return SetInTree(format, text, parts, value); },
      [&](std::string_view text, const std::string& name) { return SetInEnv(text, name, value); });
}

absl::StatusOr<std::string> AddToConfigList(ConfigFormat format, std::string_view content, const std::string& pointer,
                                            const std::vector<Json>& values) {
  return Edit(
      format, content, pointer,
      [&](std::string_view text, const auto& parts) { return AddInTree(format, text, parts, values); },
      [&](std::string_view text, const std::string& name) { return AddInEnv(text, name, values); });
}

}  // namespace omnix

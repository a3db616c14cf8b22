#include "orchestrator/intake/alert_mapping.h"

#include <omnix/v1/alert_mapping.pb.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "common/file.h"
#include "common/json.h"
#include "common/status.h"
#include "common/yaml.h"
#include "orchestrator/intake/alert_fields.h"

namespace omnix {
namespace {

// jq text, line by line, with the key of the mapping that each line stands for.
class Program {
 public:
  void Add(const std::string& line, const std::string& key = "") {
    text_ += line + "\n";
    keys_.push_back(key);
  }
  // An expression of the file on a line of its own, so that a comment at its end ends there.
  void AddExpression(const std::string& before, std::string expression, const std::string& after,
                     const std::string& key) {
    std::ranges::replace_if(
        expression, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    Add(before + "(" + expression, key);
    Add(")" + after, key);
  }
  const std::string& text() const { return text_; }
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  std::string text_;
  std::vector<std::string> keys_;
};

void Check(const v1::AlertMapping& mapping, YamlReport* report) {
  if (mapping.title().empty()) report->Add("title", "required");
  for (const auto& [word, severity] : mapping.severities()) {
    if (!ParseSeverity(severity)) {
      report->Add("severities." + word, "expected critical, error, warning, info or unknown");
    }
  }
}

// What follows the expression of a status.
std::string StatusWords(const v1::AlertMapping& mapping) {
  Json resolved = Json::array();
  for (const std::string& word : mapping.resolved_words()) resolved.push_back(word);
  if (resolved.empty()) resolved = {"resolved", "ok", "closed", "recovered"};
  return " | text | ascii_downcase | if IN((" + DumpJson(resolved) +
         " | map(ascii_downcase))[]) then \"resolved\" else \"firing\" end";
}

void AddFields(const v1::AlertMapping& mapping, const std::string& name, Program* program) {
  Json severities = Json::object();
  for (const auto& [word, severity] : mapping.severities()) severities[word] = severity;
  const auto add = [&](const std::string& key, const std::string& expression, const std::string& after = "") {
    if (!expression.empty()) program->AddExpression(", " + key + ": (", expression, after + ")", key);
  };
  add("description", mapping.description(), " | if type == \"object\" or type == \"array\" then tojson else . end");
  add("severity", mapping.severity(), " | text | " + DumpJson(severities) + "[.] // .");
  add("status", mapping.status(), StatusWords(mapping));
  add("fingerprint", mapping.fingerprint(), " | key(" + DumpJson(name) + "; .)");
  add("subject", mapping.subject());
  add("starts_at", mapping.starts_at());
  add("ends_at", mapping.ends_at());
  program->Add(", labels: ({}");
  const std::map<std::string, std::string> labels(mapping.labels().begin(), mapping.labels().end());
  for (const auto& [label, expression] : labels) {
    program->AddExpression("+ {" + DumpJson(label) + ": ", expression, "}", "labels." + label);
  }
  program->Add("| texts), links: [empty");
  for (int i = 0; i < mapping.links_size(); ++i) {
    program->AddExpression(", ", mapping.links(i), "", fmt::format("links[{}]", i));
  }
  program->Add("]");
}

Program ProgramOf(const v1::AlertMapping& mapping, const std::string& name) {
  Program program;
  program.AddExpression("def recognize: ", mapping.recognize().empty() ? "false" : mapping.recognize(), ";",
                        "recognize");
  program.Add("def alerts: . as $body");
  program.AddExpression("| ", mapping.each().empty() ? "[.]" : mapping.each(), "", "each");
  program.Add("| array | to_entries | map(.key as $i | .value");
  program.AddExpression("| ", mapping.title(), " as $title", "title");
  program.Add(
      "| if ($title | text) == \"\" then refuse(\"\"; \"alert \\($i): the mapping finds no title\") else {title: "
      "$title");
  AddFields(mapping, name, &program);
  program.Add("} | .identity = {title: .title, subject: .subject} end);");
  return program;
}

}  // namespace

absl::StatusOr<AlertFormat> LoadAlertMapping(const std::string& path, const std::string& name) {
  OMNIX_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, kMaxYamlBytes));
  const auto report = std::make_shared<YamlReport>(path);
  v1::AlertMapping mapping;
  ParseYaml(yaml, &mapping, report.get());
  if (report->ok()) Check(mapping, report.get());
  OMNIX_RETURN_IF_ERROR(report->status());
  const Program program = ProgramOf(mapping, name);
  AlertFormat format;
  format.name = name;
  format.title = mapping.about().empty() ? "a mapping of " + path : mapping.about();
  format.text = program.text();
  format.place = [report, keys = program.keys()](int line) {
    const bool known = line >= 1 && line <= static_cast<int>(keys.size());
    const std::string key = known ? keys[static_cast<size_t>(line - 1)] : "";
    return report->Place(key) + (key.empty() ? "" : key + ": ");
  };
  return format;
}

}  // namespace omnix

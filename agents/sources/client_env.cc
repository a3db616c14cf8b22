#include "agents/sources/client_env.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "fmt/format.h"

namespace omnix {

bool IsEnvFile(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.starts_with(".env") || name.ends_with(".env");
}

bool IsReadBy(const std::string& path, ClientBuild build) {
  if (!IsEnvFile(path)) return true;
  const std::string name = path.substr(path.rfind('/') + 1);
  const auto is_for = [&](std::string_view mode) { return name.starts_with(fmt::format(".env.{}", mode)); };
  if (is_for("test")) return false;
  return build == ClientBuild::kDevelopment ? !is_for("prod") && !is_for("stag") : !is_for("dev");
}

void AddEnvFiles(std::set<std::string>* paths) {
  constexpr int kMostLevels = 5;
  std::set<std::filesystem::path> roots;
  for (const std::string& path : *paths) {
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (IsEnvFile(path)) roots.insert(folder);
    for (int level = 0; level < kMostLevels && !folder.empty() && folder != folder.root_path(); ++level) {
      std::error_code error;
      if (std::filesystem::exists(folder / "package.json", error)) {
        roots.insert(folder);
        break;
      }
      folder = folder.parent_path();
    }
  }
  for (const auto& root : roots) {
    for (const char* name : {".env", ".env.local", ".env.production", ".env.production.local", ".env.development",
                             ".env.development.local"}) {
      std::error_code error;
      if (std::filesystem::is_regular_file(root / name, error)) paths->insert((root / name).string());
    }
  }
}

void ChooseEnvironments(ClientBuild build, std::set<std::string>* paths) {
  static const RE2 kEnvironment(R"((.*/environment)(?:\.(?:prod|production|dev|development))?\.([mc]?[tj]s))");
  const std::set<std::string> listed = *paths;
  for (const std::string& path : listed) {
    std::string base, end;
    if (!RE2::FullMatch(path, kEnvironment, &base, &end)) continue;
    const auto first = [&](std::initializer_list<const char*> modes) {
      for (const char* mode : modes) {
        std::error_code error;
        if (std::filesystem::is_regular_file(base + mode + end, error)) return base + mode + end;
      }
      return std::string();
    };
    const std::string chosen = build == ClientBuild::kProduction
                                   ? first({".prod.", ".production.", "."})
                                   : first({".development.", ".dev.", ".", ".prod.", ".production."});
    if (chosen.empty()) continue;
    for (const char* mode : {".prod.", ".production.", ".development.", ".dev.", "."}) paths->erase(base + mode + end);
    paths->insert(chosen);
  }
}

void ReadEnvFile(const JsFile& file, JsSymbols* symbols) {
  size_t offset = 0;
  while (offset < file.source.size()) {
    const size_t end = std::min(file.source.find('\n', offset), file.source.size());
    std::string line = file.source.substr(offset, end - offset);
    const size_t equals = line.find('=');
    if (equals != std::string::npos && line.front() != '#') {
      std::string name = line.substr(0, equals);
      if (name.starts_with("export ")) name.erase(0, 7);
      size_t from = equals + 1, to = line.size();
      while (to > from && std::isspace(static_cast<unsigned char>(line[to - 1]))) --to;
      if (to - from >= 2 && (line[from] == '"' || line[from] == '\'') && line[to - 1] == line[from]) ++from, --to;
      Literal literal;
      literal.text = line.substr(from, to - from);
      literal.location = file.lines.Locate(file.path, offset + from);
      literal.line_text = file.lines.Line(literal.location.line());
      symbols->AddEnvironment(name, std::move(literal));
    }
    offset = end + 1;
  }
}

}  // namespace omnix

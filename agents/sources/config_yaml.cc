#include <yaml-cpp/yaml.h>

#include "agents/sources/config_formats.h"

namespace omnix {
namespace {

// An alias is read where it is used; the number of values bounds what a file of aliases can cost.
bool Walk(const ConfigSource& source, const YAML::Node& node, const std::string& key, int depth, ConfigValues* config) {
  if (depth > kMaxConfigDepth) return false;
  if (node.IsMap()) {
    for (const auto& entry : node) {
      const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      // "<<" only brings in what an anchor has.
      const std::string inner = name == "<<" ? key : JoinKey(key, name);
      if (!Walk(source, entry.second, inner, depth + 1, config)) return false;
    }
    return true;
  }
  if (node.IsSequence()) {
    for (size_t i = 0; i < node.size(); ++i) {
      if (!Walk(source, node[i], JoinKey(key, std::to_string(i)), depth + 1, config)) return false;
    }
    return true;
  }
  const YAML::Mark mark = node.Mark();
  return AddConfigValue(source, key, node.IsScalar() ? node.Scalar() : "", static_cast<uint32_t>(mark.line + 1),
                        static_cast<uint32_t>(mark.column + 1), config);
}

}  // namespace

void ReadYamlConfig(const ConfigSource& source, ConfigValues* config) {
  try {
    for (const YAML::Node& document : YAML::LoadAll(std::string(source.text))) {
      if (!Walk(source, document, "", 0, config)) return;
    }
  } catch (const YAML::Exception& error) {
    SetConfigError(source, error.msg, static_cast<uint32_t>(error.mark.line + 1),
                   static_cast<uint32_t>(error.mark.column + 1), config);
  }
}

}  // namespace omnix

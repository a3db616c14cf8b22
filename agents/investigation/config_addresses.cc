#include "agents/investigation/config_addresses.h"

#include <re2/re2.h>

#include <map>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace omnix {
namespace {

std::string DefaultPort(const std::string& scheme) {
  static const std::map<std::string, std::string> kPorts = {
      {"http", "80"},       {"https", "443"},       {"ws", "80"},     {"wss", "443"},         {"postgres", "5432"},
      {"redis", "6379"},    {"rediss", "6379"},     {"amqp", "5672"}, {"postgresql", "5432"}, {"mysql", "3306"},
      {"mongodb", "27017"}, {"memcached", "11211"}, {"nats", "4222"}};
  const auto found = kPorts.find(scheme.substr(0, scheme.find('+')));
  return found == kPorts.end() ? "" : found->second;
}

std::string Plain(const std::string& host, const std::string& port) { return AddressOf(host + ":" + port); }

bool BindsItself(const std::string& key) {
  static const RE2 kBind(R"((?i)(listen|bind|advertise))");
  return RE2::PartialMatch(key, kBind);
}

void FindUrls(const ConfigFacts& file, const ConfigValue& value, std::vector<NamedAddress>* found) {
  static const RE2 kUrl(
      R"(([A-Za-z][A-Za-z0-9+.\-]*)://(?:[^@/\s'"]*@)?((?:[A-Za-z0-9_.\-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?))");
  static const RE2 kHostPort(
      R"((?:^|[,\s])((?:[A-Za-z][A-Za-z0-9_.\-]*|\d+\.\d+\.\d+\.\d+):\d{2,5})(?:/\d+)?(?:$|[,\s]))");
  static const RE2 kDsnHost(R"((?:^|\s|;|:)(?:host|server)(?:addr)?\s*=\s*'?([^\s';]+))");
  static const RE2 kDsnPort(R"((?:^|\s|;)port\s*=\s*'?(\d+))");
  const std::string& text = value.value;
  std::string rest = text, scheme, written, port;
  bool any = false;
  while (RE2::PartialMatch(rest, kUrl, &scheme, &written)) {
    rest = rest.substr(rest.find(written, rest.find("://")) + written.size());
    scheme = absl::AsciiStrToLower(scheme);
    const bool has_port = written.rfind(':') != std::string::npos && written.back() != ']';
    const std::string address = has_port ? AddressOf(written) : Plain(written, DefaultPort(scheme));
    any = true;
    if (!address.empty()) found->push_back({&file, &value, nullptr, written, address, scheme});
  }
  if (any) return;
  if (RE2::PartialMatch(text, kDsnHost, &written) && RE2::PartialMatch(text, kDsnPort, &port)) {
    found->push_back({&file, &value, nullptr, written, Plain(written, port), ""});
  } else if (RE2::PartialMatch(text, kHostPort, &written)) {
    found->push_back({&file, &value, nullptr, written, AddressOf(written), ""});
  }
}

// "db_" of "DB_HOST" and "db.host"; nothing where the key is none of a host.
bool PrefixOf(const std::string& key, const RE2& word, std::string* prefix) {
  std::string start;
  if (!RE2::FullMatch(key, word, &start)) return false;
  *prefix = absl::AsciiStrToLower(start);
  return true;
}

void FindPairs(const ConfigFacts& file, std::vector<NamedAddress>* found) {
  static const RE2 kHost(R"((.*?)[._\-]?(?i:host|hostname|addr|address|server))");
  static const RE2 kPort(R"((.*?)[._\-]?(?i:port))");
  static const RE2 kName(R"([A-Za-z0-9][A-Za-z0-9_.\-]*)");
  std::map<std::string, const ConfigValue*> ports;
  for (const ConfigValue& value : file.config.values) {
    std::string prefix;
    if (!value.held_apart && PrefixOf(value.key, kPort, &prefix) && std::atoi(value.value.c_str()) > 0)
      ports.emplace(prefix, &value);
  }
  for (const ConfigValue& value : file.config.values) {
    std::string prefix;
    if (value.held_apart || !PrefixOf(value.key, kHost, &prefix) || !RE2::FullMatch(value.value, kName) ||
        !ports.contains(prefix))
      continue;
    const ConfigValue* port = ports.at(prefix);
    // A service's own address is most often named by nothing else.
    found->push_back({&file, &value, port, value.value, Plain(value.value, port->value), ""});
  }
}

}  // namespace

std::vector<NamedAddress> AddressesIn(const Scene& scene, const v1::Service& service) {
  std::vector<NamedAddress> all, found;
  for (const ConfigFacts* file : ConfigsOf(scene, service)) {
    // What is held in a file of its own is a secret: it names nothing, and is shown nowhere.
    for (const ConfigValue& value : file->config.values) {
      if (!value.held_apart) FindUrls(*file, value, &all);
    }
    FindPairs(*file, &all);
  }
  for (NamedAddress& named : all) {
    if (!named.address.empty() && !BindsItself(named.value->key)) found.push_back(std::move(named));
  }
  return found;
}

}  // namespace omnix

#include "agents/investigation/postgres_dsns.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "agents/checks/variables.h"
#include "agents/investigation/symptoms_of.h"
#include "agents/sources/held_values.h"

namespace omnix {
namespace {

// The part of a connection that a key speaks of by its last word; empty: none.
std::string PartOf(const std::string& word) {
  static const std::map<std::string, std::string> kParts = {
      {"host", "host"},     {"hostname", "host"},       {"server", "host"},       {"port", "port"},
      {"user", "user"},     {"username", "user"},       {"role", "user"},         {"password", "password"},
      {"pass", "password"}, {"passwd", "password"},     {"pwd", "password"},      {"name", "database"},
      {"db", "database"},   {"dbname", "database"},     {"database", "database"}, {"pguser", "user"},
      {"pghost", "host"},   {"pgpassword", "password"}, {"pgport", "port"},       {"pgdatabase", "database"}};
  const auto found = kParts.find(word);
  return found == kParts.end() ? "" : found->second;
}

// "database.host" -> {"database", "host"}; "DB_HOST" -> {"db", "host"}; "PGHOST" -> {"", "host"}.
std::pair<std::string, std::string> SplitKey(const std::string& key) {
  const std::string lower = absl::AsciiStrToLower(key);
  const size_t cut = lower.find_last_of("._-");
  const std::string word = cut == std::string::npos ? lower : lower.substr(cut + 1);
  return {cut == std::string::npos ? "" : lower.substr(0, cut), PartOf(word)};
}

class Collector {
 public:
  explicit Collector(const v1::SystemModel& system) : system_(system) {}

  void AddModel(const v1::Service& store) {
    const auto text = Expand(store.database().dsn(), {});
    if (store.database().kind() != "postgresql" || !text.ok()) return;
    const auto dsn = ParsePostgresDsn(*text);
    PostgresWay way;
    way.dsn = dsn.value_or(PostgresDsn());
    way.connection_string = *text;
    Add(way.dsn.Address(), &store, way);
  }

  void AddFilesOf(const v1::Service& client) {
    std::vector<v1::ConfigFile> files(client.config_files().begin(), client.config_files().end());
    for (const v1::Instance& instance : client.instances()) {
      files.insert(files.end(), instance.config_files().begin(), instance.config_files().end());
    }
    // What "${NAME}" in one of them stands for is often said by another.
    Variables variables;
    std::vector<std::vector<ConfigValue>> configs;
    for (const v1::ConfigFile& file : files) {
      if (file.format() == "nginx") continue;
      auto config = ReadConfigValues(file.path(), file.format());
      if (!config.ok()) continue;
      for (const ConfigValue& value : config->values) {
        variables.values.emplace(value.key, value.value);
        variables.places.emplace(value.key, value.location);
      }
      configs.push_back(std::move(config->values));
    }
    for (const auto& values : configs) AddValues(client, values, variables);
  }

  std::vector<PostgresServer> Take() { return std::move(servers_); }

 private:
  struct Variables {
    std::map<std::string, std::string> values;
    std::map<std::string, v1::Location> places;

    // Where a value is said: of "${NAME}" where NAME is set.
    v1::Location PlaceOf(const ConfigValue& value) const {
      if (!value.value.starts_with("${") || !value.value.ends_with('}')) return value.location;
      const auto place = places.find(value.value.substr(2, value.value.size() - 3));
      return place == places.end() ? value.location : place->second;
    }
  };

  static bool IsHeld(const std::vector<ConfigValue>& values, const ConfigValue& named) {
    return std::any_of(values.begin(), values.end(), [&](const ConfigValue& value) {
      return value.held_apart && value.location.file() == named.value;
    });
  }

  // Those of one file.
  void AddValues(const v1::Service& client, const std::vector<ConfigValue>& values, const Variables& variables) {
    std::map<std::string, PostgresWay> parts;
    // URLs without a whole login: its keys stand beside them.
    std::vector<std::pair<std::string, PostgresWay>> urls;
    // Groups of keys of which one stands for something that is not known here.
    std::set<std::string> unknown;
    for (const ConfigValue& value : values) {
      const auto text = Expand(value.value, variables.values);
      if (!text.ok()) {
        if (const auto [group, part] = SplitKey(value.key); !part.empty()) unknown.insert(group);
        continue;
      }
      // What is held in a file that may not be read is not known, and nobody logs in without it.
      if (NamesHeldSecret(value) && !IsHeld(values, value)) {
        const std::string held = KeyOfHeldValue(value.key);
        if (const auto [group, part] = SplitKey(held.empty() ? value.key : held); part == "password")
          unknown.insert(group);
      }
      if (const auto dsn = ParsePostgresDsn(*text)) {
        PostgresWay way{&client, value.location, {}, *dsn, ToConnectionString(*dsn)};
        if (dsn->user.empty() || dsn->password.empty()) {
          urls.emplace_back(SplitKey(value.key).first, way);
        } else {
          AddConfigured(way);
        }
        continue;
      }
      const auto [group, part] = SplitKey(value.key);
      if (!part.empty()) Take(part, *text, variables.PlaceOf(value), &parts[group]);
    }
    for (auto& [group, way] : urls) {
      const auto login = parts.find(group);
      const bool same_user = login != parts.end() && (way.dsn.user.empty() || login->second.dsn.user.empty() ||
                                                      way.dsn.user == login->second.dsn.user);
      if (same_user) {
        if (way.dsn.user.empty()) way.dsn.user = login->second.dsn.user;
        way.dsn.password = login->second.dsn.password;
        if (!login->second.password_location.file().empty()) way.location = login->second.password_location;
      }
      // Who it logs in as is not known: nothing can be said of it.
      if (unknown.contains(group) || way.dsn.user.empty()) continue;
      way.connection_string = ToConnectionString(way.dsn);
      AddConfigured(way);
    }
    for (auto& [group, way] : parts) {
      if (unknown.contains(group)) continue;
      // A host alone may be anything's.
      if (way.dsn.host.empty() || way.dsn.user.empty() || way.dsn.database.empty()) continue;
      way.client = &client;
      way.connection_string = ToConnectionString(way.dsn);
      AddConfigured(way);
    }
  }

  static void Take(const std::string& part, const std::string& text, const v1::Location& location, PostgresWay* way) {
    if (part == "host") {
      way->dsn.host = text;
      way->location = location;
    }
    if (part == "port") way->dsn.port = std::atoi(text.c_str());
    if (part == "user") way->dsn.user = text;
    if (part == "database") way->dsn.database = text;
    if (part != "password") return;
    way->dsn.password = text;
    way->password_location = location;
  }

  void AddConfigured(const PostgresWay& way) {
    const std::string address = way.dsn.Address();
    const v1::Service* store = nullptr;
    for (const v1::Service& service : system_.services()) {
      const std::vector<std::string> own = AddressesOf(service);
      if (&service != way.client && std::find(own.begin(), own.end(), address) != own.end()) store = &service;
    }
    if (store == nullptr && !address.starts_with("127.0.0.1:")) return;
    // Host, user and database by themselves may be those of another product.
    const bool known =
        std::any_of(servers_.begin(), servers_.end(), [&](const auto& s) { return s.address == address; });
    const bool is_url = way.password_location.file().empty();
    if (!known && !is_url && way.dsn.port != kPostgresPort && way.dsn.port != 0) return;
    Add(address, store, way);
  }

  void Add(const std::string& address, const v1::Service* store, const PostgresWay& way) {
    auto server = std::find_if(servers_.begin(), servers_.end(), [&](const auto& s) { return s.address == address; });
    if (server == servers_.end()) {
      if (servers_.size() >= kMaxPostgresServers) return;
      servers_.push_back({store, address, {}});
      server = servers_.end() - 1;
    }
    if (server->store == nullptr) server->store = store;
    const bool known = std::any_of(server->ways.begin(), server->ways.end(), [&](const PostgresWay& other) {
      return other.client == way.client && other.connection_string == way.connection_string;
    });
    if (!known && server->ways.size() < kMaxPostgresWays) server->ways.push_back(way);
  }

  const v1::SystemModel& system_;
  std::vector<PostgresServer> servers_;
};

}  // namespace

std::vector<PostgresServer> FindPostgresServers(const Case& investigation) {
  Collector collector(investigation.system);
  for (const v1::Service& service : investigation.system.services()) collector.AddModel(service);
  for (const v1::Service& service : investigation.system.services()) {
    collector.AddFilesOf(service);
  }
  return collector.Take();
}

}  // namespace omnix

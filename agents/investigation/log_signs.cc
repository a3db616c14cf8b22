#include "agents/investigation/log_signs.h"

#include <re2/re2.h>

#include <algorithm>
#include <memory>

namespace omnix {
namespace {

using enum SignPlace;

// The more special ones first: the first that fits is taken.
constexpr SignShape kShapes[] = {
    // PostgreSQL (SQLSTATE classes 28, 53, 25, 55, 57), MySQL, pools of connections.
    {"database.credentials", kWhatItSends,
     R"(password authentication failed for user|(?:sqlstate|code|state)\W{1,4}28P01|access denied for user|no pg_hba\.conf entry for|sasl authentication failed|authentication failed for user|role "[^"]*" does not exist|(?:sqlstate|code|state)\W{1,4}28000)",
     "refuses the credentials"},
    {"database.connections_exhausted", kStore,
     R"(too many clients already|remaining connection slots are reserved|(?:sqlstate|code|state)\W{1,4}53300|too many connections|max number of clients reached|too many connections for role)",
     "has no connection left"},
    {"database.connections_exhausted", kSelf,
     R"(queuepool limit of size|connection pool (?:is |has been )?exhausted|\bpool (?:is )?empty\b|couldn't get a connection after|could not (?:get|obtain) a connection (?:from the pool )?within|cannot get a connection, pool error|pool timed out while waiting for an open connection|timed out waiting for (?:a )?connection from|connection is not available, request timed out after|timed out fetching a new connection from the connection pool|timeout acquiring a connection|resourcerequest timed out|pool ?timeout|unable to acquire (?:a )?connection|sqlalchemy\.exc\.timeouterror|no connection available in pool|pool ?exhausted|all \d+ (?:\w+ ){0,2}connections [^\n]{0,40}\b(?:in use|busy|taken)\b)",
     "waits in vain for a connection of its pool"},
    {"database.locks", kStore,
     R"(due to lock timeout|(?:sqlstate|code|state)\W{1,4}55P03|could not obtain lock on|lock wait timeout exceeded|deadlock detected|deadlock found when trying|still waiting for \w+lock on|database is locked)",
     "is held up by locks"},
    {"database.slow_query", kStore,
     R"(due to statement timeout|(?:sqlstate|code|state)\W{1,4}57014|query execution was interrupted, maximum statement execution time)",
     "does not finish queries in time"},
    {"database.read_only", kStore,
     R"(cannot execute [a-z ]+ in a read-only transaction|(?:sqlstate|code|state)\W{1,4}25006|--read-only option so it cannot execute|attempt to write a readonly database)",
     "takes no writes"},
    {"database.refuses", kStore,
     R"(the database system is (?:starting up|shutting down|in recovery mode)|(?:sqlstate|code|state)\W{1,4}57P03|not currently accepting connections|terminating connection due to administrator command)",
     "refuses connections"},
    // Redis.
    {"cache.memory_exhausted", kStore, R"(oom command not allowed when used memory)", "has used up its memory"},
    {"cache.credentials", kWhatItSends,
     R"(\bwrongpass\b|noauth authentication required|err invalid password|err auth <password> called without any password)",
     "refuses the credentials"},
    {"cache.read_only", kStore,
     R"(you can't write against a read only|misconf redis is configured to save|\bmisconf\b)", "takes no writes"},
    // nginx.
    {"gateway.body_limit", kSelf, R"(client intended to send too large (?:chunked )?body)",
     "refuses bodies larger than its limit"},
    {"gateway.rate_limit", kSelf,
     R"(limiting (?:requests|connections)[, ].*zone "?([\w.-]+)|limiting requests, excess)",
     "limits the rate of requests"},
    {"gateway.redirect_loop", kSelf, R"(rewrite or internal redirection cycle)", "sends requests round in circles"},
    {"load.overload", kSelf, R"(worker_connections are not enough)", "has no connection left for clients"},
    {"tls.certificate_invalid", kSelf, R"(upstream ssl certificate (?:verify error|does not match))",
     "does not accept the certificate of what it calls"},
    // The C library's and resolvers' words for a name that nobody knows.
    {"dns.failure", kSelf,
     R"((?:host not found in upstream|getaddrinfo (?:enotfound|eai_again)|could not resolve host:?|unknownhostexception:?|failed to resolve|could not translate host name) "?'?([\w-][\w.-]*))",
     "cannot resolve a name"},
    {"dns.failure", kSelf, R"(lookup ([\w-][\w.-]*)(?: on \S+)?: (?:no such host|server misbehaving))",
     "cannot resolve a name"},
    {"dns.failure", kSelf,
     R"(host='([^']+)'[^\n]*(?:name or service not known|failed to resolve|nameresolution|temporary failure in name))",
     "cannot resolve a name"},
    {"dns.failure", kSelf,
     R"(([\w-][\w.-]*\.[\w-]+) could not be resolved|name or service not known|temporary failure in name resolution|nodename nor servname provided|no address associated with hostname|\beai_again\b)",
     "cannot resolve a name"},
    // nginx refuses its configuration: the place is what it says.
    {"nginx.syntax_error", kSelf, R"(\[emerg\][^\n]* in (/[^\s:]+:\d+))", "cannot read its configuration"},
    // Disk, memory, descriptors.
    {"disk.full", kSelf,
     R"(no space left on device(?::? '?"?(/[^\s'",:]+))?|\benospc\b|(?:sqlstate|code|state)\W{1,4}53100|disk quota exceeded|disk is full|database or disk is full)",
     "finds no room on its disk"},
    {"descriptors.exhausted", kSelf, R"(too many open files|\bemfile\b|\benfile\b)", "has no file descriptor left"},
    {"memory.exhausted", kSelf,
     R"(out of memory: kill|killed by the oom killer|outofmemoryerror|javascript heap out of memory|cannot allocate memory|\benomem\b|std::bad_alloc|memoryerror\b|oom-kill|oom_kill|oomkilled|\bcontainer oom\b|memory cgroup out of memory|fatal error: runtime: out of memory|memory exhausted|perhaps out of memory|exceeds --max-memory-restart|mem(?:ory)? amount of [^\n]{0,60}matches resource limit|exceeded (?:the |its )?memory limit|(?:uses|using|exceed\w*)[^\n]{0,40}\d ?[kmg]i?b\b[^\n]{0,60}(?:sigkill|\bkill))",
     "runs out of memory"},
    {"path.not_writable", kSelf, R"(access to the path '(/[^']+)' is denied)", "may not write where it has to"},
    {"path.not_writable", kSelf,
     R"((?:permission denied|read-only file system|\berofs\b|\beacces\b)[^/\n]*?'?"?(/[^\s'",:)]+))",
     "may not write where it has to"},
    {"path.not_writable", kSelf,
     R"((/[^\s'",:)]+)["']?(?: failed \(13)?:? \(?(?:permission denied|read-only file system))",
     "may not write where it has to"},
    // TLS towards others.
    {"tls.certificate_expired", kSelf,
     R"(certificate (?:has|is) expired|certificate_expired|sslv3 alert certificate expired)",
     "meets an expired certificate"},
    {"tls.certificate_invalid", kSelf,
     R"(certificate_verify_failed|certificate verify failed|self[- ]signed certificate|unable to get local issuer|hostname mismatch|certificate is (?:not valid for|valid for)|signed by unknown authority|err_tls_cert_altname_invalid|depth_zero_self_signed|unable_to_verify_leaf|pkix path building failed)",
     "does not accept the certificate of what it calls"},
    // Tokens and clocks.
    {"clock.skew", kSelf,
     R"(token used before issued|issued in the future|\biat\b[^\n]{0,40}future|token is not yet valid|not yet valid \((?:iat|nbf)\)|immaturesignature|clock skew|requesttimetooskewed|timestamp (?:is )?(?:outside|too far|in the future))",
     "has another time than those it works with"},
    {"secret.mismatch", kSelf,
     R"(signature (?:verification|validation) failed|invalidsignature(?:error|exception)?\b|signed with (?:another|a different|the wrong) key|invalid (?:token )?signature|bad ?signature|signature (?:does not|doesn't|has no|mis) ?match|jwt signature|invalid hmac)",
     "does not accept signatures made with another secret"},
};

const std::vector<std::unique_ptr<RE2>>& Patterns() {
  static const std::vector<std::unique_ptr<RE2>> kPatterns = [] {
    std::vector<std::unique_ptr<RE2>> patterns;
    RE2::Options options;
    options.set_case_sensitive(false);
    for (const SignShape& shape : kShapes)
      patterns.push_back(std::make_unique<RE2>(re2::StringPiece(shape.pattern.data(), shape.pattern.size()), options));
    return patterns;
  }();
  return kPatterns;
}

}  // namespace

const SignShape* FindSign(std::string_view text, std::string* what) {
  constexpr int kMostGroups = 3;
  const re2::StringPiece piece(text.data(), text.size());
  for (size_t i = 0; i < Patterns().size(); ++i) {
    const RE2& pattern = *Patterns()[i];
    re2::StringPiece groups[kMostGroups];
    const int wanted = std::min(kMostGroups, pattern.NumberOfCapturingGroups() + 1);
    if (!pattern.Match(piece, 0, text.size(), RE2::UNANCHORED, groups, wanted)) continue;
    what->clear();
    for (int group = 1; group < wanted; ++group) {
      if (groups[group].data() != nullptr) *what = std::string(groups[group].data(), groups[group].size());
    }
    return &kShapes[i];
  }
  return nullptr;
}

std::vector<const LogSign*> SignsOf(const Scene& scene, const v1::Service& service) {
  std::vector<const LogSign*> signs;
  for (const LogSign* sign : scene.facts.All<LogSign>()) {
    if (sign->service == &service) signs.push_back(sign);
  }
  std::stable_sort(signs.begin(), signs.end(), [](const LogSign* a, const LogSign* b) { return a->count > b->count; });
  return signs;
}

}  // namespace omnix

// For tests: a real nginx before real programs, with the logs that users left.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/faulty_system.h"

namespace omnix {

class FaultyEdge : public FaultySystem {
 protected:
  FaultyEdge() : gateway_port_(FreePort()) {
    for (const char* sub : {"logs", "tmp"}) std::filesystem::create_directories(Path(sub));
  }

  // Asked now, not when the system was begun: what its logs say since counts.
  v1::Diagnosis Run() {
    case_.now = case_.started_at = absl::Now();
    return FaultySystem::Run();
  }

  // The gateway "edge": its nginx runs with `http` in the http block and `server` in the server block.
  v1::Service* StartEdge(const std::vector<std::string>& paths, const std::string& http, const std::string& server) {
    Write("edge.conf", fmt::format(R"(daemon off; master_process off;
pid {0}/tmp/nginx.pid;
error_log {0}/logs/error.log;
events {{ }}
http {{
    log_format timed '$remote_addr [$time_iso8601] "$request" $status rt=$request_time';
    access_log {0}/logs/access.log timed;
    client_body_temp_path {0}/tmp; proxy_temp_path {0}/tmp; fastcgi_temp_path {0}/tmp; uwsgi_temp_path {0}/tmp; scgi_temp_path {0}/tmp;
{2}
    server {{
        listen 127.0.0.1:{1};
{3}
    }}
}}
)",
                                   folder_, gateway_port_, http, server));
    v1::Service* edge = AddService("edge", gateway_port_, paths);
    edge->set_kind("gateway");
    edge->add_depends_on("shop");
    edge->add_config_files()->set_path(Path("edge.conf"));
    edge->mutable_config_files(0)->set_format("nginx");
    for (const char* kind : {"access", "error"}) {
      v1::LogFile* log = edge->add_logs();
      log->set_path(Path(fmt::format("logs/{}.log", kind)));
      log->set_kind(kind);
    }
    Start({"/usr/sbin/nginx", "-p", folder_, "-e", Path("logs/error.log"), "-c", Path("edge.conf")});
    WaitForPort(gateway_port_);
    return edge;
  }

  // `count` lines of the access log, evenly from `from` to `to` ago.
  void Users(int count, absl::Duration from, absl::Duration to, const std::string& request, int status,
             const std::string& seconds = "0.010") const {
    std::ofstream log(Path("logs/access.log"), std::ios::app);
    for (int i = 0; i < count; ++i) {
      const absl::Time time = absl::Now() - from + (from - to) * i / count;
      log << fmt::format("10.0.0.{} [{}] \"{} HTTP/1.1\" {} rt={}\n", i % 200,
                         absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, absl::UTCTimeZone()), request, status, seconds);
    }
  }

  // The line of edge.conf that holds the text.
  uint32_t LineOf(const std::string& text) const {
    std::ifstream file(Path("edge.conf"));
    uint32_t number = 1;
    for (std::string line; std::getline(file, line); ++number) {
      if (line.find(text) != std::string::npos) return number;
    }
    return 0;
  }

  static v1::Hypothesis OfKind(const v1::Diagnosis& diagnosis, const std::string& kind) {
    for (const v1::Hypothesis& h : diagnosis.hypotheses()) {
      if (h.kind() == kind) return h;
    }
    return {};
  }

  static std::string Proxy(const std::string& to) { return fmt::format("location / {{ proxy_pass http://{}; }}", to); }

  const int gateway_port_;
};

}  // namespace omnix

#include "agents/investigation/name_lookup.h"

#include <netdb.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <future>
#include <memory>
#include <thread>

#include "absl/strings/str_split.h"
#include "agents/checks/url.h"
#include "fmt/format.h"

namespace omnix {
namespace {

namespace asio = boost::asio;

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxAnswer = 512;
constexpr size_t kHeader = 12;

// A DNS question (RFC 1035) for the IPv4 address; "" where the name can't be asked for.
std::string Question(const std::string& name) {
  // An id, "recursion desired", one question.
  std::string question("\x4f\x6d\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", kHeader);
  for (const auto label : absl::StrSplit(name, '.', absl::SkipEmpty())) {
    if (label.size() > kMaxLabel) return "";
    question.push_back(static_cast<char>(label.size()));
    question.append(label.data(), label.size());
  }
  // The root, type A, class IN.
  question.append("\x00\x00\x01\x00\x01", 5);
  return question;
}

NameAnswer Read(const std::string& server, const std::string& name, const std::array<unsigned char, kMaxAnswer>& answer,
                size_t size) {
  constexpr unsigned kNoError = 0, kNoSuchName = 3, kCodeMask = 0x0f;
  if (size < kHeader) return {NameState::kNoAnswer, fmt::format("{} answers no DNS", server)};
  const unsigned code = answer[3] & kCodeMask;
  const unsigned count = answer[6] * 256U + answer[7];
  if (code == kNoError && count > 0) return {NameState::kKnown, fmt::format("{} knows {}", server, name)};
  if (code == kNoError || code == kNoSuchName)
    return {NameState::kUnknown, fmt::format("{} does not know {}", server, name)};
  return {NameState::kNoAnswer, fmt::format("{} fails to look {} up (code {})", server, name, code)};
}

}  // namespace

// getaddrinfo has no timeout of its own: the thread that asks is left behind where it takes too long, and ends by
// itself.
NameAnswer ResolveHere(const std::string& name) {
  auto answer = std::make_shared<std::promise<int>>();
  std::future<int> result = answer->get_future();
  std::thread([answer, name] {
    addrinfo* found = nullptr;
    answer->set_value(getaddrinfo(name.c_str(), nullptr, nullptr, &found));
    if (found != nullptr) freeaddrinfo(found);
  }).detach();
  if (result.wait_for(absl::ToChronoMilliseconds(kNameTimeout)) != std::future_status::ready)
    return {NameState::kNoAnswer, fmt::format("no resolver answers for {}", name)};
  const int error = result.get();
  if (error == 0) return {NameState::kKnown, fmt::format("{} resolves here now", name)};
  const bool unknown = error == EAI_NONAME || error == EAI_NODATA;
  return {unknown ? NameState::kUnknown : NameState::kNoAnswer,
          fmt::format("{} does not resolve here either: {}", name, gai_strerror(error))};
}

NameAnswer AskNameServer(const std::string& server, const std::string& name) {
  constexpr const char* kDnsPort = ":53";
  const bool has_port = server.find(':') != std::string::npos && !server.ends_with(']');
  const auto address = ParseHostPort(has_port ? server : server + kDnsPort);
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.ok() ? address->host : "", error);
  const std::string question = Question(name);
  if (error || question.empty()) return {NameState::kNoAnswer, fmt::format("{} can't be asked for {}", server, name)};
  asio::io_context io;
  asio::ip::udp::socket socket(io);
  std::array<unsigned char, kMaxAnswer> answer{};
  size_t size = 0;
  error = asio::error::timed_out;
  boost::system::error_code failed;
  socket.connect({ip, static_cast<uint16_t>(std::atoi(address->port.c_str()))}, failed);
  if (!failed) socket.send(asio::buffer(question), 0, failed);
  if (!failed) {
    socket.async_receive(asio::buffer(answer), [&](const boost::system::error_code& received, size_t bytes) {
      error = received;
      size = bytes;
    });
    io.run_for(absl::ToChronoMilliseconds(kNameTimeout));
  }
  if (failed || error)
    return {NameState::kNoAnswer, fmt::format("the name server {} does not answer for {}", server, name)};
  return Read(server, name, answer, size);
}

bool NeedsResolver(const std::string& host) {
  boost::system::error_code error;
  const std::string bare = host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
  asio::ip::make_address(bare, error);
  return error.failed() && !host.empty() && host != "localhost" && host.find_first_of("$/{}") == std::string::npos;
}

}  // namespace omnix

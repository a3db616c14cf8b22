#include "tests/storm/operator_probe.h"

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <chrono>

#include "tests/bench/support/quantile.h"

namespace omnix::storm {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);
constexpr auto kPatience = std::chrono::seconds(30);
constexpr int kMaxMessageBytes = 64 << 20;

}  // namespace

OperatorProbe::OperatorProbe(const std::string& grpc_address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  const auto channel = grpc::CreateCustomChannel(grpc_address, grpc::InsecureChannelCredentials(), arguments);
  // What gRPC does once in this process is not omnixd's.
  channel->WaitForConnected(std::chrono::system_clock::now() + kPatience);
  api_ = v1::Operator::NewStub(channel);
  thread_ = std::thread([this] { Run(); });
}

Waits OperatorProbe::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  std::ranges::sort(waits_ms_);
  return {waits_ms_.size(), failures_, bench::Quantile(waits_ms_, 0.5), bench::Quantile(waits_ms_, 0.99),
          bench::Quantile(waits_ms_, 1)};
}

void OperatorProbe::Run() {
  while (!stop_) {
    Call();
    std::this_thread::sleep_for(kPause);
  }
}

void OperatorProbe::Call() {
  const auto timed = [&](const auto& call) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    const auto begun = std::chrono::steady_clock::now();
    if (!call(&context).ok()) ++failures_;
    waits_ms_.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  };
  timed([&](grpc::ClientContext* context) {
    v1::ListIncidentsResponse list;
    const grpc::Status status = api_->ListIncidents(context, {}, &list);
    if (list.incidents_size() > 0) newest_ = list.incidents(0).id();
    return status;
  });
  if (newest_.empty()) return;
  timed([&](grpc::ClientContext* context) {
    v1::GetIncidentRequest request;
    request.set_incident_id(newest_);
    v1::GetIncidentResponse shown;
    return api_->GetIncident(context, request, &shown);
  });
}

}  // namespace omnix::storm

#include "orchestrator/api/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status.h"

namespace omnix {
namespace {

GrpcServerOptions On(const std::string& listen) {
  GrpcServerOptions options;
  options.listen = listen;
  return options;
}

// One raw request to a method, one raw answer; empty where the call fails.
std::string Ask(const std::string& address, const std::string& method, const std::string& request) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, method, &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(&context);
  queue.Next(&tag, &ok);
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), &context);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, &context);
  queue.Next(&tag, &ok);
  grpc::Slice bytes;
  const bool read = ok && answer.DumpToSingleSlice(&bytes).ok();
  grpc::Status status;
  call->Finish(&status, &context);
  queue.Next(&tag, &ok);
  return read && status.ok() ? std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size()) : "";
}

TEST(GrpcServer, HealthAndReflectionAnswer) {
  auto server = GrpcServer::Start(On("127.0.0.1:0"));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_GT((*server)->port(), 0);
  // HealthCheckResponse{status: SERVING}, then NOT_SERVING.
  EXPECT_EQ(Ask((*server)->address(), "/grpc.health.v1.Health/Check", ""), "\x08\x01");
  (*server)->SetServing(false);
  EXPECT_EQ(Ask((*server)->address(), "/grpc.health.v1.Health/Check", ""), "\x08\x02");
  // ServerReflectionRequest{list_services: "*"}.
  EXPECT_THAT(Ask((*server)->address(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "\x3a\x01*"),
              testing::HasSubstr("grpc.health.v1.Health"));
}

TEST(GrpcServer, PortInUseIsAClearError) {
  auto first = GrpcServer::Start(On("127.0.0.1:0"));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = GrpcServer::Start(On((*first)->address()));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(Message(second.status()), testing::HasSubstr((*first)->address()));
  // Free again at once after the end.
  const std::string address = (*first)->address();
  (*first)->Shutdown(absl::Seconds(1));
  EXPECT_TRUE(GrpcServer::Start(On(address)).ok());
}

TEST(GrpcServer, BadAddressesAreErrors) {
  for (const char* address :
       {"", "7420", "127.0.0.1:", ":7420", "no such host:7420", "127.0.0.1:port", "192.0.2.1:7420"}) {
    const auto server = GrpcServer::Start(On(address));
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << address << ": " << server.status();
  }
}

}  // namespace
}  // namespace omnix

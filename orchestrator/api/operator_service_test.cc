#include "orchestrator/api/operator_service.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <thread>

#include "orchestrator/engine/scripted_operator.h"

namespace omnix {
namespace {

class OperatorServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::Operator::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override { server_->Shutdown(std::chrono::system_clock::now()); }

  static v1::WatchIncidentResponse Update(uint64_t sequence) {
    v1::WatchIncidentResponse update;
    update.mutable_event()->set_sequence(sequence);
    update.set_text(std::string(1000, 'x'));
    return update;
  }

  ScriptedOperator twin_;
  OperatorService service_{&twin_, {.max_updates = 100}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Operator::Stub> stub_;
  grpc::ClientContext context_;
};

TEST_F(OperatorServiceTest, PassesAnswersOn) {
  v1::CommandIncidentRequest request;
  request.set_incident_id("INC-1");
  request.mutable_note()->set_text("hello");
  v1::CommandIncidentResponse response;
  ASSERT_TRUE(stub_->CommandIncident(&context_, request, &response).ok());
  EXPECT_EQ(response.incident().id(), "INC-1");
  EXPECT_EQ(twin_.commands.at(0).note().text(), "hello");
}

TEST_F(OperatorServiceTest, PassesErrorsOnWithTheirCode) {
  v1::GetIncidentResponse response;
  v1::GetIncidentRequest request;
  request.set_incident_id("INC-9");
  const grpc::Status unknown = stub_->GetIncident(&context_, request, &response);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(unknown.error_message(), ::testing::HasSubstr("no incident"));
  twin_.FailWith(Unavailable("disk full"));
  grpc::ClientContext context;
  v1::GetStatusResponse status;
  EXPECT_EQ(stub_->GetStatus(&context, {}, &status).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(OperatorServiceTest, WatchDeliversInOrderThenEnds) {
  v1::WatchIncidentRequest request;
  request.set_incident_id("INC-1");
  request.set_after_sequence(4);
  auto reader = stub_->WatchIncident(&context_, request);
  const auto sink = twin_.Sink(0);
  EXPECT_EQ(twin_.watches[0].after_sequence(), 4u);
  for (uint64_t i = 5; i < 60; ++i) EXPECT_TRUE(sink->OnUpdate(Update(i)));
  sink->OnEnd(absl::OkStatus());
  v1::WatchIncidentResponse update;
  for (uint64_t i = 5; i < 60; ++i) {
    ASSERT_TRUE(reader->Read(&update));
    EXPECT_EQ(update.event().sequence(), i);
  }
  EXPECT_FALSE(reader->Read(&update));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_FALSE(sink->OnUpdate(Update(60)));
}

TEST_F(OperatorServiceTest, WatchErrorsComeAsTheStatus) {
  auto reader = stub_->WatchIncident(&context_, {});
  twin_.Sink(0)->OnEnd(NotFound("no such incident"));
  v1::WatchIncidentResponse update;
  EXPECT_FALSE(reader->Read(&update));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(OperatorServiceTest, SlowReaderGetsWhatWasQueuedAndThenResourceExhausted) {
  auto reader = stub_->WatchIncident(&context_, {});
  const auto sink = twin_.Sink(0);
  constexpr uint64_t kMany = 1'000'000;
  uint64_t sent = 0;
  while (sent < kMany && sink->OnUpdate(Update(sent + 1))) ++sent;
  ASSERT_LT(sent, kMany);
  v1::WatchIncidentResponse update;
  uint64_t read = 0;
  while (reader->Read(&update)) EXPECT_EQ(update.event().sequence(), ++read);
  EXPECT_EQ(read, sent);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(OperatorServiceTest, CancelledWatchIsUnwatched) {
  auto reader = stub_->WatchIncident(&context_, {});
  const auto sink = twin_.Sink(0);
  context_.TryCancel();
  EXPECT_TRUE(twin_.WaitFor([&] { return twin_.unwatched > 0; }));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace omnix

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>

#include "mesh_fixture.h"
#include "platform/listener_keeper.h"

namespace swarm::mesh::test {
namespace {

// Meshes that make way for each other as those of two builds do, and of swarmd what they need for
// it. All share one process id, so that MeshClient could not tell them apart.
class HandOver : public ::testing::Test {
 protected:
  HandOver() {
    options_.control_socket = folder_.path() / "mesh.sock";
    options_.swarm = model::SwarmId("swarm1");
    options_.node = model::NodeId("node1");
    options_.data_address = "127.0.0.1";
    options_.peer_address = free_address("127.0.0.1");
    keeper_ = platform::ListenerKeeper::open(keeper_socket(options_.control_socket)).value();
    loop_.start();
  }
  ~HandOver() override { loop_.stop(); }

  // The next mesh, which is told of one service with one task. True once it has taken that in.
  bool start_mesh() {
    meshes_.push_back(std::make_unique<MeshProcess>(options_));
    if (!meshes_.back()->status().ok()) return false;
    auto is_told = std::make_shared<std::atomic<bool>>(false);
    loop_.post([this, is_told] { tell(is_told); });
    return await([&] { return is_told->load(); });
  }

  // Leaves its listeners to the next.
  bool ask_newest_to_yield() {
    keeper_->ask_to_yield(::getpid());
    if (!await([&] { return !std::filesystem::exists(options_.control_socket); })) return false;
    keeper_->ask_to_yield(0);
    return true;
  }

  const std::string address_ = free_address("127.0.0.1");
  HttpServer task_{"one"};
  std::vector<std::unique_ptr<MeshProcess>> meshes_;

 private:
  void tell(const std::shared_ptr<std::atomic<bool>>& is_told) {
    ControlChannel::Socket socket(loop_.context());
    socket.connect(options_.control_socket.string());
    const auto channel = std::make_shared<ControlChannel>(std::move(socket));
    channel->start({[is_told](const ControlMessage& message) {
                      if (std::holds_alternative<Retired>(message)) *is_told = true;
                    },
                    [] {}});
    channel->send(Hello{kControlProtocol, options_.swarm, options_.node});
    channel->send(web_table(1, port_of(address_)));
    channel->send(Admit{{model::TaskId("t1"), model::ServiceId("web"), {{80, task_.address()}}}});
    channel->send(Retire{model::TaskId("nobody"), Duration{0}});
  }

  TemporaryFolder folder_;
  MeshOptions options_;
  AsioLoop loop_{"swarmd"};
  std::unique_ptr<platform::ListenerKeeper> keeper_;
};

TEST_F(HandOver, FortyUnderLoadFailNoRequest) {
  ASSERT_TRUE(start_mesh());
  Load load({address_, address_, address_});
  for (int round = 1; round <= 40; ++round) {
    ASSERT_TRUE(load.await_more());
    ASSERT_TRUE(ask_newest_to_yield()) << "mesh " << round;
    ASSERT_TRUE(start_mesh()) << "mesh " << round + 1;
    ASSERT_EQ(load.failed(), 0u) << "mesh " << round << ", of " << load.answered();
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0u) << "of " << load.answered();
  for (size_t i = 0; i + 1 < meshes_.size(); ++i) {
    EXPECT_TRUE(await([&] { return meshes_[i]->was_shut_down(); })) << "mesh " << i + 1;
  }
}

}  // namespace
}  // namespace swarm::mesh::test

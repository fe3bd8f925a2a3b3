#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/dispatcher.h"
#include "store_fixture.h"

namespace swarm::dispatcher {

// What one agent was sent.
struct Inbox {
  std::vector<model::AgentDownMessage> messages;
  std::optional<Status> closed;

  template <class Message>
  std::vector<Message> all() const {
    std::vector<Message> found;
    for (const model::AgentDownMessage& message : messages) {
      if (const auto* wanted = std::get_if<Message>(&message)) {
        found.push_back(*wanted);
      }
    }
    return found;
  }
  template <class Message>
  Message last() const {
    return all<Message>().back();
  }
};

class InboxSink final : public SessionSink {
 public:
  explicit InboxSink(std::shared_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {}
  void send(model::AgentDownMessage message) override {
    inbox_->messages.push_back(std::move(message));
  }
  void close(Status reason) override { inbox_->closed = std::move(reason); }

 private:
  std::shared_ptr<Inbox> inbox_;
};

// A leader with a dispatcher that observes its store.
struct DispatcherTest : StoreTest {
  std::unique_ptr<Dispatcher> dispatcher;
  std::map<std::string, model::SessionId> sessions;

  void SetUp() override {
    StoreTest::SetUp();
    add_node("n1");
    add_node("n2");
    store.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      if (dispatcher != nullptr) {
        dispatcher->observe(changes);
      }
    });
    take_office();
  }
  void take_office() { dispatcher = Dispatcher::make(loop, store, gate, Random(5)); }

  std::shared_ptr<Inbox> open(const std::string& node) {
    auto inbox = std::make_shared<Inbox>();
    const auto session =
        dispatcher->open(NodeId(node), "10.0.0.1", std::make_unique<InboxSink>(inbox));
    EXPECT_TRUE(session.ok()) << session.status();
    sessions[node] = *session;
    return inbox;
  }
  void hello(const std::string& node, const std::string& instance = "daemon1") {
    model::NodeDescription description;
    description.hostname = "host-" + node;
    description.mesh_address = node + ":7946";
    dispatcher->receive(sessions.at(node), model::AgentHello{description, {}, instance});
  }
  std::shared_ptr<Inbox> connect(const std::string& node) {
    std::shared_ptr<Inbox> inbox = open(node);
    hello(node);
    return inbox;
  }
  void beat(const std::string& node) {
    dispatcher->receive(sessions.at(node), model::AgentHeartbeat{});
  }
  void send_report(const std::string& node, const std::string& task, TaskState state) {
    dispatcher->receive(sessions.at(node), std::vector{report(task, state)});
  }
};

}  // namespace swarm::dispatcher

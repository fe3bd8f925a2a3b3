#pragma once

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/process/process_executor.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {

// A process executor with a state folder of its own, bundles made on the spot, and real processes.
class ExecutorTest : public testing::Test {
 protected:
  using Kind = agent::ExecutorEvent::Kind;

  ExecutorTest() { restart(); }
  ~ExecutorTest() override {
    for (const std::string& id : started_) {
      EXPECT_TRUE(stop(id, Duration::zero()).ok());
    }
  }

  // As a new swarmd: nothing of the old one is left but what is on disk and what runs.
  void restart() {
    executor_.reset();
    events_.clear();
    ProcessOptions options;
    options.state_directory = folder_.path();
    options.bundle_directories = {folder_.path() / "shared"};
    options.shim_command = {TEST_SHIM};
    options.version = "0.1.0";
    executor_ = std::make_unique<ProcessExecutor>(loop_.loop(), options);
    executor_->set_listener([this](const model::TaskId& task, const agent::ExecutorEvent& event) {
      events_.emplace_back(task.value(), event);
    });
  }

  void add_bundle(const std::string& name, const std::string& tag, const std::string& manifest) {
    const auto directory = folder_.path() / "bundles" / name / tag;
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "manifest.json") << manifest;
  }
  // An image whose program is a line of shell.
  void add_script(const std::string& image, const std::string& script,
                  const std::string& more = "") {
    add_bundle(image, "latest", R"({"command": ["/bin/sh", "-c", ")" + script + "\"]" + more + "}");
  }
  // The sample server.
  void add_web(const std::string& more = "") {
    add_bundle("web", "1.0",
               std::string(R"({"command": [")") + WEB_PROGRAM + R"("], "env": {"VERSION": "1.0"})" +
                   more + "}");
  }

  static agent::TaskLabels labels(const std::string& id) {
    agent::TaskLabels labels;
    labels.swarm = model::SwarmId("swarm1");
    labels.node = model::NodeId("node1");
    labels.task = model::TaskId(id);
    labels.service = model::ServiceId("service1");
    labels.service_name = "web";
    labels.slot = 3;
    labels.revision = 2;
    return labels;
  }
  static model::TaskTemplate spec(const std::string& image) {
    model::TaskTemplate spec;
    spec.container.image = image;
    return spec;
  }
  static model::TaskTemplate web_spec() {
    model::TaskTemplate spec = ExecutorTest::spec("web:1.0");
    spec.ports.push_back({.target = 80, .published = 8080});
    return spec;
  }

  Status prepare(const std::string& id, const model::TaskTemplate& spec) {
    std::optional<Status> status;
    executor_->prepare(labels(id), spec,
                       [&](Result<std::string> result) { status = result.status(); });
    return await(status);
  }
  Status start(const std::string& id) {
    std::optional<Status> status;
    started_.push_back(id);
    executor_->start(model::TaskId(id), [&](Status got) { status = std::move(got); });
    return await(status);
  }
  Status run(const std::string& id, const model::TaskTemplate& spec) {
    const Status prepared = prepare(id, spec);
    return prepared.ok() ? start(id) : prepared;
  }
  Status stop(const std::string& id, Duration grace) {
    std::optional<Status> status;
    executor_->stop(model::TaskId(id), grace, [&](Status got) { status = std::move(got); });
    return await(status);
  }
  Status remove(const std::string& id) {
    std::optional<Status> status;
    executor_->remove(model::TaskId(id), [&](Status got) { status = std::move(got); });
    return await(status);
  }
  std::vector<agent::ExistingTask> list() {
    std::optional<Result<std::vector<agent::ExistingTask>>> found;
    executor_->list(model::SwarmId("swarm1"), model::NodeId("node1"),
                    [&](Result<std::vector<agent::ExistingTask>> got) { found = std::move(got); });
    EXPECT_TRUE(loop_.until([&] { return found.has_value(); }));
    EXPECT_TRUE(found && found->ok());
    return found && found->ok() ? **found : std::vector<agent::ExistingTask>();
  }

  const agent::ExecutorEvent* find_event(const std::string& id, Kind kind) {
    for (const auto& [task, event] : events_) {
      if (task == id && event.kind == kind) {
        return &event;
      }
    }
    return nullptr;
  }
  bool await_event(const std::string& id, Kind kind) {
    return loop_.until([&] { return find_event(id, kind) != nullptr; });
  }

  std::filesystem::path task_folder(const std::string& id) { return folder_.path() / "tasks" / id; }
  std::string output(const std::string& id) {
    std::ifstream file(task_folder(id) / "stdout.log");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  bool await_output(const std::string& id, const std::string& text) {
    return loop_.until([&] { return output(id).find(text) != std::string::npos; });
  }
  // The process whose number the task printed as its last word.
  platform::ProcessId printed_process(const std::string& id) {
    const std::string text = output(id);
    const auto process = platform::identify_process(std::stoll(text.substr(text.rfind(' ') + 1)));
    return process.ok() ? *process : platform::ProcessId{};
  }
  std::optional<StartRecord> start_record(const std::string& id) {
    const auto files = platform::make_file_system();
    const auto record = TaskDirectory(*files, task_folder(id)).read_start();
    return record.ok() ? *record : std::nullopt;
  }

  // The body of GET / from a task.
  std::string fetch(const std::string& address) {
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket socket(context);
    const size_t colon = address.rfind(':');
    socket.connect({boost::asio::ip::make_address(address.substr(0, colon)),
                    static_cast<uint16_t>(std::stoi(address.substr(colon + 1)))});
    boost::asio::write(socket,
                       boost::asio::buffer(std::string("GET / HTTP/1.0\r\nHost: web\r\n\r\n")));
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  std::unique_ptr<ProcessExecutor> executor_;
  std::vector<std::pair<std::string, agent::ExecutorEvent>> events_;

 private:
  Status await(std::optional<Status>& status) {
    EXPECT_TRUE(loop_.until([&] { return status.has_value(); }));
    return status.value_or(absl::DeadlineExceededError("no answer"));
  }

  std::vector<std::string> started_;
};

}  // namespace swarm::runtime

#include "fixture.h"

#include "base/check.h"
#include "cli/program.h"
#include "cli/spec_text.h"

namespace swarm::cli {

namespace {

// Lets a command own its client while the test keeps the swarm.
class Borrowed : public api::Client {
 public:
  explicit Borrowed(FakeSwarm& swarm) : swarm_(swarm) {}

  Result<api::LocalNode::Info> info() override { return swarm_.info(); }
  Result<api::LocalNode::Initialized> init(const api::LocalNode::InitOptions& options) override {
    return swarm_.init(options);
  }
  Result<model::Role> join(const api::LocalNode::JoinOptions& options) override {
    return swarm_.join(options);
  }
  Status leave(bool force) override { return swarm_.leave(force); }
  Result<api::LocalNode::BackedUp> backup(const std::string& file) override {
    return swarm_.backup(file);
  }
  Result<api::LocalNode::Initialized> restore(
      const api::LocalNode::RestoreOptions& options) override {
    return swarm_.restore(options);
  }
  Result<SwarmView> inspect_swarm() override { return swarm_.inspect_swarm(); }
  Result<JoinToken> join_token(model::Role role, bool rotate) override {
    return swarm_.join_token(role, rotate);
  }
  Result<std::vector<NodeView>> list_nodes() override { return swarm_.list_nodes(); }
  Result<NodeView> get_node(const std::string& node) override { return swarm_.get_node(node); }
  Status update_node(const model::NodeId& node, model::Position version,
                     const model::NodeSpec& spec) override {
    return swarm_.update_node(node, version, spec);
  }
  Status remove_node(const std::string& node, bool force) override {
    return swarm_.remove_node(node, force);
  }
  Result<model::ServiceId> create_service(const model::ServiceSpec& spec) override {
    return swarm_.create_service(spec);
  }
  Result<ServiceSummary> get_service(const std::string& service) override {
    return swarm_.get_service(service);
  }
  Result<std::vector<ServiceSummary>> list_services() override { return swarm_.list_services(); }
  Result<model::RevisionNumber> update_service(const model::ServiceId& service,
                                               model::Position version,
                                               const model::ServiceSpec& spec) override {
    return swarm_.update_service(service, version, spec);
  }
  Result<model::RevisionNumber> rollback_service(const std::string& service,
                                                 std::optional<model::RevisionNumber> to) override {
    return swarm_.rollback_service(service, to);
  }
  Status scale_service(const std::string& service, uint64_t replicas) override {
    return swarm_.scale_service(service, replicas);
  }
  Status remove_service(const std::string& service) override {
    return swarm_.remove_service(service);
  }
  Result<std::vector<RevisionView>> history(const std::string& service) override {
    return swarm_.history(service);
  }
  Result<std::vector<TaskView>> list_tasks(const TaskFilter& filter) override {
    return swarm_.list_tasks(filter);
  }

 private:
  FakeSwarm& swarm_;
};

// A test whose swarm never converges must end.
constexpr int kMaxSleeps = 10'000;

}  // namespace

bool FakeClock::sleep(Duration duration) {
  now_ += duration;
  ++sleeps_;
  SWARM_CHECK(sleeps_ < kMaxSleeps, "the wait does not end");
  if (on_sleep) {
    on_sleep(sleeps_);
  }
  return !interrupt_after || sleeps_ < *interrupt_after;
}

Environment Fixture::environment() {
  return {
      .terminal = {.out = out_, .err = err_, .is_interactive = is_interactive, .width = width},
      .clock = clock,
      .version = "0.1.0",
      .connect =
          [this](const std::string& to, Duration within) {
            endpoint = to;
            deadline = within;
            return std::make_unique<Borrowed>(swarm);
          },
      .variable = [this](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      .read_file = [this](const std::string& path) -> Result<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) {
          return absl::NotFoundError("cannot open " + path + ": No such file or directory");
        }
        return found->second;
      },
  };
}

RunResult Fixture::run(const std::string& command_line) {
  const Result<std::vector<std::string>> words = split_shell_words(command_line);
  SWARM_CHECK(words.ok(), command_line);
  Environment environment = this->environment();
  out_.failure = output_failure;
  const int exit_code = cli::run(*words, environment);
  return {.out = out_.take(), .err = err_.take(), .exit_code = exit_code};
}

}  // namespace swarm::cli

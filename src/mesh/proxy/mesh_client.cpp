#include "mesh/proxy/mesh_client.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/asio_loop.h"
#include "base/log.h"
#include "mesh/proxy/mesh_options.h"
#include "platform/local_socket.h"

namespace swarm::mesh {

namespace {

using ErrorCode = boost::system::error_code;

constexpr Duration kReconnect = milliseconds(20);
constexpr Duration kFirstPatience = milliseconds(250);
constexpr Duration kLongestPatience = seconds(15);
// A mesh that lived so long is replaced at once, one that keeps dying more and more slowly.
constexpr Duration kHealthyLife = seconds(10);
// A mesh that is away for longer is a condition of the node. One that is started, or started again,
// answers in a fraction of it.
constexpr Duration kAbsenceLimit = seconds(3);
constexpr Duration kPingPeriod = seconds(1);
constexpr int kPingsToDoubt = 3;
constexpr const char* kSilence = "the mesh does not answer";

}  // namespace

// Done is called once: by the answer or by the timer.
struct MeshClient::Waiter {
  Waiter(EventLoop& loop, Callback callback) : done(std::move(callback)), timer(loop) {}

  void finish() {
    timer.cancel();
    if (done != nullptr) std::exchange(done, nullptr)();
  }

  Callback done;
  TimePoint deadline;
  Timer timer;
};

MeshClient::MeshClient(AsioLoop& loop, Options options, Launch launch)
    : loop_(loop),
      options_(std::move(options)),
      launch_(std::move(launch)),
      leaving_([this](const model::TaskId& task) { finish_if_retired(task); }),
      shut_down_timer_(loop),
      reconnect_timer_(loop),
      absence_timer_(loop),
      ping_timer_(loop),
      patience_(kFirstPatience) {}

MeshClient::~MeshClient() {
  if (channel_ != nullptr) channel_->close();
}

// ---- the connection ----

void MeshClient::start() {
  auto keeper = platform::ListenerKeeper::open(keeper_socket(options_.control_socket));
  if (keeper.ok()) {
    keeper_ = *std::move(keeper);
  } else {
    log::error("listening sockets of the mesh are not kept",
               {{"reason", keeper.status().message()}});
  }
  expect_welcome();
  connect();
}

void MeshClient::expect_welcome() {
  absence_timer_.set_after(kAbsenceLimit, [this] { tell_condition(kSilence); });
}

void MeshClient::ping() {
  if (unanswered_pings_ == kPingsToDoubt) {
    tell_condition(kSilence);
  } else {
    ++unanswered_pings_;
    channel_->send(Ping{});
  }
  ping_timer_.set_after(kPingPeriod, [this] { ping(); });
}

void MeshClient::tell_condition(std::string reason) {
  absence_timer_.cancel();
  if (condition_ == reason || is_shut_down_) return;
  condition_ = std::move(reason);
  if (condition_listener_ != nullptr) condition_listener_(condition_);
  if (condition_.empty() || is_welcome_) return;
  // No mesh, no connections: nobody is to wait for their end.
  for (const auto& [task, waiters] : retiring_) {
    if (leaving_.is_busy_with(task)) continue;
    for (const auto& waiter : waiters) {
      waiter->timer.set_after(Duration{0}, [waiting = waiter.get()] { waiting->finish(); });
    }
  }
}

void MeshClient::launch() {
  const Status started = launch_(anchor_.bind([this](std::string reason) {
    // A mesh that was told to make way may still have the port: that is no news while one serves.
    if (!is_welcome_) tell_condition("the mesh does not run: " + reason);
  }));
  if (started.ok()) {
    log::info("mesh process started");
    return;
  }
  log::error("mesh process could not be started", {{"reason", started.message()}});
  tell_condition("the mesh does not run: " + std::string(started.message()));
}

void MeshClient::connect() {
  is_connecting_ = true;
  auto socket = std::make_shared<Socket>(loop_.context());
  socket->async_connect(options_.control_socket.string(),
                        anchor_.bind([this, socket](ErrorCode error) {
                          is_connecting_ = false;
                          if (error) {
                            on_connect_failed();
                          } else {
                            on_connected(std::move(*socket));
                          }
                        }));
}

void MeshClient::on_connect_failed() {
  if (is_shut_down_) {
    finish_shut_down();
    return;
  }
  left_pid_ = 0;
  if (loop_.now() >= next_launch_) {
    launch();
    next_launch_ = loop_.now() + patience_;
    patience_ = std::min(patience_ * 2, kLongestPatience);
  }
  reconnect_after(kReconnect);
}

void MeshClient::on_connected(Socket socket) {
  pid_ = platform::peer_of(socket.native_handle());
  if (pid_ != 0 && pid_ == left_pid_) {
    if (is_shut_down_) {
      finish_shut_down();  // it was told on its own connection
      return;
    }
    reconnect_after(kReconnect);  // it has not left the control socket yet
    return;
  }
  if (auto process = platform::identify_process(pid_); process.ok()) {
    process_ = *std::move(process);
  }
  channel_ = std::make_shared<ControlChannel>(std::move(socket));
  channel_->start({anchor_.bind([this](ControlMessage message) { on_message(std::move(message)); }),
                   anchor_.bind([this] { on_closed(); })});
  if (is_shut_down_) {
    channel_->send(Shutdown{});
  } else {
    channel_->send(Hello{kControlProtocol, options_.swarm, options_.node});
  }
}

void MeshClient::on_closed() {
  channel_ = nullptr;
  ping_timer_.cancel();
  answered_.clear();
  const bool was_healthy = is_welcome_ && loop_.now() - welcomed_at_ >= kHealthyLife;
  is_welcome_ = false;
  if (was_healthy) {
    next_launch_ = TimePoint{};
    patience_ = kFirstPatience;
  }
  if (is_shut_down_) {
    finish_shut_down();
    return;
  }
  log::warning("mesh process is gone");
  if (condition_.empty()) expect_welcome();
  reconnect_after(kReconnect);
}

void MeshClient::reconnect_after(Duration delay) {
  reconnect_timer_.set_after(delay, [this] { connect(); });
}

void MeshClient::shut_down(Callback done) {
  is_shut_down_ = true;
  keeper_ = nullptr;
  leaving_.send(Shutdown{});
  reconnect_timer_.cancel();
  absence_timer_.cancel();
  on_shut_down_ = std::move(done);
  shut_down_timer_.set_after(kShutDownLimit, [this] {
    log::warning("mesh process does not end");
    finish_shut_down();
  });
  if (channel_ != nullptr) {
    channel_->send(Shutdown{});
  } else if (!is_connecting_) {
    connect();
  }
}

void MeshClient::finish_shut_down() {
  shut_down_timer_.cancel();
  if (on_shut_down_ != nullptr) std::exchange(on_shut_down_, nullptr)();
}

void MeshClient::send(const ControlMessage& message) {
  if (is_welcome_) channel_->send(message);
  leaving_.send(message);
}

// ---- what the mesh says ----

void MeshClient::on_message(ControlMessage message) {
  unanswered_pings_ = 0;
  if (is_welcome_) tell_condition("");
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    on_welcome(*welcome);
  } else if (const auto* retired = std::get_if<Retired>(&message)) {
    on_retired(retired->task);
  } else if (const auto* problems = std::get_if<Problems>(&message)) {
    on_problems(*problems);
  }
}

void MeshClient::on_welcome(const Welcome& welcome) {
  if (welcome.swarm != options_.swarm || welcome.node != options_.node) {
    log::warning("mesh of another swarm is replaced", {{"swarm", welcome.swarm.value()}});
    channel_->send(Shutdown{});
    return;  // it closes; then the search begins again
  }
  const bool is_understood = welcome.protocol == kControlProtocol;
  if (keeper_ != nullptr && (!is_understood || platform::is_of_other_build(pid_))) {
    replace_mesh(is_understood);
    return;
  }
  if (!is_understood) {
    log::warning("mesh of another version is replaced", {{"protocol", welcome.protocol}});
    channel_->send(Shutdown{});
    return;
  }
  is_welcome_ = true;
  tell_condition("");
  ping();
  welcomed_at_ = loop_.now();
  if (credentials_.has_value()) send(*credentials_);
  if (table_.has_value()) send(*table_);
  for (const auto& [id, task] : admitted_) {
    send(Admit{task});
  }
  for (const auto& [task, waiters] : retiring_) {
    // The latest word counts.
    send(Retire{task, std::max(waiters.back()->deadline - loop_.now(), Duration{0})});
  }
}

void MeshClient::replace_mesh(bool is_understood) {
  log::info("mesh of another build makes way", {{"pid", pid_}});
  const std::shared_ptr<ControlChannel> channel = std::exchange(channel_, nullptr);
  ping_timer_.cancel();
  if (is_understood) {
    leaving_.add(channel);
  } else {
    channel->close();
  }
  left_pid_ = pid_;
  keeper_->ask_to_yield(pid_);
  next_launch_ = TimePoint{};
  reconnect_after(kReconnect);
}

void MeshClient::on_retired(const model::TaskId& task) {
  answered_.insert(task);
  finish_if_retired(task);
}

void MeshClient::finish_if_retired(const model::TaskId& task) {
  if (!answered_.contains(task) || leaving_.is_busy_with(task)) return;
  answered_.erase(task);
  finish_waiters(task);
}

void MeshClient::finish_waiters(const model::TaskId& task) {
  auto answered = retiring_.extract(task);
  if (answered.empty()) return;
  for (const auto& waiter : answered.mapped()) {
    waiter->finish();
  }
}

void MeshClient::on_problems(const Problems& problems) {
  PortReport report;
  report.table = problems.table;
  report.problems.reserve(problems.issues.size());
  for (const PortIssue& issue : problems.issues) {
    report.problems.push_back({issue.service, issue.port, issue.error});
  }
  if (port_listener_ != nullptr) port_listener_(report);
}

// ---- what is wanted ----

void MeshClient::set_credentials(Credentials credentials) {
  credentials_ = std::move(credentials);
  send(*credentials_);
}

void MeshClient::set_table(const model::MeshTable& table) {
  if (table_.has_value() && table.position < table_->position) return;
  table_ = table;
  send(*table_);
}

void MeshClient::admit(const model::TaskId& task, const model::ServiceId& service,
                       const std::vector<agent::TaskAddress>& addresses) {
  LocalTask admitted{task, service, {}};
  for (const agent::TaskAddress& address : addresses) {
    admitted.addresses.push_back({address.target, address.address});
  }
  // Whoever waited for its end waits no more.
  answered_.erase(task);
  finish_waiters(task);
  send(Admit{admitted});
  admitted_.insert_or_assign(task, std::move(admitted));
}

void MeshClient::retire(const model::TaskId& task, Duration timeout,
                        absl::AnyInvocable<void()> done) {
  admitted_.erase(task);
  answered_.erase(task);
  auto waiter = std::make_unique<Waiter>(loop_, std::move(done));
  // Not within the call, even with no time to wait.
  Waiter* waiting = waiter.get();
  // No mesh, no connections; one that makes way may have some.
  const bool may_have_some = is_welcome_ || condition_.empty() || leaving_.is_busy_with(task);
  const Duration limit = may_have_some ? timeout : Duration{0};
  waiter->deadline = loop_.now() + limit;
  waiter->timer.set_after(limit, [waiting] { waiting->finish(); });
  retiring_[task].push_back(std::move(waiter));
  send(Retire{task, timeout});
}

void MeshClient::set_port_listener(absl::AnyInvocable<void(const PortReport&)> listener) {
  port_listener_ = std::move(listener);
}

void MeshClient::set_condition_listener(
    absl::AnyInvocable<void(const std::string& reason)> listener) {
  condition_listener_ = std::move(listener);
}

}  // namespace swarm::mesh

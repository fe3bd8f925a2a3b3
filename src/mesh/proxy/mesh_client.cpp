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
      reconnect_timer_(loop),
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
  connect();
}

void MeshClient::connect() {
  auto socket = std::make_shared<Socket>(loop_.context());
  socket->async_connect(options_.control_socket.string(),
                        anchor_.bind([this, socket](ErrorCode error) {
                          if (error) {
                            on_connect_failed();
                          } else {
                            on_connected(std::move(*socket));
                          }
                        }));
}

void MeshClient::on_connect_failed() {
  if (is_shut_down_) return;
  left_pid_ = 0;
  if (loop_.now() >= next_launch_) {
    const Status started = launch_();
    if (started.ok()) {
      log::info("mesh process started");
    } else {
      log::error("mesh process could not be started", {{"reason", started.message()}});
    }
    next_launch_ = loop_.now() + patience_;
    patience_ = std::min(patience_ * 2, kLongestPatience);
  }
  reconnect_after(kReconnect);
}

void MeshClient::on_connected(Socket socket) {
  pid_ = platform::peer_of(socket.native_handle());
  if (pid_ != 0 && pid_ == left_pid_) {
    reconnect_after(kReconnect);  // it has not left the control socket yet
    return;
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
  answered_.clear();
  const bool was_healthy = is_welcome_ && loop_.now() - welcomed_at_ >= kHealthyLife;
  is_welcome_ = false;
  if (was_healthy) {
    next_launch_ = TimePoint{};
    patience_ = kFirstPatience;
  }
  if (is_shut_down_) {
    if (on_shut_down_ != nullptr) std::exchange(on_shut_down_, nullptr)();
    return;
  }
  log::warning("mesh process is gone");
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
  if (channel_ == nullptr) {
    loop_.post(std::move(done));
    return;
  }
  on_shut_down_ = std::move(done);
  channel_->send(Shutdown{});
}

void MeshClient::send(const ControlMessage& message) {
  if (is_welcome_) channel_->send(message);
  leaving_.send(message);
}

// ---- what the mesh says ----

void MeshClient::on_message(ControlMessage message) {
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
  std::vector<PortProblem> converted;
  converted.reserve(problems.issues.size());
  for (const PortIssue& issue : problems.issues) {
    converted.push_back({issue.service, issue.port, issue.error});
  }
  if (listener_ != nullptr) listener_(converted);
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
  waiter->deadline = loop_.now() + timeout;
  waiter->timer.set_after(timeout, [waiting] { waiting->finish(); });
  retiring_[task].push_back(std::move(waiter));
  send(Retire{task, timeout});
}

void MeshClient::set_problem_listener(
    absl::AnyInvocable<void(const std::vector<PortProblem>&)> listener) {
  listener_ = std::move(listener);
}

}  // namespace swarm::mesh

#include "mesh/proxy/port_listeners.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "mesh/proxy/entry_session.h"

namespace swarm::mesh {

namespace {

constexpr Duration kBusyRetry = seconds(1);

}  // namespace

PortListeners::PortListeners(std::shared_ptr<MeshNode> node, platform::ListenerLoan& loan,
                             boost::asio::ip::address address, OnIssues on_issues)
    : node_(std::move(node)),
      loan_(loan),
      address_(std::move(address)),
      on_issues_(std::move(on_issues)),
      timer_(node_->context),
      unclaimed_timer_(node_->context) {}

void PortListeners::yield() {
  has_yielded_ = true;
  timer_.cancel();
  unclaimed_timer_.cancel();
  for (const auto& [port, acceptor] : open_) {
    acceptor->close();
  }
  open_.clear();
}

void PortListeners::update() {
  if (has_yielded_) return;
  PortPlan plan = node_->routing.plan(wanted_, node_->now());
  wanted_ = std::move(plan.open);
  close_unwanted();
  bool is_any_busy = false;
  open_missing(plan.issues, is_any_busy);
  schedule(is_any_busy);
  if (plan.issues != issues_) {
    issues_ = std::move(plan.issues);
    on_issues_(issues_);
  }
}

// A port of `host` mode is planned only once a task is admitted, which comes after the table. Its
// clients wait as they would after the last task has left.
void PortListeners::drop_unclaimed() {
  if (has_yielded_) return;
  std::set<std::string> published;
  for (const model::MeshService& service : node_->routing.table().services) {
    for (const model::PublishedPort& port : service.ports) {
      published.insert(name_of(port.published));
    }
  }
  loan_.drop_all_but(published);
  if (std::exchange(is_unclaimed_timed_, true)) return;
  unclaimed_timer_.expires_after(node_->timeouts.hold);
  unclaimed_timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) self->loan_.drop_all_but({});
  });
}

void PortListeners::close_unwanted() {
  std::erase_if(open_, [this](const auto& entry) {
    const bool is_unwanted = !wanted_.contains(entry.first);
    if (is_unwanted) {
      loan_.closed(name_of(entry.first));
      entry.second->close();
    }
    return is_unwanted;
  });
}

std::string PortListeners::name_of(uint16_t port) const {
  return absl::StrCat(address_.to_string(), " ", port);
}

// The listener of a mesh that has ended may have clients that wait.
Result<std::shared_ptr<platform::TcpAcceptor>> PortListeners::open(uint16_t port) {
  auto on_client = [weak = weak_from_this(), port](Tcp::socket client) {
    if (const auto self = weak.lock()) self->accept(port, std::move(client));
  };
  std::optional<platform::TcpHandle> kept = loan_.take(name_of(port));
  Result<std::shared_ptr<platform::TcpAcceptor>> acceptor =
      kept.has_value()
          ? platform::TcpAcceptor::adopt(node_->context, *std::move(kept), std::move(on_client))
          : platform::TcpAcceptor::open(node_->context, {address_, port}, std::move(on_client));
  if (acceptor.ok()) loan_.opened(name_of(port), (*acceptor)->native_handle());
  return acceptor;
}

void PortListeners::open_missing(std::vector<PortIssue>& issues, bool& is_any_busy) {
  for (const auto& [number, wanted] : wanted_) {
    if (open_.contains(number)) continue;
    auto acceptor = open(number);
    if (acceptor.ok()) {
      open_.emplace(number, *std::move(acceptor));
      continue;
    }
    is_any_busy = true;
    issues.push_back({wanted.key.service, wanted.port,
                      absl::StrCat("port ", port_text(wanted.port), " on ", address_.to_string(),
                                   " ", acceptor.status().message())});
  }
}

void PortListeners::accept(uint16_t port, Tcp::socket client) {
  const auto wanted = wanted_.find(port);
  if (wanted == wanted_.end()) return;
  std::make_shared<EntrySession>(node_, wanted->second.key, std::move(client))->start();
}

void PortListeners::schedule(bool is_any_busy) {
  const TimePoint now = node_->now();
  TimePoint next = node_->routing.next_plan_change(now);
  if (is_any_busy) next = std::min(next, now + kBusyRetry);
  timer_.cancel();
  if (next == TimePoint::max()) return;
  timer_.expires_after(next - now);
  timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) self->update();
  });
}

}  // namespace swarm::mesh

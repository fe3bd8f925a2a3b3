#include "mesh/proxy/port_listeners.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "mesh/proxy/entry_session.h"

namespace swarm::mesh {

namespace {

constexpr Duration kBusyRetry = seconds(1);

}  // namespace

PortListeners::PortListeners(std::shared_ptr<MeshNode> node, boost::asio::ip::address address,
                             OnIssues on_issues)
    : node_(std::move(node)),
      address_(std::move(address)),
      on_issues_(std::move(on_issues)),
      timer_(node_->context) {}

void PortListeners::update() {
  PortPlan plan = node_->routing.plan(wanted_, node_->now());
  wanted_ = std::move(plan.open);
  std::erase_if(open_, [this](const auto& entry) {
    const bool is_unwanted = !wanted_.contains(entry.first);
    if (is_unwanted) entry.second->close();
    return is_unwanted;
  });
  bool is_any_busy = false;
  open_missing(plan.issues, is_any_busy);
  schedule(is_any_busy);
  if (plan.issues != issues_) {
    issues_ = std::move(plan.issues);
    on_issues_(issues_);
  }
}

void PortListeners::open_missing(std::vector<PortIssue>& issues, bool& is_any_busy) {
  for (const auto& [number, wanted] : wanted_) {
    if (open_.contains(number)) continue;
    auto acceptor =
        platform::TcpAcceptor::open(node_->context, {address_, number},
                                    [weak = weak_from_this(), port = number](Tcp::socket client) {
                                      if (const auto self = weak.lock())
                                        self->accept(port, std::move(client));
                                    });
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

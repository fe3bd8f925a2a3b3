#include "agent/node_reporter.h"

#include <algorithm>
#include <utility>

namespace swarm::agent {

NodeReporter::NodeReporter(EventLoop& loop, Send send)
    : loop_(loop), send_(std::move(send)), timer_(loop_) {}

void NodeReporter::set_condition(model::ConditionKind kind, std::string reason) {
  const auto found = reasons_.find(kind);
  if ((found == reasons_.end() ? "" : found->second) == reason) {
    return;
  }
  if (reason.empty()) {
    reasons_.erase(kind);
  } else {
    reasons_[kind] = std::move(reason);
  }
  send_soon();
}

void NodeReporter::set_ports(const MeshControl::PortReport& ports) {
  std::vector<model::ClosedPort> closed;
  for (const MeshControl::PortProblem& problem : ports.problems) {
    closed.push_back({problem.service, problem.port, problem.error});
  }
  std::sort(closed.begin(), closed.end());
  if (closed.size() > model::kMaxClosedPorts) {
    closed.resize(model::kMaxClosedPorts);
  }
  opened_ = ports.table;
  const bool is_expected = expected_ != 0 && opened_ >= expected_;
  if (is_expected) {
    expected_ = 0;
  }
  if (is_expected || closed != closed_ports_) {
    closed_ports_ = std::move(closed);
    send_soon();
  }
}

void NodeReporter::note_table(const model::MeshTable& table) {
  std::map<model::ServiceId, std::vector<model::PublishedPort>> ports;
  for (const model::MeshService& service : table.services) {
    ports[service.service] = service.ports;
  }
  if (std::exchange(is_first_table_, false) || ports != ports_) {
    ports_ = std::move(ports);
    expected_ = table.position;
  }
}

void NodeReporter::connected() {
  is_connected_ = true;
  is_first_table_ = true;
  flush();
}

void NodeReporter::disconnected() {
  is_connected_ = false;
  timer_.cancel();
}

void NodeReporter::send_soon() {
  if (is_connected_ && !timer_.is_set()) {
    timer_.set_after(kNodeReportDelay, [this] { flush(); });
  }
}

void NodeReporter::flush() {
  timer_.cancel();
  model::NodeReport report;
  for (const auto& [kind, reason] : reasons_) {
    report.conditions.push_back({kind, reason, {}});
  }
  report.closed_ports = closed_ports_;
  report.ports_as_of = opened_;
  send_(std::move(report));
}

}  // namespace swarm::agent

#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mesh/port_plan.h"
#include "mesh/proxy/mesh_node.h"
#include "platform/listener_keeper.h"
#include "platform/tcp_acceptor.h"

namespace swarm::mesh {

// Keeps exactly the planned published ports open on the node's data address, and says which could
// not be. A busy port is tried again every second. A port whose service changes is not closed
// between. On the loop of the mesh.
class PortListeners : public std::enable_shared_from_this<PortListeners> {
 public:
  using OnIssues = absl::AnyInvocable<void(const std::vector<PortIssue>&)>;

  // `loan` outlives the listeners: they are taken from there, and kept there.
  PortListeners(std::shared_ptr<MeshNode> node, platform::ListenerLoan& loan,
                boost::asio::ip::address address, OnIssues on_issues);

  // Whenever the routing has changed.
  void update();
  const std::vector<PortIssue>& issues() const { return issues_; }
  // Of the listeners of an earlier mesh that are not in use: lets go of those whose ports are not
  // published any more, and of the others once their tasks have had the time to be admitted again.
  void drop_unclaimed();
  // Another mesh has them: nothing is opened any more.
  void yield();

 private:
  void open_missing(std::vector<PortIssue>& issues, bool& is_any_busy);
  void close_unwanted();
  Result<std::shared_ptr<platform::TcpAcceptor>> open(uint16_t port);
  std::string name_of(uint16_t port) const;
  void accept(uint16_t port, Tcp::socket client);
  void schedule(bool is_any_busy);

  const std::shared_ptr<MeshNode> node_;
  platform::ListenerLoan& loan_;
  const boost::asio::ip::address address_;
  OnIssues on_issues_;
  std::map<uint16_t, OpenPort> wanted_;
  std::map<uint16_t, std::shared_ptr<platform::TcpAcceptor>> open_;
  std::vector<PortIssue> issues_;
  bool has_yielded_ = false;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer unclaimed_timer_;
  bool is_unclaimed_timed_ = false;
};

}  // namespace swarm::mesh

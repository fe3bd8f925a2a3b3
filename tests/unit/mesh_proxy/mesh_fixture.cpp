#include "mesh_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "security/tls/certificate_authority.h"

namespace swarm::mesh::test {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "mesh-XXXXXX").string();
  SWARM_CHECK(::mkdtemp(pattern.data()) != nullptr, "no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

namespace {

WallTime wall_now() {
  return WallTime(std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace

Authority::Authority(std::string swarm) : swarm_(std::move(swarm)) {
  const auto root = security::make_root(model::SwarmId(swarm_), wall_now()).value();
  certificate_ = root.certificate;
  key_ = root.key;
}

Credentials Authority::issue(const std::string& node) const {
  const std::string key = security::make_key().value();
  const std::string request = security::make_request(key).value();
  const security::PeerIdentity identity{model::NodeId(node), model::Role::worker,
                                        model::SwarmId(swarm_)};
  return {certificate_, security::sign(request, {certificate_, key_}, identity, wall_now()).value(),
          key};
}

MeshProcess::MeshProcess(const MeshOptions& options) : loop_(std::make_unique<AsioLoop>("mesh")) {
  auto server = MeshServer::start(*loop_, options, [this] {
    was_shut_down_ = true;
    loop_->context().stop();
  });
  status_ = server.status();
  if (server.ok()) {
    server_ = *std::move(server);
    loop_->start();
  }
}

void MeshProcess::kill() {
  if (loop_ == nullptr) return;
  loop_->stop();
  server_.reset();
  loop_.reset();
}

Node::Node(const NodeSetup& setup) : setup_(setup) {
  options_.control_socket = folder_.path() / "mesh.sock";
  options_.swarm = model::SwarmId(setup.swarm);
  options_.node = model::NodeId(setup.id);
  options_.data_address = setup.host;
  options_.peer_address =
      setup.peer_address.empty() ? free_address(setup.host) : setup.peer_address;
  options_.timeouts = setup.timeouts;
  start_swarmd();
}

Node::~Node() {
  kill_swarmd();
  kill_mesh();
}

void Node::run(Callback callback) {
  std::promise<void> ran;
  loop_->post([&] {
    callback();
    ran.set_value();
  });
  ran.get_future().wait();
}

Status Node::launch() {
  ++launches_;
  const std::lock_guard lock(mutex_);
  mesh_.reset();
  mesh_ = std::make_unique<MeshProcess>(options_);
  return mesh_->status();
}

void Node::start_swarmd() {
  loop_ = std::make_unique<AsioLoop>("swarmd");
  const MeshClient::Options options{options_.control_socket, options_.swarm, options_.node};
  client_ = std::make_unique<MeshClient>(*loop_, options,
                                         [this](MeshClient::Failed) { return launch(); });
  client_->set_port_listener([this](const auto& report) { ports_ = report; });
  client_->set_condition_listener([this](const auto& reason) { condition_ = reason; });
  loop_->start();
  run([this] { client_->start(); });
}

void Node::kill_swarmd() {
  if (loop_ == nullptr) return;
  loop_->stop();
  client_.reset();
  loop_.reset();
}

bool Node::is_connected() {
  bool is_connected = false;
  run([&] { is_connected = client_->is_connected(); });
  return is_connected;
}

bool Node::keeps_listeners() {
  bool keeps = false;
  run([&] { keeps = client_->keeps_listeners(); });
  return keeps;
}

void Node::set_credentials(const Credentials& credentials) {
  run([&] { client_->set_credentials(credentials); });
}

void Node::set_table(const model::MeshTable& table) {
  run([&] { client_->set_table(table); });
}

void Node::admit(const std::string& task, const std::string& address, const std::string& service) {
  run([&] { client_->admit(model::TaskId(task), model::ServiceId(service), {{80, address}}); });
}

std::shared_future<void> Node::retire(const std::string& task, Duration timeout) {
  auto done = std::make_shared<std::promise<void>>();
  run([&] { client_->retire(model::TaskId(task), timeout, [done] { done->set_value(); }); });
  return done->get_future().share();
}

bool Node::settle() {
  return await_done(retire("nobody"));
}

std::shared_future<void> Node::shut_down() {
  auto done = std::make_shared<std::promise<void>>();
  run([&] { client_->shut_down([done] { done->set_value(); }); });
  return done->get_future().share();
}

std::vector<agent::MeshControl::PortProblem> Node::problems() {
  return ports().problems;
}

agent::MeshControl::PortReport Node::ports() {
  agent::MeshControl::PortReport report;
  run([&] { report = ports_; });
  return report;
}

std::string Node::condition() {
  std::string reason;
  run([&] { reason = condition_; });
  return reason;
}

void Node::kill_mesh() {
  const std::lock_guard lock(mutex_);
  mesh_.reset();
}

bool Node::was_mesh_shut_down() {
  const std::lock_guard lock(mutex_);
  return mesh_ != nullptr && mesh_->was_shut_down();
}

bool is_done(const std::shared_future<void>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

bool await_done(const std::shared_future<void>& future) {
  return future.wait_for(std::chrono::seconds(kPatienceSeconds)) == std::future_status::ready;
}

model::MeshTable web_table(model::Position position, uint16_t published,
                           std::vector<model::Endpoint> endpoints, model::PublishMode mode) {
  return {position,
          {{model::ServiceId("web"),
            "web",
            {{80, published, model::PortProtocol::tcp, mode}},
            std::move(endpoints)}},
          {}};
}

model::Endpoint endpoint(const std::string& task, const Node& node, model::EndpointState state) {
  return {model::TaskId(task), model::NodeId(node.id()), node.peer_address(), state};
}

uint16_t port_of(const std::string& address) {
  return static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

Load::Load(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    for (const bool keep : {false, true}) {
      std::atomic<size_t>& count = *counts_.emplace_back(std::make_unique<std::atomic<size_t>>(0));
      threads_.emplace_back([this, address, keep, &count] { ask(address, keep, count); });
    }
  }
}

void Load::ask(const std::string& address, bool keep, std::atomic<size_t>& count) {
  std::optional<Connection> connection;
  while (!is_stopped_) {
    if (!connection.has_value()) connection.emplace(address);
    const auto answer = connection->is_open() ? connection->get("/", keep) : std::nullopt;
    ++(answer.has_value() ? answered_ : failed_);
    ++count;
    if (!keep || !answer.has_value()) connection.reset();
  }
}

void Load::stop() {
  is_stopped_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool Load::await_more() {
  std::vector<size_t> before;
  for (const auto& count : counts_) before.push_back(*count);
  return await([&] {
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (*counts_[i] < before[i] + 2) return false;
    }
    return true;
  });
}

}  // namespace swarm::mesh::test

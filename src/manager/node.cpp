#include "manager/node.h"

#include <future>
#include <utility>

#include "api/server.h"
#include "base/log.h"
#include "manager/left_membership.h"
#include "platform/file_system.h"
#include "platform/host.h"
#include "platform/local_socket.h"
#include "security/tls/certificate.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

struct Node::Lock {
  std::unique_ptr<platform::FileLock> file;
};

Node::Node(NodeOptions options, FileSystem& files)
    : options_(std::move(options)), files_(files), random_(Random::from_system()) {}

Node::~Node() {
  stop();
}

namespace {

// What kept the daemon from its state folder, with the cure.
Status explain_state_folder(const Status& status, const NodeOptions& options) {
  if (status.ok()) {
    return status;
  }
  const std::string cure = absl::IsPermissionDenied(status)
                               ? "run swarmd as root, or choose another folder with --state-dir"
                               : "choose another folder with --state-dir";
  return Status(status.code(), "the state folder " + options.state_directory.string() +
                                   " cannot be used (" + std::string(status.message()) +
                                   "): " + cure);
}

}  // namespace

Result<std::unique_ptr<Node>> Node::open(NodeOptions options, FileSystem& files) {
  const std::filesystem::path lock_path = options.state_directory / "lock";
  SWARM_RETURN_IF_ERROR(
      explain_state_folder(files.make_directories(options.state_directory), options));
  Result<std::unique_ptr<platform::FileLock>> lock = platform::lock_file(lock_path);
  if (!absl::IsFailedPrecondition(lock.status())) {
    SWARM_RETURN_IF_ERROR(explain_state_folder(lock.status(), options));
  } else {
    return absl::FailedPreconditionError("another swarmd uses the state folder " +
                                         options.state_directory.string() +
                                         ": stop it, or choose another folder with --state-dir (" +
                                         std::string(lock.status().message()) + ")");
  }
  std::unique_ptr<Node> node(new Node(std::move(options), files));
  node->lock_ = std::make_unique<Lock>(Lock{*std::move(lock)});
  return node;
}

Status Node::start() {
  std::promise<Status> resumed;
  lifecycle_.start();
  is_started_ = true;
  lifecycle_.post([&] { resumed.set_value(resume()); });
  SWARM_RETURN_IF_ERROR(resumed.get_future().get());
  SWARM_RETURN_IF_ERROR(platform::make_socket_folder(options_.socket.parent_path()));
  // Last: whoever is answered finds the node in the role it has.
  SWARM_ASSIGN_OR_RETURN(local_server_, api::Server::listen_local(*this, options_.socket, [this] {
                           return credentials();
                         }));
  return absl::OkStatus();
}

void Node::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  local_server_.reset();
  if (is_started_) {
    std::promise<void> done;
    lifecycle_.post([&] {
      renewal_.cancel();
      if (agent_ != nullptr) {
        agent_->announce_restart();
      }
      agent_.reset();
      stop_server();
      stop_manager();
      done.set_value();
    });
    done.get_future().wait();
    lifecycle_.stop();
  }
}

// ---- api::LocalNode ----

api::LocalNode::Info Node::info() const {
  Info info;
  info.version = options_.version;
  info.hostname = platform::host_name();
  const std::scoped_lock lock(mutex_);
  info.runtime = record_.runtime.empty() ? options_.agent.runtime : record_.runtime;
  info.is_member = credentials_ != nullptr;
  info.node = record_.node;
  info.swarm = record_.swarm;
  info.role = record_.role;
  info.notice = notice_;
  info.advertise_address = record_.advertise_address;
  info.manager_refusal = manager_refusal_;
  info.membership_fault = membership_fault_;
  if (gateway_ != nullptr) {
    const api::Gateway::Leader leader = gateway_->leader();
    info.is_leader = leader.is_self;
    info.leader_address = leader.address;
  }
  return info;
}

void Node::init(InitOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) {
  lifecycle_.post([this, options = std::move(options), done = std::move(done)]() mutable {
    done(options.force_new_cluster ? force_new_cluster(options) : init_here(options));
  });
}

void Node::join(JoinOptions options, absl::AnyInvocable<void(Result<model::Role>)> done) {
  lifecycle_.post([this, options = std::move(options), done = std::move(done)]() mutable {
    done(join_here(options));
  });
}

void Node::leave(bool force, absl::AnyInvocable<void(Status)> done) {
  lifecycle_.post([this, force, done = std::move(done)]() mutable { done(leave_here(force)); });
}

void Node::backup(std::string file, absl::AnyInvocable<void(Result<BackedUp>)> done) {
  lifecycle_.post([this, file = std::move(file), done = std::move(done)]() mutable {
    done(backup_here(file));
  });
}

void Node::restore(RestoreOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) {
  lifecycle_.post([this, options = std::move(options), done = std::move(done)]() mutable {
    done(restore_here(options));
  });
}

std::shared_ptr<api::Gateway> Node::gateway() {
  const std::scoped_lock lock(mutex_);
  return gateway_;
}

std::shared_ptr<const security::NodeCredentials> Node::credentials() const {
  const std::scoped_lock lock(mutex_);
  return credentials_;
}

NodeRecord Node::record() const {
  const std::scoped_lock lock(mutex_);
  return record_;
}

// ---- lifecycle loop ----

namespace {

// The three things that say whose node this is must agree: a state folder put together from two is
// refused before anything acts on it.
Status check_consistent(const NodeRecord& record, const security::NodeCredentials& credentials,
                        const std::filesystem::path& directory) {
  SWARM_ASSIGN_OR_RETURN(const security::PeerIdentity identity,
                         security::identity_of(credentials.certificate));
  if (identity.node == record.node && identity.swarm == record.swarm) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      "the state folder " + directory.string() + " mixes two memberships: its record is of node " +
      record.node.value() + " in swarm " + record.swarm.value() + ", its certificate of node " +
      identity.node.value() + " in swarm " + identity.swarm.value());
}

}  // namespace

Result<Node::Membership> Node::load_membership() {
  const std::filesystem::path& directory = options_.state_directory;
  Membership found;
  SWARM_ASSIGN_OR_RETURN(found.record, load_node_record(files_, directory));
  Result<security::NodeCredentials> credentials = security::load_credentials(files_, directory);
  if (absl::IsNotFound(credentials.status())) {
    return absl::DataLossError((directory / "node.pem").string() + " is missing");
  }
  SWARM_RETURN_IF_ERROR(credentials.status());
  found.credentials = *std::move(credentials);
  SWARM_RETURN_IF_ERROR(check_consistent(found.record, found.credentials, directory));
  return found;
}

Status Node::resume() {
  Result<Membership> found = load_membership();
  if (absl::IsNotFound(found.status())) {
    const std::string left = left_of_a_membership(files_, options_.state_directory);
    if (left.empty() || is_unfinished(files_, options_.state_directory)) {
      recall_removal();
      return clear_membership();
    }
    found = absl::DataLossError((options_.state_directory / "node").string() +
                                " is missing, although there is " + left);
  }
  if (!found.ok()) {
    refuse_to_work(found.status());
    return absl::OkStatus();
  }
  SWARM_RETURN_IF_ERROR(remove_mark(files_, options_.state_directory));
  NodeRecord record = std::move(found->record);
  SWARM_RETURN_IF_ERROR(resume_runtime(record));
  adopt(record, std::move(found->credentials));
  if (record.role == model::Role::manager) {
    SWARM_RETURN_IF_ERROR(start_server(record));
    const Status started = start_manager(record, {});
    if (absl::IsDataLoss(started)) {
      refuse_to_serve(started);
    } else {
      SWARM_RETURN_IF_ERROR(started);
    }
  }
  return start_agent(record);
}

Result<RuntimeChoice> Node::decide_runtime() const {
  const AgentRoleOptions& agent = options_.agent;
  SWARM_ASSIGN_OR_RETURN(const std::vector<std::string> sockets,
                         engine_sockets(agent.docker_socket, platform::environment("DOCKER_HOST"),
                                        platform::environment("XDG_RUNTIME_DIR")));
  RuntimeChoice choice = choose_runtime(agent.runtime, sockets, &probe_engine);
  log::info("runtime decided", {{"runtime", choice.runtime}, {"reason", choice.reason}});
  return choice;
}

// A socket that is named now holds from now on: an engine may move, its containers with it.
Status Node::resume_runtime(NodeRecord& record) {
  const NodeRecord kept = record;
  if (record.runtime.empty()) {
    SWARM_ASSIGN_OR_RETURN(const RuntimeChoice choice, decide_runtime());
    record_runtime(choice, &record);
  }
  SWARM_RETURN_IF_ERROR(check_runtime(options_.agent.runtime, record.runtime));
  if (record.runtime == "docker" && !options_.agent.docker_socket.empty()) {
    SWARM_ASSIGN_OR_RETURN(const std::vector<std::string> sockets,
                           engine_sockets(options_.agent.docker_socket, "", ""));
    record.engine = sockets.front();
  }
  return record == kept ? absl::OkStatus()
                        : save_node_record(files_, options_.state_directory, record);
}

void Node::adopt(NodeRecord record, security::NodeCredentials credentials) {
  log::set_context("self", record.node.value());
  {
    const std::scoped_lock lock(mutex_);
    notice_.clear();
    record_ = std::move(record);
    credentials_ = std::make_shared<const security::NodeCredentials>(std::move(credentials));
  }
  schedule_renewal();
}

Status Node::save(const NodeRecord& record) {
  {
    const std::scoped_lock lock(mutex_);
    record_ = record;
  }
  forget_removal();
  return save_node_record(files_, options_.state_directory, record);
}

void Node::remember_managers(const model::ManagerList& managers) {
  NodeRecord changed = record();
  if (managers.addresses.empty() || changed.managers == managers.addresses || agent_ == nullptr) {
    return;
  }
  changed.managers = managers.addresses;
  if (const Status status = save(changed); !status.ok()) {
    log::warning("managers not remembered", {{"error", status.message()}});
  }
}

Status Node::start_server(const NodeRecord& record) {
  SWARM_ASSIGN_OR_RETURN(
      swarm_server_,
      api::Server::listen_network(*this, record.listen_address, [this] { return credentials(); }));
  return absl::OkStatus();
}

void Node::stop_server() {
  swarm_server_.reset();
}

Status Node::start_manager(const NodeRecord& record, ManagerRole::Start start) {
  SWARM_ASSIGN_OR_RETURN(
      manager_, ManagerRole::open(
                    record, options_.state_directory, files_, [this] { return credentials(); },
                    std::move(start), [&] { return find_members(record); },
                    [this](const Status& reason) {
                      lifecycle_.post([this, reason] { refuse_to_serve(reason); });
                    }));
  const std::scoped_lock lock(mutex_);
  gateway_ = manager_->gateway();
  return absl::OkStatus();
}

void Node::stop_manager() {
  {
    const std::scoped_lock lock(mutex_);
    gateway_.reset();
  }
  if (manager_ != nullptr) {
    manager_->stop();
    manager_.reset();
  }
}

Status Node::start_agent(const NodeRecord& record) {
  AgentRole::Handlers handlers;
  handlers.on_managers = [this](const model::ManagerList& managers) {
    lifecycle_.post([this, managers] { remember_managers(managers); });
  };
  handlers.on_role = [this](model::Role role) {
    lifecycle_.post([this, role] { change_role(role); });
  };
  handlers.on_removed = [this, node = record.node] {
    lifecycle_.post([this, node] { leave_removed(node); });
  };
  SWARM_ASSIGN_OR_RETURN(agent_, AgentRole::start(
                                     options_.agent, record, options_.state_directory, files_,
                                     [this] { return credentials(); }, std::move(handlers)));
  agent_->set_manager_refusal(manager_refusal());
  return absl::OkStatus();
}

}  // namespace swarm::manager

// What saves a swarm whose managers were lost: a survivor that goes on alone, and backups.

#include <future>
#include <utility>

#include "base/log.h"
#include "control/recovery.h"
#include "manager/backup_file.h"
#include "manager/data_key_cipher.h"
#include "manager/node.h"
#include "manager/run_on.h"
#include "platform/file_system.h"
#include "platform/host.h"
#include "raft/replica/member_storage.h"
#include "security/tls/credential_files.h"
#include "state/store_contents.h"

namespace swarm::manager {

namespace {

// A quorum answers at once or not at all.
constexpr std::chrono::seconds kQuorumLimit(3);

// The state as it was when the backup was made: proves that a manager will be able to read it, and
// holds what this node must know before it is one.
Result<model::ClusterPtr> cluster_in(const Backup& backup, const std::string& file) {
  const auto damaged = [&file](const std::string& why) {
    return absl::DataLossError("the backup " + file + " cannot be used: " + why +
                               "; use another one");
  };
  state::SnapshotLoader loader;
  for (const std::string& chunk : backup.chunks) {
    if (const Status added = loader.add(chunk); !added.ok()) {
      return damaged(std::string(added.message()));
    }
  }
  const Result<state::StoreContents> contents = loader.finish();
  if (!contents.ok()) {
    return damaged(std::string(contents.status().message()));
  }
  const model::ClusterPtr& cluster = contents->cluster();
  if (cluster == nullptr || cluster->id != backup.header.swarm) {
    return damaged("it does not hold the swarm it says it does");
  }
  return cluster;
}

}  // namespace

// ---- a survivor goes on alone ----

Result<NodeRecord> Node::survivor_record(const InitOptions& options) {
  if (credentials() == nullptr) {
    return not_a_member();
  }
  if (!manager_refusal().empty()) {
    return not_serving();
  }
  if (manager_ == nullptr) {
    return absl::FailedPreconditionError(
        "this node is a worker and holds no state of the swarm: use --force-new-cluster on a "
        "manager that survived, or `swarmctl swarm restore FILE` on a node that is in no swarm");
  }
  NodeRecord changed = record();
  const std::string& listen =
      options.listen_address.empty() ? changed.listen_address : options.listen_address;
  const std::string& advertise =
      options.advertise_address.empty() ? changed.advertise_address : options.advertise_address;
  SWARM_ASSIGN_OR_RETURN(
      const SwarmAddresses addresses,
      choose_addresses({listen, advertise, options.force || options.advertise_address.empty(),
                        options_.agent.mesh_port},
                       MachineNetwork::of_this_machine()));
  changed.listen_address = addresses.listen.text();
  changed.advertise_address = addresses.advertise.text();
  changed.managers = {changed.advertise_address};
  size_t managers = 0;
  run_on(manager_->manager().loop(), [&] {
    for (const auto& [id, node] : manager_->manager().store().view().nodes()) {
      managers += node->manager.has_value() ? 1 : 0;
    }
  });
  if (managers > 1 && read_committed().ok()) {
    return absl::FailedPreconditionError(
        "the swarm has a quorum of managers, there is nothing to recover: to remove managers that "
        "are gone, use `swarmctl node demote` and `swarmctl node rm`");
  }
  return changed;
}

Status Node::restart_manager(const NodeRecord& record, ManagerRole::Start start) {
  stop_server();
  stop_manager();
  SWARM_RETURN_IF_ERROR(start_server(record));
  return start_manager(record, std::move(start));
}

Result<api::LocalNode::Initialized> Node::force_new_cluster(const InitOptions& options) {
  SWARM_ASSIGN_OR_RETURN(const NodeRecord survivor, survivor_record(options));
  const NodeRecord before = record();
  log::warning("going on as the only manager", {{"address", survivor.advertise_address}});
  model::Node self;
  self.id = survivor.node;
  self.manager = model::ManagerStatus{survivor.member, survivor.advertise_address};
  ManagerRole::Start start{ManagerRole::Start::Kind::force_alone,
                           [self](const state::View& view, WallTime now, Random& random) {
                             return control::recover_swarm({view, now, random}, self);
                           }};
  Status status = restart_manager(survivor, std::move(start));
  if (status.ok()) {
    status = await_own_leadership();
  }
  if (status.ok()) {
    status = save(survivor);
  }
  if (!status.ok()) {
    // Whatever is in the log by now, the command may be repeated.
    const Status undone = restart_manager(before, {});
    if (!undone.ok()) {
      log::error("the manager was not started again", {{"error", undone.message()}});
    }
    return status;
  }
  if (survivor.advertise_address != before.advertise_address) {
    agent_.reset();  // its tasks and its mesh stay
    SWARM_RETURN_IF_ERROR(start_agent(survivor));
  }
  Result<JoinTokens> tokens = absl::InternalError("the swarm has no settings");
  run_on(manager_->manager().loop(), [&] {
    if (const state::ClusterPtr& cluster = manager_->manager().store().view().cluster()) {
      tokens = join_tokens_of(*cluster);
    }
  });
  SWARM_RETURN_IF_ERROR(tokens.status());
  return Initialized{survivor.node, tokens->worker, tokens->manager, survivor.advertise_address};
}

// ---- backup ----

Result<Manager::CommittedState> Node::read_committed() {
  using State = Result<Manager::CommittedState>;
  const auto answer = std::make_shared<std::promise<State>>();
  std::future<State> state = answer->get_future();
  manager_->manager().on_control_loop([this, answer] {
    manager_->manager().read_committed(
        [answer](State read) { answer->set_value(std::move(read)); });
  });
  if (state.wait_for(kQuorumLimit) != std::future_status::ready) {
    return absl::UnavailableError("no leader answers");
  }
  return state.get();
}

Result<api::LocalNode::BackedUp> Node::backup_here(const std::string& file) {
  if (credentials() == nullptr) {
    return not_a_member();
  }
  if (!manager_refusal().empty()) {
    return not_serving();
  }
  if (manager_ == nullptr) {
    return absl::FailedPreconditionError(
        "this node is a worker and holds no state of the swarm: make the backup on a manager");
  }
  if (!std::filesystem::path(file).is_absolute()) {
    return absl::InvalidArgumentError("\"" + file + "\" is not an absolute path");
  }
  SWARM_RETURN_IF_ERROR(platform::check_replaceable(file));
  const Result<Manager::CommittedState> state = read_committed();
  if (!state.ok()) {
    return absl::UnavailableError(
        "the swarm has no leader, so nobody knows whether this manager has all that was written: "
        "bring a quorum of managers back, or recover with `swarmctl swarm init "
        "--force-new-cluster` first");
  }
  const BackupHeader header{state->swarm, state->index.value(), state->term.value(),
                            state->position, options_.version};
  const Result<uint64_t> bytes = write_backup(files_, file, header, state->next_chunk);
  if (!bytes.ok()) {
    return Status(bytes.status().code(),
                  "the backup could not be written: " + std::string(bytes.status().message()));
  }
  log::info("backup written", {{"file", file}, {"position", state->position}});
  return BackedUp{state->swarm, state->position, *bytes};
}

// ---- restore ----

Result<api::LocalNode::Initialized> Node::restore_here(const RestoreOptions& options) {
  SWARM_RETURN_IF_ERROR(check_not_member());
  SWARM_ASSIGN_OR_RETURN(Backup backup, read_backup(files_, options.file));
  SWARM_ASSIGN_OR_RETURN(const model::ClusterPtr cluster, cluster_in(backup, options.file));
  SWARM_ASSIGN_OR_RETURN(const SwarmAddresses addresses,
                         choose_addresses({options.listen_address, options.advertise_address,
                                           options.force, options_.agent.mesh_port},
                                          MachineNetwork::of_this_machine()));
  SWARM_ASSIGN_OR_RETURN(const RuntimeChoice runtime, prepare_entry(addresses));
  SWARM_ASSIGN_OR_RETURN(NewSwarm swarm,
                         take_up_swarm(addresses, *cluster, lifecycle_.wall_now(), random_));
  record_runtime(runtime, &swarm.record);

  SWARM_RETURN_IF_ERROR(begin_entry(files_, options_.state_directory));
  SWARM_ASSIGN_OR_RETURN(std::string key,
                         security::load_or_make_data_key(files_, options_.state_directory));
  DataKeyCipher cipher(std::move(key));
  raft::SnapshotMeta meta{
      raft::Index(backup.header.raft_index), raft::Term(backup.header.raft_term), {}};
  meta.configuration.members.push_back(
      {raft::MemberId(swarm.record.member.value()), swarm.record.advertise_address, false});
  Status seeded =
      raft::seed_snapshot(options_.state_directory / "raft", files_, cipher, meta, backup.chunks);
  if (!seeded.ok()) {
    SWARM_RETURN_IF_ERROR(undo_entry());
    return seeded;
  }
  backup.chunks.clear();
  Result<Initialized> made =
      enter_as_only_manager(std::move(swarm), ManagerRole::Start::Kind::enter);
  if (made.ok()) {
    log::info("swarm restored", {{"swarm", cluster->id.value()}, {"file", options.file}});
  }
  return made;
}

}  // namespace swarm::manager

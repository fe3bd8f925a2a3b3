#include "manager/manager.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/log.h"
#include "manager/run_on.h"
#include "manager/store_loading.h"

namespace swarm::manager {

namespace {

constexpr Duration kHandOverLimit = seconds(2);

raft::MemberId to_raft(model::MemberId id) {
  return raft::MemberId(id.value());
}
model::MemberId to_model(raft::MemberId id) {
  return model::MemberId(id.value());
}

bool concerns_nodes(const std::vector<state::Change>& changes) {
  return std::any_of(changes.begin(), changes.end(), [](const state::Change& change) {
    return std::holds_alternative<state::NodePtr>(change.after) ||
           std::holds_alternative<state::ClusterPtr>(change.after);
  });
}

}  // namespace

Manager::Manager(ManagerOptions options, ManagerEnvironment environment, Random random)
    : options_(std::move(options)), environment_(environment), random_(random) {}

Result<std::shared_ptr<Manager>> Manager::open(ManagerOptions options,
                                               ManagerEnvironment environment, Random random) {
  Random raft_random = random.fork("raft");
  std::shared_ptr<Manager> manager(new Manager(std::move(options), environment, random));
  raft::ReplicaOptions replica_options = manager->options_.raft;
  replica_options.self = to_raft(manager->options_.member);
  replica_options.directory = manager->options_.directory;
  replica_options.promises = manager->options_.promises;
  replica_options.has_taken_part = manager->options_.has_taken_part;
  replica_options.on_state_lost = manager->options_.on_state_lost;
  replica_options.address = manager->options_.address;
  SWARM_ASSIGN_OR_RETURN(
      manager->replica_,
      raft::Replica::open(replica_options, environment.raft_loop, environment.log_loop,
                          environment.files, environment.transport, environment.cipher, *manager,
                          raft_random));
  manager->store_.set_observer(
      [raw = manager.get()](model::Position head, const std::vector<state::Change>& changes) {
        if (concerns_nodes(changes)) {
          raw->note_nodes(head);
        }
        raw->note_time(changes);
        if (raw->term_ != nullptr) {
          raw->term_->observe(changes);
        }
      });
  return manager;
}

Manager::~Manager() {
  SWARM_CHECK(replica_ == nullptr, "a manager is destroyed before stop");
}

Status Manager::bootstrap(FirstTransaction first) {
  first_ = std::move(first);
  return replica_->bootstrap(options_.address);
}

Status Manager::force_alone(FirstTransaction first) {
  first_ = std::move(first);
  return replica_->force_alone(options_.address);
}

void Manager::start() {
  on_raft_loop([](raft::Replica& replica) { replica.start(); });
}

void Manager::stop() {
  run_on(environment_.raft_loop, [this] { replica_.reset(); });
  run_on(environment_.control_loop, [this] {
    is_stopped_ = true;
    term_.reset();
    store_.set_observer(nullptr);
    gate_.close(absl::UnavailableError("this manager is stopping: try another one"));
  });
}

void Manager::on_control_loop(absl::AnyInvocable<void()> call) {
  environment_.control_loop.post([self = shared_from_this(), call = std::move(call)]() mutable {
    if (!self->is_stopped_) {
      call();
    }
  });
}

void Manager::on_raft_loop(absl::AnyInvocable<void(raft::Replica&)> call) {
  environment_.raft_loop.post([self = shared_from_this(), call = std::move(call)]() mutable {
    if (self->replica_ != nullptr) {
      call(*self->replica_);
    }
  });
}

// ---- raft loop ----

void Manager::apply(std::vector<raft::CommittedEntry> entries, raft::Index up_to) {
  on_control_loop([this, entries = std::move(entries), up_to] { apply_here(entries, up_to); });
}

void Manager::leadership_won(raft::Term term) {
  on_control_loop([this, term] { begin_term(term); });
}

void Manager::leadership_lost(raft::Term term) {
  on_control_loop([this, term] { end_term(term); });
}

void Manager::leader_changed(std::optional<raft::MemberId> leader) {
  const model::MemberId member = leader.has_value() ? to_model(*leader) : model::MemberId{};
  const std::scoped_lock lock(mutex_);
  leads_ = leads_ && member == options_.member;
  leader_ = member;
  if (leader.has_value() && member != options_.member) {
    former_leader_ = member;
  }
}

void Manager::quorum_changed(std::vector<raft::MemberId> missing) {
  const std::scoped_lock lock(mutex_);
  missing_ = std::move(missing);
}

void Manager::take_snapshot(raft::Index,
                            absl::AnyInvocable<void(raft::Index, SnapshotSource)> done) {
  // By the time this runs, the control loop has applied whatever was handed to it before the call.
  on_control_loop([this, done = std::move(done)]() mutable {
    on_raft_loop([done = std::move(done), applied = applied_, source = store_.snapshot()](
                     raft::Replica&) mutable { done(applied, std::move(source)); });
  });
}

void Manager::restore(raft::Index index, std::vector<std::string> chunks,
                      absl::AnyInvocable<void(Status)> done) {
  load_in_slices(environment_.log_loop, std::move(chunks),
                 [self = shared_from_this(), index,
                  done = std::move(done)](Result<state::StoreContents> contents) mutable {
                   self->on_control_loop([raw = self.get(), index, done = std::move(done),
                                          contents = std::move(contents)]() mutable {
                     raw->install(index, std::move(contents), std::move(done));
                   });
                 });
}

// ---- control loop ----

void Manager::apply_here(const std::vector<raft::CommittedEntry>& entries, raft::Index up_to) {
  for (const raft::CommittedEntry& entry : entries) {
    if (leading_term_.has_value() && entry.term == *leading_term_) {
      // One of ours: it is in the head already. Proposals of a term commit in order, without gaps.
      store_.confirm(store_.committed() + 1);
      continue;
    }
    const Status status = store_.apply_committed(*entry.data);
    SWARM_CHECK(status.ok(), "committed entry " + std::to_string(entry.index.value()) +
                                 " cannot be applied: " + std::string(status.message()));
  }
  applied_ = up_to;
  committed_ = store_.committed();
  gate_.advance(committed_);
  publish_removals();
  on_raft_loop([up_to](raft::Replica& replica) { replica.applied(up_to); });
}

void Manager::install(raft::Index index, Result<state::StoreContents> contents,
                      absl::AnyInvocable<void(Status)> done) {
  Status status = contents.status();
  // A later snapshot may have come, and been loaded first.
  if (contents.ok() && index > applied_) {
    drop_in_slices(environment_.log_loop, store_.restore(*std::move(contents)));
    applied_ = index;
    note_nodes(store_.committed());
  }
  on_raft_loop([done = std::move(done), status = std::move(status)](raft::Replica&) mutable {
    done(std::move(status));
  });
}

void Manager::begin_term(raft::Term term) {
  leading_term_ = term;
  clock_.begin_to_lead(loop_.now(), environment_.control_loop.wall_now(),
                       latest_time(store_.view()));
  store_.lead(*this);
  gate_.open(store_.committed());
  if (const Status status = write_first_transaction(); !status.ok()) {
    log::error("the swarm could not be made", {{"error", status.message()}});
    return;
  }
  RoleManager::Membership membership{
      [this](model::MemberId member, RoleManager::Done done) {
        remove_member(member, std::move(done));
      },
      [this](RoleManager::Done done) { transfer_leadership(std::move(done)); }};
  term_ = std::make_shared<LeaderTerm>(loop_, store_, gate_, options_.node, std::move(membership),
                                       random_.fork("term"), environment_.mesh_probe);
  term_->start(former_leader());
  const std::scoped_lock lock(mutex_);
  leads_ = true;
  leader_ = options_.member;
}

model::MemberId Manager::former_leader() const {
  const std::scoped_lock lock(mutex_);
  return former_leader_;
}

void Manager::note_nodes(model::Position head) {
  const state::View view = store_.view();
  std::map<model::MemberId, KnownManager> managers;
  for (const auto& [id, node] : view.nodes()) {
    if (node->manager.has_value()) {
      managers[node->manager->member] = {node->description.hostname, node->manager->address};
    }
  }
  if (view.cluster() != nullptr && view.cluster()->removed_nodes != noted_removals_) {
    noted_removals_ = view.cluster()->removed_nodes;
    noted_at_ = head;
  }
  const std::scoped_lock lock(mutex_);
  managers_ = std::move(managers);
}

// A node that is told of its removal leaves for good: a removal that a next leader may undo is not
// told to anybody.
void Manager::publish_removals() {
  if (committed_ < noted_at_) {
    return;
  }
  const std::scoped_lock lock(mutex_);
  if (removed_nodes_ != noted_removals_) {
    removed_nodes_ = noted_removals_;
  }
}

void Manager::note_time(const std::vector<state::Change>& changes) {
  if (leading_term_.has_value()) {
    return;
  }
  bool is_led_by_another = false;
  {
    const std::scoped_lock lock(mutex_);
    is_led_by_another = leader_ != model::MemberId{} && leader_ != options_.member;
  }
  // A log that is read again at start says nothing of what time it is now.
  if (const WallTime stamp = latest_time(changes); is_led_by_another && is_set(stamp)) {
    clock_.follow(stamp, loop_.now());
  }
}

Status Manager::write_first_transaction() {
  if (first_ == nullptr) {
    return absl::OkStatus();
  }
  const WallTime now = loop_.wall_now();
  SWARM_ASSIGN_OR_RETURN(state::ChangeSet changes, first_(store_.view(), now, random_));
  first_ = nullptr;
  return store_.commit(std::move(changes), now).status();
}

void Manager::end_term(raft::Term term) {
  if (leading_term_ != term) {
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    leads_ = false;
    if (leader_ == options_.member) {
      leader_ = {};
    }
  }
  leading_term_.reset();
  term_.reset();
  clock_.stop_leading();
  store_.abandon();
  gate_.close(absl::UnavailableError(
      "the leader changed while this was written: it may or may not have happened; look, then try "
      "again"));
}

// What is written in one turn of the loop is passed on together, and wakes the raft loop once.
void Manager::propose(model::Position, std::string entry) {
  SWARM_CHECK(leading_term_.has_value(), "a transaction was proposed without leadership");
  if (proposed_.empty()) {
    on_control_loop([this] { pass_on_proposed(); });
  }
  proposed_.emplace_back(*leading_term_, std::move(entry));
}

void Manager::pass_on_proposed() {
  if (proposed_.empty()) {
    return;
  }
  on_raft_loop([entries = std::exchange(proposed_, {})](raft::Replica& replica) mutable {
    for (auto& [term, entry] : entries) {
      replica.propose(term, std::move(entry));
    }
  });
}

void Manager::on_replica(
    absl::AnyInvocable<void(raft::Replica&, absl::AnyInvocable<void(Status)>)> call,
    absl::AnyInvocable<void(Status)> done) {
  pass_on_proposed();  // what was written before this is asked comes first
  on_raft_loop(
      [this, call = std::move(call), done = std::move(done)](raft::Replica& replica) mutable {
        call(replica, [this, done = std::move(done)](Status status) mutable {
          on_control_loop([done = std::move(done), status = std::move(status)]() mutable {
            done(std::move(status));
          });
        });
      });
}

void Manager::confirm_leadership(absl::AnyInvocable<void(Status)> done) {
  on_replica([](raft::Replica& replica,
                auto confirmed) { replica.confirm_leadership(std::move(confirmed)); },
             std::move(done));
}

void Manager::add_member(raft::Member member, absl::AnyInvocable<void(Status)> done) {
  on_replica(
      [member = std::move(member)](raft::Replica& replica, auto added) mutable {
        replica.add_member(std::move(member), std::move(added));
      },
      std::move(done));
}

void Manager::remove_member(model::MemberId member, absl::AnyInvocable<void(Status)> done) {
  on_replica([member](raft::Replica& replica,
                      auto removed) { replica.remove_member(to_raft(member), std::move(removed)); },
             std::move(done));
}

void Manager::transfer_leadership(absl::AnyInvocable<void(Status)> done) {
  on_replica(
      [](raft::Replica& replica, auto transferred) {
        replica.transfer_leadership(raft::MemberId{}, std::move(transferred));
      },
      std::move(done));
}

void Manager::read_committed(absl::AnyInvocable<void(Result<CommittedState>)> done) {
  on_raft_loop([this, done = std::move(done)](raft::Replica& replica) mutable {
    const raft::Term term = replica.progress().term;
    replica.read_index([this, term, done = std::move(done)](Result<raft::Index> index) mutable {
      on_control_loop([this, term, done = std::move(done), status = index.status()]() mutable {
        if (!status.ok()) {
          done(std::move(status));
          return;
        }
        const state::ClusterPtr& cluster = store_.view().cluster();
        done(CommittedState{applied_, term, store_.committed(),
                            cluster == nullptr ? model::SwarmId() : cluster->id,
                            store_.snapshot()});
      });
    });
  });
}

// ---- any thread ----

void Manager::hand_over(absl::AnyInvocable<void()> done) {
  on_control_loop([this, done = std::move(done)]() mutable {
    if (!leading_term_.has_value()) {
      done();
      return;
    }
    // Whichever comes first: the outcome or the limit.
    auto once = std::make_shared<absl::AnyInvocable<void()>>(std::move(done));
    auto finish = [once] {
      if (*once != nullptr) {
        std::exchange(*once, nullptr)();
      }
    };
    environment_.control_loop.call_at(environment_.control_loop.now() + kHandOverLimit, finish);
    transfer_leadership([finish](const Status&) { finish(); });
  });
}

Manager::Leader Manager::leader() const {
  const std::scoped_lock lock(mutex_);
  const auto known = managers_.find(leader_);
  return {leads_, known == managers_.end() ? "" : known->second.address, leader_};
}

std::string Manager::quorum_loss() const {
  const std::scoped_lock lock(mutex_);
  if (missing_.empty()) {
    return {};
  }
  std::string names;
  for (const raft::MemberId id : missing_) {
    const auto known = managers_.find(to_model(id));
    names += names.empty() ? "" : ", ";
    if (known == managers_.end()) {
      names += "member " + std::to_string(id.value());
    } else {
      names += known->second.hostname.empty()
                   ? known->second.address
                   : known->second.hostname + " (" + known->second.address + ")";
    }
  }
  return "the swarm has lost its quorum: of " + std::to_string(managers_.size()) +
         " managers, these cannot be reached: " + names +
         ". Start them again; if they are gone for good, run `swarmctl swarm init "
         "--force-new-cluster` on a manager that is left";
}

void Manager::receive(model::MemberId from, std::string message) {
  if (replica_ != nullptr) {
    replica_->receive(to_raft(from), std::move(message));
  }
}

void Manager::peer_refused(model::MemberId peer) {
  on_raft_loop([peer](raft::Replica& replica) { replica.peer_refused(to_raft(peer)); });
}

bool Manager::is_removed(const model::NodeId& node) const {
  const std::scoped_lock lock(mutex_);
  return removed_nodes_.contains(node);
}

void Manager::ask_reachable(absl::AnyInvocable<void(std::vector<model::MemberId>)> done) {
  environment_.raft_loop.post([self = shared_from_this(), done = std::move(done)]() mutable {
    std::vector<model::MemberId> members;
    if (self->replica_ != nullptr) {
      for (const raft::MemberId id : self->replica_->progress().reachable) {
        members.push_back(to_model(id));
      }
    }
    done(std::move(members));
  });
}

}  // namespace swarm::manager

#include "state/store.h"

#include <memory>
#include <utility>
#include <variant>

#include "base/check.h"
#include "state/request_memory.h"
#include "state/tables.h"
#include "state/transaction.h"
#include "wire/change_set_codec.h"
#include "wire/snapshot_codec.h"

namespace swarm::state {
namespace {

// The stamped objects of a transaction as a change set again: what the entry holds.
ChangeSet outcome_of(const std::vector<Change>& changes, std::vector<ChangeSet::Key> removals,
                     uint64_t request) {
  ChangeSet outcome;
  outcome.request = request;
  outcome.puts.reserve(changes.size());
  for (const Change& change : changes) {
    if (!is_null(change.after)) {
      outcome.puts.push_back(change.after);
    }
  }
  outcome.removals = std::move(removals);
  return outcome;
}

// What was committed at one moment, handed out object by object in canonical order: by kind, then
// by id. It belongs to nobody's loop.
class CommittedObjects {
 public:
  using Undo = std::vector<std::shared_ptr<const std::vector<Change>>>;

  // `undo` is what was applied to `head` and not committed, newest first.
  CommittedObjects(Objects head, Undo undo) : objects_(std::move(head)) {
    for (const auto& changes : undo) {
      for (const Change& change : reversed(*changes)) {
        objects_.apply(change);
      }
    }
    nodes_ = objects_.nodes.begin();
    services_ = objects_.services.begin();
    revisions_ = objects_.revisions.begin();
    tasks_ = objects_.tasks.begin();
  }

  size_t count() const {
    return (objects_.cluster != nullptr ? 1 : 0) + objects_.nodes.size() +
           objects_.services.size() + objects_.revisions.size() + objects_.tasks.size();
  }

  ChangeSet::Object next() {
    if (objects_.cluster != nullptr) {
      return std::exchange(objects_.cluster, nullptr);
    }
    if (nodes_ != objects_.nodes.end()) {
      return (*nodes_++).second;
    }
    if (services_ != objects_.services.end()) {
      return (*services_++).second;
    }
    if (revisions_ != objects_.revisions.end()) {
      return (*revisions_++).second;
    }
    return (*tasks_++).second;
  }

 private:
  Objects objects_;
  NodeTable::const_iterator nodes_;
  ServiceTable::const_iterator services_;
  RevisionTable::const_iterator revisions_;
  TaskTable::const_iterator tasks_;
};

}  // namespace

struct Store::Impl {
  // A transaction that is applied and proposed but not committed.
  struct Uncommitted {
    model::Position position = 0;
    size_t bytes = 0;
    std::shared_ptr<const std::vector<Change>> changes;
  };

  size_t max_uncommitted_bytes = 0;
  Tables tables;
  model::Position committed = 0;
  Proposer* proposer = nullptr;
  std::deque<Uncommitted> uncommitted;  // oldest first
  size_t uncommitted_bytes = 0;
  RequestMemory requests;
  Observer observer;

  void notify(model::Position position, const std::vector<Change>& changes) const {
    if (observer) {
      observer(position, changes);
    }
  }

  Status check_size(size_t entry_bytes) const {
    if (entry_bytes > kMaxEntryBytes) {
      return absl::ResourceExhaustedError("the change takes " + std::to_string(entry_bytes) +
                                          " bytes, at most " + std::to_string(kMaxEntryBytes) +
                                          " fit one transaction: change less at a time");
    }
    if (uncommitted_bytes + entry_bytes > max_uncommitted_bytes) {
      return absl::ResourceExhaustedError(
          "the managers are behind with " + std::to_string(uncommitted_bytes) +
          " bytes of changes that are not stored yet: try again in a moment");
    }
    return absl::OkStatus();
  }
};

Store::Store(size_t max_uncommitted_bytes) : impl_(std::make_unique<Impl>()) {
  impl_->max_uncommitted_bytes = max_uncommitted_bytes;
}

Store::~Store() = default;

View Store::view() const {
  return View(impl_->tables);
}
model::Position Store::head() const {
  return impl_->tables.position;
}
model::Position Store::committed() const {
  return impl_->committed;
}
Result<std::optional<model::Position>> Store::find_request(const model::RequestId& request) const {
  return impl_->requests.find(request);
}
void Store::set_observer(Observer observer) {
  impl_->observer = std::move(observer);
}

void Store::lead(Proposer& proposer) {
  SWARM_CHECK(impl_->proposer == nullptr, "leadership begins once, saw a second beginning");
  SWARM_CHECK(head() == committed(), "a new leader has applied its whole log, saw head " +
                                         std::to_string(head()) + " and committed " +
                                         std::to_string(committed()));
  impl_->proposer = &proposer;
}

Result<model::Position> Store::commit(ChangeSet changes, WallTime now) {
  if (impl_->proposer == nullptr) {
    return absl::FailedPreconditionError("this manager is not the leader");
  }
  if (changes.is_empty()) {
    return head();
  }
  const model::Position position = head() + 1;
  SWARM_ASSIGN_OR_RETURN(std::vector<Change> planned,
                         plan_transaction(impl_->tables, changes, position, now));
  std::string entry = wire::encode_change_set(
      position, outcome_of(planned, std::move(changes.removals), changes.request));
  SWARM_RETURN_IF_ERROR(impl_->check_size(entry.size()));

  const auto applied = std::make_shared<const std::vector<Change>>(std::move(planned));
  impl_->tables.apply(*applied, position);
  impl_->uncommitted_bytes += entry.size();
  impl_->uncommitted.push_back({position, entry.size(), applied});
  impl_->requests.note(changes.request, position);
  impl_->notify(position, *applied);
  impl_->proposer->propose(position, std::move(entry));
  return position;
}

void Store::confirm(model::Position position) {
  SWARM_CHECK(position <= head(), "what is committed was proposed, saw position " +
                                      std::to_string(position) + " and head " +
                                      std::to_string(head()));
  while (!impl_->uncommitted.empty() && impl_->uncommitted.front().position <= position) {
    impl_->committed = impl_->uncommitted.front().position;
    impl_->uncommitted_bytes -= impl_->uncommitted.front().bytes;
    impl_->uncommitted.pop_front();
  }
}

void Store::abandon() {
  impl_->proposer = nullptr;
  while (!impl_->uncommitted.empty()) {
    const Impl::Uncommitted undone = std::move(impl_->uncommitted.back());
    impl_->uncommitted.pop_back();
    impl_->uncommitted_bytes -= undone.bytes;
    const std::vector<Change> inverse = reversed(*undone.changes);
    impl_->tables.apply(inverse, undone.position - 1);
    impl_->notify(undone.position - 1, inverse);
  }
  impl_->requests.undo_after(impl_->committed);
}

Status Store::apply_committed(std::string_view entry) {
  SWARM_CHECK(impl_->proposer == nullptr, "a leader confirms its own entries, saw one to apply");
  SWARM_ASSIGN_OR_RETURN(wire::Entry decoded, wire::decode_change_set(entry));
  if (decoded.position != head() + 1) {
    return absl::DataLossError("change set " + std::to_string(decoded.position) +
                               " does not follow " + std::to_string(head()));
  }
  std::vector<Change> changes;
  changes.reserve(decoded.changes.puts.size() + decoded.changes.removals.size());
  for (ChangeSet::Object& object : decoded.changes.puts) {
    ChangeSet::Object before = impl_->tables.find(object);
    changes.push_back({std::move(before), std::move(object)});
  }
  for (const ChangeSet::Key& key : decoded.changes.removals) {
    ChangeSet::Object before = impl_->tables.find(key);
    if (is_null(before)) {
      return absl::DataLossError("change set " + std::to_string(decoded.position) +
                                 " removes an object that is not stored");
    }
    ChangeSet::Object none =
        std::visit([](auto pointer) { return ChangeSet::Object(decltype(pointer)()); }, before);
    changes.push_back({std::move(before), std::move(none)});
  }
  impl_->tables.apply(changes, decoded.position);
  impl_->committed = decoded.position;
  impl_->requests.note(decoded.changes.request, decoded.position);
  impl_->notify(decoded.position, changes);
  return absl::OkStatus();
}

std::function<std::string()> Store::snapshot() const {
  CommittedObjects::Undo undo;
  undo.reserve(impl_->uncommitted.size());
  for (auto it = impl_->uncommitted.rbegin(); it != impl_->uncommitted.rend(); ++it) {
    undo.push_back(it->changes);
  }
  // Off the loop: the first call takes back what is not committed, the others serialise.
  struct Work {
    Objects head;
    CommittedObjects::Undo undo;
    model::Position position;
    std::unique_ptr<wire::SnapshotWriter> writer;
  };
  auto work = std::make_shared<Work>(
      Work{static_cast<const Objects&>(impl_->tables), std::move(undo), impl_->committed, nullptr});
  return [work] {
    if (work->writer == nullptr) {
      auto objects =
          std::make_shared<CommittedObjects>(std::move(work->head), std::exchange(work->undo, {}));
      work->writer = std::make_unique<wire::SnapshotWriter>(work->position, objects->count(),
                                                            [objects] { return objects->next(); });
    }
    return work->writer->next_chunk();
  };
}

StoreContents Store::restore(StoreContents contents) {
  SWARM_CHECK(impl_->proposer == nullptr && impl_->uncommitted.empty(),
              "only followers install snapshots, saw a leader do it");
  impl_->committed = contents.position();
  impl_->requests.restart(contents.position());
  return StoreContents(std::exchange(impl_->tables, std::move(contents).take()));
}

}  // namespace swarm::state

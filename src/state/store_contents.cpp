#include "state/store_contents.h"

#include <utility>
#include <vector>

#include "state/tables.h"

namespace swarm::state {

StoreContents::StoreContents() : StoreContents(Tables()) {}
StoreContents::StoreContents(Tables tables)
    : tables_(std::make_unique<Tables>(std::move(tables))) {}
StoreContents::StoreContents(StoreContents&& other) noexcept = default;
StoreContents& StoreContents::operator=(StoreContents&& other) noexcept = default;
StoreContents::~StoreContents() = default;

model::Position StoreContents::position() const {
  return tables_->position;
}
const model::ClusterPtr& StoreContents::cluster() const {
  return tables_->cluster;
}
Tables StoreContents::take() && {
  return std::move(*std::exchange(tables_, nullptr));
}
bool StoreContents::drop(size_t count) {
  return tables_->drop(count);
}

SnapshotLoader::SnapshotLoader() : tables_(std::make_unique<Tables>()) {}
SnapshotLoader::~SnapshotLoader() = default;

Status SnapshotLoader::add(std::string_view chunk) {
  SWARM_ASSIGN_OR_RETURN(std::vector<ChangeSet::Object> objects, reader_.add(chunk));
  for (ChangeSet::Object& object : objects) {
    ChangeSet::Object before = tables_->find(object);
    tables_->apply(Change{std::move(before), std::move(object)});
  }
  return absl::OkStatus();
}

Result<StoreContents> SnapshotLoader::finish() {
  SWARM_ASSIGN_OR_RETURN(tables_->position, reader_.finish());
  return StoreContents(std::move(*tables_));
}

}  // namespace swarm::state

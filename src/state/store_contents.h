#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "model/change_set.h"
#include "wire/snapshot_codec.h"

namespace swarm::state {

struct Tables;

// Everything a store holds, outside of one: what a snapshot is made into, and what is left of a
// store's past when one is restored. A value that moves; belongs to one thread at a time.
class StoreContents {
 public:
  StoreContents();
  explicit StoreContents(Tables tables);
  StoreContents(StoreContents&& other) noexcept;
  StoreContents& operator=(StoreContents&& other) noexcept;
  ~StoreContents();

  model::Position position() const;
  const model::ClusterPtr& cluster() const;
  Tables take() &&;

  // Forgets up to about `count` objects. Whether more is left: a loop that frees a large store does
  // it in slices.
  bool drop(size_t count);

 private:
  std::unique_ptr<Tables> tables_;  // never null but when moved from
};

// Makes contents from the chunks of a snapshot, in order, each a slice of a few milliseconds. On
// any thread.
class SnapshotLoader {
 public:
  SnapshotLoader();
  ~SnapshotLoader();

  // DATA_LOSS if the chunk is damaged or out of order.
  Status add(std::string_view chunk);
  // After the last chunk. DATA_LOSS if something is missing. Once.
  Result<StoreContents> finish();

 private:
  wire::SnapshotReader reader_;
  std::unique_ptr<Tables> tables_;
};

}  // namespace swarm::state

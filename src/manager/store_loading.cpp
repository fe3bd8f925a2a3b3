#include "manager/store_loading.h"

#include <memory>
#include <utility>

namespace swarm::manager {

namespace {

struct Loading : std::enable_shared_from_this<Loading> {
  Loading(EventLoop& on, std::vector<std::string> all) : loop(on), chunks(std::move(all)) {}

  void step() {
    if (next == chunks.size()) {
      done(loader.finish());
      return;
    }
    const Status added = loader.add(chunks[next]);
    if (!added.ok()) {
      done(added);
      return;
    }
    std::string().swap(chunks[next]);
    ++next;
    loop.post([self = shared_from_this()] { self->step(); });
  }

  EventLoop& loop;
  std::vector<std::string> chunks;
  size_t next = 0;
  state::SnapshotLoader loader;
  absl::AnyInvocable<void(Result<state::StoreContents>)> done;
};

}  // namespace

void load_in_slices(EventLoop& loop, std::vector<std::string> chunks,
                    absl::AnyInvocable<void(Result<state::StoreContents>)> done) {
  auto loading = std::make_shared<Loading>(loop, std::move(chunks));
  loading->done = std::move(done);
  loop.post([loading] { loading->step(); });
}

void drop_in_slices(EventLoop& loop, state::StoreContents contents) {
  loop.post([&loop, contents = std::move(contents)]() mutable {
    if (contents.drop(kDroppedObjects)) {
      drop_in_slices(loop, std::move(contents));
    }
  });
}

}  // namespace swarm::manager

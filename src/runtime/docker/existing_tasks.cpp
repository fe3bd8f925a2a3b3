#include "runtime/docker/existing_tasks.h"

#include <optional>
#include <string>
#include <utility>

#include "runtime/probe/tcp_check.h"

namespace swarm::runtime {

namespace {

// A container on this machine accepts or refuses within microseconds.
constexpr Duration kProbeLimit = seconds(1);

// One search; kept alive by the callbacks it waits for.
class Search : public std::enable_shared_from_this<Search> {
 public:
  using Done = absl::AnyInvocable<void(Result<std::vector<FoundContainer>>)>;

  Search(AsioLoop& loop, EngineClient& engine, std::vector<std::string> ids, Done done)
      : loop_(loop), engine_(engine), done_(std::move(done)), ids_(std::move(ids)) {}

  void inspect_next() {
    if (next_ == ids_.size()) {
      probe_all();
      return;
    }
    engine_.inspect(ids_[next_++], [self = shared_from_this()](Result<ContainerState> state) {
      if (state.ok() && state->labels) {
        self->found_.push_back({.state = *std::move(state)});
        if (self->found_.back().state.status == ContainerState::Status::exited) {
          self->find_ending();
          return;
        }
      } else if (!state.ok() && !absl::IsNotFound(state.status())) {
        self->done_(state.status());
        return;
      }
      self->inspect_next();
    });
  }

 private:
  void find_ending() {
    engine_.history(ids_[next_ - 1],
                    [self = shared_from_this()](Result<std::vector<EngineEvent>> history) {
                      std::optional<std::vector<EngineEvent>> remembered;
                      if (history.ok()) {
                        remembered = *std::move(history);
                      }
                      FoundContainer& ended = self->found_.back();
                      ended.ending = judge_ending(ended.state, 0, remembered);
                      self->inspect_next();
                    });
  }

  void probe_all() {
    pending_ = 1;  // this function itself
    for (FoundContainer& container : found_) {
      const ContainerState& state = container.state;
      const bool is_serving = state.status == ContainerState::Status::running && !state.is_paused;
      container.is_healthy = is_serving && state.health == ContainerState::Health::healthy;
      if (is_serving && state.health == ContainerState::Health::none) {
        probe(container);
      }
    }
    finish_one();
  }

  void probe(FoundContainer& container) {
    ++pending_;
    checks_.push_back(make_tcp_check(loop_, container.state.tcp_addresses()));
    checks_.back()->run(kProbeLimit,
                        [self = shared_from_this(), &container](const Check::Outcome& outcome) {
                          container.is_healthy = outcome.is_ok;
                          self->finish_one();
                        });
  }

  void finish_one() {
    if (--pending_ == 0) {
      done_(std::move(found_));
    }
  }

  AsioLoop& loop_;
  EngineClient& engine_;
  Done done_;
  std::vector<std::string> ids_;
  size_t next_ = 0;
  std::vector<FoundContainer> found_;
  size_t pending_ = 0;
  std::vector<std::unique_ptr<Check>> checks_;
};

}  // namespace

void find_existing(AsioLoop& loop, EngineClient& engine, std::vector<std::string> ids,
                   absl::AnyInvocable<void(Result<std::vector<FoundContainer>>)> done) {
  std::make_shared<Search>(loop, engine, std::move(ids), std::move(done))->inspect_next();
}

}  // namespace swarm::runtime

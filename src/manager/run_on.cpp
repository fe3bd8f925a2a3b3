#include "manager/run_on.h"

#include <future>

namespace swarm::manager {

void run_on(EventLoop& loop, absl::AnyInvocable<void()> call) {
  if (loop.is_current()) {
    call();
    return;
  }
  std::promise<void> done;
  loop.post([&] {
    call();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace swarm::manager

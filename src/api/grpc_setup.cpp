#include "api/grpc_setup.h"

#include <grpc/support/log.h>

#include <mutex>

#include "absl/synchronization/mutex.h"
#include "base/fault_counter.h"
#include "base/log.h"
#include "base/real_clock.h"

namespace swarm::api {

namespace {

struct Repeated {
  std::mutex mutex;
  FaultCounter faults;
};

// Leaked on purpose: gRPC's threads may log while static objects are destroyed.
Repeated& repeated() {
  static Repeated* const instance = new Repeated;
  return *instance;
}

// gRPC calls an error what is everyday to a swarm: a peer that is gone, a stranger at the door.
// What matters comes back as the status of a call, and is told there.
void write(gpr_log_func_args* message) {
  const bool is_error = message->severity == GPR_LOG_SEVERITY_ERROR;
  uint64_t times = 1;
  if (is_error) {
    const std::lock_guard lock(repeated().mutex);
    times = repeated().faults.failed(message->message, steady_now());
  }
  if (times > 0) {
    log::write(is_error ? log::Level::warning : log::Level::debug, "grpc reported",
               {{"message", message->message},
                {"file", message->file},
                {"line", message->line},
                {"times", times}});
  }
}

}  // namespace

void set_up_grpc() {
  gpr_set_log_function(&write);
  // Debian builds Abseil without NDEBUG, and then every lock of gRPC is entered into a graph of all
  // locks in order to find cycles: a tenth of what a call costs.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace swarm::api

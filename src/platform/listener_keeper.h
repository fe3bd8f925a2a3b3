#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "platform/tcp_handle.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::platform {

// Keeps the listening sockets of another process of this machine open beyond its end, and gives
// them to the process that follows: until that takes them, the kernel lets clients wait instead of
// refusing them. The two talk over a local socket that only its owner can reach. On a thread of its
// own, because the other process waits for it when it starts.
class ListenerKeeper {
 public:
  // UNAVAILABLE when it cannot listen on the socket; a file that is there is replaced.
  static Result<std::unique_ptr<ListenerKeeper>> open(const std::filesystem::path& socket);
  // Lets go of what it keeps.
  ~ListenerKeeper();

  // How many it has now. From any thread.
  size_t kept() const;

  // Asks that process to leave its listeners to the one that follows: now, or when it tells of
  // them.
  void ask_to_yield(int64_t pid);

 private:
  class Desk;
  explicit ListenerKeeper(std::unique_ptr<Desk> desk);
  const std::unique_ptr<Desk> desk_;
};

// The side of the process that listens. A keeper that goes away (its process was restarted) is told
// everything again when it is back. On the loop.
class ListenerLoan {
 public:
  // Takes what is kept, waiting `patience` at most. Without a keeper there is nothing. `on_yield`:
  // the next process is about to take over: stop accepting, now.
  ListenerLoan(AsioLoop& loop, std::filesystem::path socket, std::chrono::milliseconds patience,
               absl::AnyInvocable<void()> on_yield);
  ~ListenerLoan();

  // The listener of that name, if there is one, once.
  std::optional<TcpHandle> take(const std::string& name);
  // From now on it is kept, too, until it is said to be closed. `native` stays the caller's.
  void opened(const std::string& name, int native);
  void closed(const std::string& name);
  // Of what was not taken, the rest is wanted by nobody.
  void drop_all_but(const std::set<std::string>& names);
  // The next process has them: nothing is told to the keeper any more, nor asked of it.
  void let_go();

 private:
  class Desk;
  const std::unique_ptr<Desk> desk_;
};

}  // namespace swarm::platform

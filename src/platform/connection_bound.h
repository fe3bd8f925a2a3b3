#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace swarm::platform {

struct ConnectionLimits {
  int in_all = 0;
  int of_host = 0;
};

// Counts connections, in all and for each host they come from, and says when there is room for one
// more. On one loop.
class ConnectionBound {
  struct Counts {
    int in_all = 0;
    std::map<std::string, int> of_host;
    std::function<void()> on_freed;
  };

 public:
  // Room that one connection takes for as long as this lives.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<Counts> counts, std::string host)
        : counts_(std::move(counts)), host_(std::move(host)) {
      ++counts_->in_all;
      ++counts_->of_host[host_];
    }
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&& other) noexcept {
      free();
      counts_ = std::move(other.counts_);
      host_ = std::move(other.host_);
      return *this;
    }
    ~Place() { free(); }

    void free() {
      const auto counts = std::exchange(counts_, nullptr);
      if (counts == nullptr) {
        return;
      }
      --counts->in_all;
      const auto of_host = counts->of_host.find(host_);
      if (--of_host->second == 0) {
        counts->of_host.erase(of_host);
      }
      if (counts->on_freed != nullptr) {
        counts->on_freed();
      }
    }

   private:
    std::shared_ptr<Counts> counts_;
    std::string host_;
  };

  // `on_freed` is called after a place was freed, from wherever that happened.
  explicit ConnectionBound(ConnectionLimits limits, std::function<void()> on_freed = nullptr)
      : limits_(limits), counts_(std::make_shared<Counts>()) {
    counts_->on_freed = std::move(on_freed);
  }
  ~ConnectionBound() { counts_->on_freed = nullptr; }
  ConnectionBound(const ConnectionBound&) = delete;
  ConnectionBound& operator=(const ConnectionBound&) = delete;

  bool has_room_for(const std::string& host) const {
    const auto of_host = counts_->of_host.find(host);
    return counts_->in_all < limits_.in_all &&
           (of_host == counts_->of_host.end() || of_host->second < limits_.of_host);
  }
  Place take(const std::string& host) { return {counts_, host}; }

 private:
  const ConnectionLimits limits_;
  const std::shared_ptr<Counts> counts_;
};

}  // namespace swarm::platform

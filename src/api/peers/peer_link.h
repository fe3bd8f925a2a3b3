#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "proto/raft_peer.pb.h"

namespace grpc {
class Alarm;
class Status;
}  // namespace grpc

namespace swarm::api {

class ChannelCache;
class PeerStreamAttempt;

// The stream to one peer: at most one attempt at a time, the next one at once when a stream that
// worked breaks, later and later when none can be made. Used by the raft loop and by gRPC's
// threads, hence the mutex.
class PeerLink final : public std::enable_shared_from_this<PeerLink> {
 public:
  // `on_refused` on any thread.
  PeerLink(uint64_t self, std::string address, std::shared_ptr<ChannelCache> channels,
           std::function<void()> on_refused);
  ~PeerLink();

  const std::string& address() const { return address_; }

  void open();
  // Never blocks. Dropped while no stream is open or being made, and when too much waits.
  void send(std::string message);
  // Ends it for good.
  void close();

 private:
  friend class PeerStreamAttempt;

  // From the attempt: nothing can be written on it any more; a write was done; it is over.
  void broken();
  void written(bool ok);
  void ended(const grpc::Status& status);

  // With the mutex held.
  void open_locked();
  void write_next();
  void drop_waiting();
  void open_after(Duration delay);
  Duration next_delay(bool has_worked);

  const uint64_t self_;
  const std::string address_;
  const std::shared_ptr<ChannelCache> channels_;
  const std::function<void()> on_refused_;

  std::mutex mutex_;
  bool is_closed_ = false;
  bool is_writing_ = false;
  bool has_worked_ = false;  // something was written on the present stream
  PeerStreamAttempt* stream_ = nullptr;
  std::deque<std::string> waiting_;
  size_t waiting_bytes_ = 0;
  v1::PeerMessages batch_;
  Duration delay_{};
  std::string last_problem_;  // logged once, not at every attempt
  std::unique_ptr<grpc::Alarm> alarm_;
};

}  // namespace swarm::api

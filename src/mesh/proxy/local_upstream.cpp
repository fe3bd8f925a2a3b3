#include "mesh/proxy/local_upstream.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mesh/proxy/endpoint_text.h"

namespace swarm::mesh {

LocalUpstream::LocalUpstream(std::shared_ptr<MeshNode> node, const model::TaskId& task,
                             std::string address, Callback on_drain)
    : node_(std::move(node)),
      address_(std::move(address)),
      task_(Tcp::socket(node_->context), node_->scratch),
      connect_timer_(node_->context) {
  lease_.emplace(node_->leases, task, std::move(on_drain));
}

void LocalUpstream::open(OpenDone done) {
  const auto address = parse_endpoint(address_);
  if (!address.ok()) {
    boost::asio::post(node_->context, [status = address.status(),
                                       done = std::move(done)]() mutable { done(status); });
    return;
  }
  connect_timer_.expires_after(node_->timeouts.connect_local);
  connect_timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->task_.close();  // ends the attempt
  });
  task_.connect(
      *address, [self = shared_from_this(), done = std::move(done)](ErrorCode error) mutable {
        self->connect_timer_.cancel();
        done(error ? absl::UnavailableError(absl::StrCat("the task at ", self->address_,
                                                         " does not answer: ", error.message()))
                   : absl::OkStatus());
      });
}

void LocalUpstream::read(TcpEnd::ReadDone done) {
  task_.read([self = shared_from_this(), done = std::move(done)](
                 ErrorCode error, std::string_view bytes) mutable { done(error, bytes); });
}

void LocalUpstream::write(std::string_view bytes, TcpEnd::WriteDone done) {
  task_.write(bytes, [self = shared_from_this(), done = std::move(done)](ErrorCode error) mutable {
    done(error);
  });
}

void LocalUpstream::shutdown_send() {
  task_.shutdown_send();
}

void LocalUpstream::leave(Leave how) {
  connect_timer_.cancel();
  if (how == Leave::clean) {
    task_.close();
  } else {
    task_.reset();
  }
  lease_.reset();
}

}  // namespace swarm::mesh

#include "mesh/proxy/control_channel.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/log.h"

namespace swarm::mesh {

namespace {

using ErrorCode = boost::system::error_code;

// A peer that reads nothing for so long is not served any more.
constexpr size_t kMaxOutput = 2 * kMaxControlMessage;

}  // namespace

void ControlChannel::start(Events events) {
  set_events(std::move(events));
  read_length();
}

void ControlChannel::set_events(Events events) {
  events_ = std::make_shared<Events>(std::move(events));
}

// Held here: what is told may make somebody else the listener.
void ControlChannel::deliver(ControlMessage message) {
  const std::shared_ptr<Events> events = events_;
  events->on_message(std::move(message));
}

void ControlChannel::read_length() {
  boost::asio::async_read(socket_, boost::asio::buffer(length_),
                          [self = shared_from_this()](ErrorCode error, size_t) {
                            if (self->is_closed_) return;
                            size_t length = 0;
                            for (const unsigned char byte : self->length_) {
                              length = length << 8 | byte;
                            }
                            if (error || length > kMaxControlMessage) {
                              self->fail();
                            } else {
                              self->read_message(length);
                            }
                          });
}

void ControlChannel::read_message(size_t length) {
  input_.resize(length);
  boost::asio::async_read(socket_, boost::asio::buffer(input_),
                          [self = shared_from_this()](ErrorCode error, size_t) {
                            if (self->is_closed_) return;
                            if (error) {
                              self->fail();
                              return;
                            }
                            Result<ControlMessage> message = decode_control(self->input_);
                            std::string().swap(self->input_);
                            if (!message.ok()) {
                              log::warning("control connection of the mesh spoke nonsense");
                              self->fail();
                              return;
                            }
                            self->deliver(*std::move(message));
                            if (!self->is_closed_) self->read_length();
                          });
}

void ControlChannel::send(const ControlMessage& message) {
  if (is_closed_) return;
  const std::string bytes = encode_control(message);
  if (bytes.size() > kMaxControlMessage || output_.size() + bytes.size() > kMaxOutput) {
    log::error("message for the mesh is too long or not taken", {{"bytes", bytes.size()}});
    fail();
    return;
  }
  for (const int shift : {24, 16, 8, 0}) {
    output_.push_back(static_cast<char>(bytes.size() >> shift));
  }
  output_.append(bytes);
  flush();
}

void ControlChannel::flush() {
  if (!writing_.empty() || output_.empty() || is_closed_) return;
  writing_.swap(output_);
  boost::asio::async_write(socket_, boost::asio::buffer(writing_),
                           [self = shared_from_this()](ErrorCode error, size_t) {
                             std::string().swap(self->writing_);
                             if (error) {
                               self->fail();
                             } else {
                               self->flush();
                             }
                           });
}

void ControlChannel::fail() {
  if (is_closed_) return;
  const std::shared_ptr<Events> events = events_;
  close();
  events->on_closed();
}

void ControlChannel::close() {
  is_closed_ = true;
  ErrorCode ignored;
  socket_.close(ignored);
}

}  // namespace swarm::mesh

#include "platform/arrivals.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <utility>

namespace swarm::platform {

namespace {

// Of a TLS record: type, version, length.
constexpr size_t kRecordHeader = 5;
// What a TLS record may hold.
constexpr size_t kMaxRecord = 16 * 1024;

using LowWatermark = boost::asio::socket_base::receive_low_watermark;

}  // namespace

// Handlers know it weakly: what still waits when it ends is closed with them.
class Arrivals::Hall : public std::enable_shared_from_this<Hall> {
 public:
  Hall(boost::asio::io_context& context, const Limits& limits, OnGreeted on_greeted)
      : context_(context),
        patience_(limits.patience),
        on_greeted_(std::move(on_greeted)),
        waiting_(limits.waiting),
        handshakes_(limits.handshakes, [this] { serve_soon(); }) {}

  void add(Tcp::socket socket) {
    std::string host = host_of(socket);
    if (host.empty() || !waiting_.has_room_for(host)) {
      return;
    }
    const auto guest =
        std::make_shared<Guest>(std::move(socket), host, waiting_.take(host), context_);
    ErrorCode ignored;
    guest->socket.non_blocking(true, ignored);
    guest->deadline.expires_after(patience_);
    guest->deadline.async_wait([weak = weak_from_this(), guest](ErrorCode aborted) {
      const auto self = weak.lock();
      if (!aborted && self != nullptr) {
        self->turn_away(guest);
      }
    });
    await(guest, 1);
  }

 private:
  struct Guest {
    Guest(Tcp::socket accepted, std::string from, Place taken, boost::asio::io_context& context)
        : socket(std::move(accepted)),
          host(std::move(from)),
          place(std::move(taken)),
          deadline(context) {}

    Tcp::socket socket;
    const std::string host;
    Place place;
    boost::asio::steady_timer deadline;
    size_t awaited = 0;
  };
  using GuestPtr = std::shared_ptr<Guest>;

  // Until so many bytes are there, or there will be no more.
  void await(const GuestPtr& guest, size_t bytes) {
    guest->awaited = bytes;
    ErrorCode ignored;
    guest->socket.set_option(LowWatermark(static_cast<int>(bytes)), ignored);
    guest->socket.async_wait(Tcp::socket::wait_read,
                             [weak = weak_from_this(), guest](ErrorCode error) {
                               const auto self = weak.lock();
                               if (!error && self != nullptr) {
                                 self->look_at(guest);
                               }
                             });
  }

  void look_at(const GuestPtr& guest) {
    std::array<unsigned char, kRecordHeader> header{};
    ErrorCode error;
    const size_t seen =
        guest->socket.receive(boost::asio::buffer(header), Tcp::socket::message_peek, error);
    if (error == boost::asio::error::would_block) {
      await(guest, guest->awaited);
      return;
    }
    if (error) {
      turn_away(guest);
      return;
    }
    if (header[0] != static_cast<unsigned char>(kFirstByteOfTls)) {
      greeted(guest);
      return;
    }
    const size_t needed = seen < kRecordHeader
                              ? kRecordHeader
                              : kRecordHeader + (size_t{header[3]} << 8 | size_t{header[4]});
    if (guest->socket.available(error) >= needed) {
      greeted(guest);
    } else if (guest->awaited < needed && needed <= kRecordHeader + kMaxRecord) {
      await(guest, needed);
    } else {
      turn_away(guest);  // it has said its last
    }
  }

  void greeted(const GuestPtr& guest) {
    queue_.push_back(guest);
    serve();
  }

  void turn_away(const GuestPtr& guest) {
    ErrorCode ignored;
    guest->socket.close(ignored);
    guest->deadline.cancel();
    guest->place.free();
    std::erase(queue_, guest);
  }

  void serve_soon() {
    if (!queue_.empty() && !is_serving_) {
      is_serving_ = true;
      boost::asio::post(context_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->is_serving_ = false;
          self->serve();
        }
      });
    }
  }

  // One host with many guests does not keep those behind it waiting.
  void serve() {
    while (true) {
      const auto next = std::find_if(queue_.begin(), queue_.end(), [this](const GuestPtr& guest) {
        return handshakes_.has_room_for(guest->host);
      });
      if (next == queue_.end()) {
        return;
      }
      const GuestPtr guest = *next;
      queue_.erase(next);
      guest->deadline.cancel();
      guest->place.free();
      ErrorCode ignored;
      guest->socket.set_option(LowWatermark(1), ignored);
      on_greeted_(std::move(guest->socket), handshakes_.take(guest->host));
    }
  }

  boost::asio::io_context& context_;
  const std::chrono::milliseconds patience_;
  const OnGreeted on_greeted_;
  ConnectionBound waiting_;
  ConnectionBound handshakes_;
  std::deque<GuestPtr> queue_;  // those that have greeted, in the order in which they did
  bool is_serving_ = false;
};

Arrivals::Arrivals(boost::asio::io_context& context, const Limits& limits, OnGreeted on_greeted)
    : hall_(std::make_shared<Hall>(context, limits, std::move(on_greeted))) {}

Arrivals::~Arrivals() = default;

void Arrivals::add(Tcp::socket socket) {
  hall_->add(std::move(socket));
}

std::string host_of(const Tcp::socket& socket) {
  ErrorCode is_over;
  const boost::asio::ip::address address = socket.remote_endpoint(is_over).address();
  if (is_over) {
    return "";
  }
  if (address.is_v4()) {
    return address.to_string();
  }
  if (address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .to_string();
  }
  boost::asio::ip::address_v6::bytes_type bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::make_address_v6(bytes).to_string();
}

}  // namespace swarm::platform

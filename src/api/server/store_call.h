#pragma once

#include <memory>
#include <utility>

#include "api/gateway.h"
#include "base/result.h"

// The two shapes of a control method on the leader: fill a reply from the store, or change the
// store and then reply.
namespace swarm::api {

// Runs `fill(view, gateway, reply)` on the head; the reply leaves when leadership is confirmed.
template <class Response, class Fill, class Reply>
void answer_from_store(std::shared_ptr<Gateway> gateway, Fill fill, Reply reply) {
  auto response = std::make_shared<Response>();
  Gateway& target = *gateway;
  target.read(
      [gateway, response, fill = std::move(fill)](const state::View& view) mutable {
        return fill(view, *gateway, *response);
      },
      [response, reply = std::move(reply)](Status status) mutable {
        reply(status.ok() ? Result<Response>(std::move(*response)) : Result<Response>(status));
      });
}

// Commits what `change(context, reply)` returns; the reply leaves when it is committed. A use case
// sees the store, the time and the generator of the leader only.
template <class Response, class Change, class Reply>
void change_store(std::shared_ptr<Gateway> gateway, Change change, Reply reply) {
  auto response = std::make_shared<Response>();
  Gateway& target = *gateway;
  target.write(
      [gateway, response, change = std::move(change)](const state::View& view, WallTime now,
                                                      Random& random) mutable {
        return change(view, now, random, *response);
      },
      [response, reply = std::move(reply)](Status status) mutable {
        reply(status.ok() ? Result<Response>(std::move(*response)) : Result<Response>(status));
      });
}

}  // namespace swarm::api

#pragma once

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "api/gateway.h"
#include "api/server/caller.h"
#include "base/result.h"
#include "control/context.h"

// The two shapes of a control method on the leader: fill a reply from the store, or change the
// store and then reply.
namespace swarm::api {

template <class Response>
using StoreReply = absl::AnyInvocable<void(Result<Response>)>;

// A Done that replies with `response` as it is by then.
template <class Response>
Gateway::Done replying_with(std::shared_ptr<Response> response, StoreReply<Response> reply) {
  return [response = std::move(response), reply = std::move(reply)](Status status) mutable {
    reply(status.ok() ? Result<Response>(std::move(*response)) : Result<Response>(status));
  };
}

// Runs `fill(view, gateway, response)` on the head; the reply leaves when leadership is confirmed.
template <class Response, class Fill>
void answer_from_store(std::shared_ptr<Gateway> gateway, Fill fill, StoreReply<Response> reply) {
  auto response = std::make_shared<Response>();
  Gateway& target = *gateway;
  target.read([gateway, response, fill = std::move(fill)](
                  const state::View& view) mutable { return fill(view, *gateway, *response); },
              replying_with(response, std::move(reply)));
}

// Commits what `change(context, response)` returns; the reply leaves when it is committed. A use
// case sees the store, the time and the generator of the leader only. For a request that was
// carried out before, `recall(view, response)` fills in the response instead.
template <class Response, class Change, class Recall>
void change_store(Gateway& gateway, const Caller& caller, Change change, Recall recall,
                  StoreReply<Response> reply) {
  auto response = std::make_shared<Response>();
  gateway.write_once(
      caller.request,
      [response, change = std::move(change)](const state::View& view, WallTime now,
                                             Random& random) mutable {
        return change(control::Context{view, now, random}, *response);
      },
      [response, recall = std::move(recall)](const state::View& view) mutable {
        return recall(view, *response);
      },
      replying_with(response, std::move(reply)));
}

// The same for a response that is empty.
template <class Response, class Change>
void change_store(Gateway& gateway, const Caller& caller, Change change,
                  StoreReply<Response> reply) {
  change_store<Response>(
      gateway, caller,
      [change = std::move(change)](const control::Context& context, Response&) mutable {
        return change(context);
      },
      [](const state::View&, Response&) { return absl::OkStatus(); }, std::move(reply));
}

// Handlers (LeaderMethod::handle) out of functions of the store.

// Status fill(const state::View&, Gateway&, const Caller&, const Request&, Response&)
template <auto fill, class Request, class Response>
void reading(std::shared_ptr<Gateway> gateway, const Caller& caller, const Request& request,
             StoreReply<Response> reply) {
  answer_from_store<Response>(
      std::move(gateway),
      [caller, request](const state::View& view, Gateway& source, Response& response) {
        return fill(view, source, caller, request, response);
      },
      std::move(reply));
}

// Result<state::ChangeSet> change(const control::Context&, const Caller&, const Request&)
template <auto change, class Request, class Response>
void changing(std::shared_ptr<Gateway> gateway, const Caller& caller, const Request& request,
              StoreReply<Response> reply) {
  change_store<Response>(
      *gateway, caller,
      [caller, request](const control::Context& context) {
        return change(context, caller, request);
      },
      std::move(reply));
}

}  // namespace swarm::api

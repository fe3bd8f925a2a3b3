#include "runtime/docker/engine_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "runtime/docker/engine_json.h"

namespace swarm::runtime {

namespace {

// The longest true answer is the list of all containers: some kilobytes each.
constexpr size_t kMaxAnswerBytes = 64 << 20;
constexpr size_t kMaxLineBytes = 1 << 20;
constexpr size_t kMaxErrorBytes = 64 << 10;
// Creating and starting are the slow ones: on a busy machine some seconds.
constexpr Duration kSlowLimit = minutes(2);
// Beyond the grace period, for the engine to kill and to tell.
constexpr Duration kStopMargin = seconds(30);
// A registry that cannot be reached shows within the engine's own time limits of about 15 s each
// for the name and the connection; one that was reached tells its progress.
constexpr Duration kRegistryLimit = seconds(60);
constexpr Duration kPullSilenceLimit = seconds(120);

bool is_error(int status) {
  return status >= 400;
}

}  // namespace

// A call whose answer is taken line by line.
struct EngineClient::LineCall {
  absl::AnyInvocable<void()> on_open = [] {};
  absl::AnyInvocable<void(const std::string&)> on_line;
  StatusDone on_end;
  int status = 0;
  std::string pending;  // of an error: its body; otherwise the line that has begun

  Status take(std::string_view data) {
    pending.append(data);
    if (is_error(status)) {
      pending.resize(std::min(pending.size(), kMaxErrorBytes));
      return absl::OkStatus();
    }
    size_t begin = 0;
    for (size_t end = pending.find('\n'); end != std::string::npos;
         end = pending.find('\n', begin)) {
      on_line(pending.substr(begin, end - begin));
      begin = end + 1;
    }
    pending.erase(0, begin);
    return pending.size() <= kMaxLineBytes
               ? absl::OkStatus()
               : absl::UnavailableError("the engine sent a line without end");
  }

  void end(Status transport) {
    if (transport.ok() && is_error(status)) {
      transport = error_of(status, pending);
    } else if (transport.ok() && !pending.empty()) {
      on_line(pending);
    }
    on_end(std::move(transport));
  }
};

EngineClient::EngineClient(AsioLoop& loop, std::string socket)
    : loop_(loop), socket_(std::move(socket)) {}

uint64_t EngineClient::begin(const EngineRequest& request, EngineEvents events) {
  const uint64_t id = ++last_session_;
  events.on_end = [this, id, on_end = std::move(events.on_end)](Status status) mutable {
    // The session is the caller of this function: it goes once it has returned.
    auto session = std::move(sessions_.extract(id).mapped());
    loop_.post([session = std::move(session)] {});
    on_end(std::move(status));
  };
  sessions_[id] = open_session(loop_, socket_, request, std::move(events));
  return id;
}

void EngineClient::call_unversioned(EngineRequest request, AnswerDone done) {
  auto answer = std::make_shared<Answer>();
  EngineEvents events;
  events.on_header = [answer](const EngineHeader& header) { answer->header = header; };
  events.on_data = [answer](std::string_view data) {
    answer->body.append(data);
    return answer->body.size() <= kMaxAnswerBytes
               ? absl::OkStatus()
               : absl::ResourceExhaustedError("the engine's answer is too long");
  };
  events.on_end = [answer, done = std::move(done)](Status status) mutable {
    if (status.ok() && is_error(answer->header.status)) {
      status = error_of(answer->header.status, answer->body);
    }
    if (status.ok()) {
      done(std::move(*answer));
    } else {
      done(std::move(status));
    }
  };
  begin(request, std::move(events));
}

void EngineClient::ping(StatusDone done) {
  call_unversioned({.target = "/_ping", .answer_limit = kPingLimit, .silence_limit = kPingLimit},
                   [this, done = std::move(done)](Result<Answer> answer) mutable {
                     if (!answer.ok()) {
                       done(answer.status());
                       return;
                     }
                     auto version = choose_api_version(answer->header.api_version);
                     Status status = version.status();
                     if (version.ok()) {
                       version_ = *std::move(version);
                     }
                     done(std::move(status));
                   });
}

void EngineClient::with_version(absl::AnyInvocable<void(Status)> next) {
  if (version_.empty()) {
    ping(std::move(next));
    return;
  }
  next(absl::OkStatus());
}

void EngineClient::call(EngineRequest request, AnswerDone done) {
  with_version(
      [this, request = std::move(request), done = std::move(done)](const Status& status) mutable {
        if (!status.ok()) {
          done(status);
          return;
        }
        request.target = "/v" + version_ + request.target;
        call_unversioned(std::move(request), std::move(done));
      });
}

void EngineClient::call_in_turn(CallQueue& queue, EngineRequest request, AnswerDone done) {
  queue.push(
      anchor_.bind([this, &queue, request = std::move(request), done = std::move(done)]() mutable {
        call(std::move(request), [&queue, done = std::move(done)](Result<Answer> answer) mutable {
          queue.finished();
          done(std::move(answer));
        });
      }));
}

void EngineClient::call_lines(EngineRequest request, std::shared_ptr<LineCall> call) {
  with_version([this, request = std::move(request), call](const Status& status) mutable {
    if (!status.ok()) {
      call->on_end(status);
      return;
    }
    request.target = "/v" + version_ + request.target;
    EngineEvents events;
    events.on_header = [call](const EngineHeader& header) {
      call->status = header.status;
      if (!is_error(header.status)) {
        call->on_open();
      }
    };
    events.on_data = [call](std::string_view data) { return call->take(data); };
    events.on_end = [call](Status end) { call->end(std::move(end)); };
    begin(request, std::move(events));
  });
}

void EngineClient::info(Done<agent::EngineDescription> done) {
  call({.target = "/info"}, [done = std::move(done)](Result<Answer> answer) mutable {
    done(answer.ok() ? parse_info(answer->body) : answer.status());
  });
}

void EngineClient::create(const std::string& name, std::string body, Done<std::string> done) {
  call({.method = "POST",
        .target = "/containers/create?name=" + percent_encode(name),
        .body = std::move(body),
        .answer_limit = kSlowLimit},
       [done = std::move(done)](Result<Answer> answer) mutable {
         done(answer.ok() ? parse_created_id(answer->body) : answer.status());
       });
}

void EngineClient::start(const std::string& container, StatusDone done) {
  call_in_turn(starts_,
               {.method = "POST",
                .target = "/containers/" + container + "/start",
                .answer_limit = kSlowLimit},
               [done = std::move(done)](Result<Answer> answer) mutable { done(answer.status()); });
}

void EngineClient::stop(const std::string& container, Duration grace, StatusDone done) {
  const auto whole = std::chrono::ceil<seconds>(grace).count();
  call_in_turn(stops_,
               {.method = "POST",
                .target = "/containers/" + container + "/stop?t=" + std::to_string(whole),
                .answer_limit = grace + kStopMargin},
               [done = std::move(done)](Result<Answer> answer) mutable {
                 const bool is_gone = absl::IsNotFound(answer.status());
                 done(is_gone ? absl::OkStatus() : answer.status());
               });
}

void EngineClient::remove(const std::string& container, StatusDone done) {
  call_in_turn(removals_,
               {.method = "DELETE",
                .target = "/containers/" + container + "?v=1&force=1",
                .answer_limit = kSlowLimit},
               [done = std::move(done)](Result<Answer> answer) mutable {
                 // 409: its removal is already in progress.
                 const bool is_gone =
                     absl::IsNotFound(answer.status()) || absl::IsAlreadyExists(answer.status());
                 done(is_gone ? absl::OkStatus() : answer.status());
               });
}

void EngineClient::inspect(const std::string& container, Done<ContainerState> done) {
  call_in_turn(inspections_, {.target = "/containers/" + percent_encode(container) + "/json"},
               [done = std::move(done)](Result<Answer> answer) mutable {
                 done(answer.ok() ? parse_container(answer->body) : answer.status());
               });
}

void EngineClient::list(const std::vector<std::string>& labels,
                        Done<std::vector<ListedContainer>> done) {
  call({.target = "/containers/json?all=1&filters=" + label_filter(labels)},
       [done = std::move(done)](Result<Answer> answer) mutable {
         done(answer.ok() ? parse_containers(answer->body) : answer.status());
       });
}

void EngineClient::history(const std::string& container, Done<std::vector<EngineEvent>> done) {
  call_in_turn(inspections_, {.target = "/events?" + history_query(container, loop_.wall_now())},
               [done = std::move(done)](Result<Answer> answer) mutable {
                 if (!answer.ok()) {
                   done(answer.status());
                   return;
                 }
                 std::vector<EngineEvent> events;
                 for (const auto line : absl::StrSplit(answer->body, '\n')) {
                   if (auto event = parse_event({line.data(), line.size()})) {
                     events.push_back(*std::move(event));
                   }
                 }
                 done(std::move(events));
               });
}

void EngineClient::forbid_restarts(const std::string& container, StatusDone done) {
  call({.method = "POST",
        .target = "/containers/" + container + "/update",
        .body = R"({"RestartPolicy":{"Name":"no"}})"},
       [done = std::move(done)](Result<Answer> answer) mutable { done(answer.status()); });
}

void EngineClient::exec(const std::string& container, const std::vector<std::string>& command,
                        Done<Ran> done) {
  call_in_turn(execs_,
               {.method = "POST",
                .target = "/containers/" + container + "/exec",
                .body = exec_body(command)},
               [this, done = std::move(done)](Result<Answer> answer) mutable {
                 auto id = answer.ok() ? parse_exec_id(answer->body) : answer.status();
                 if (!id.ok()) {
                   done(id.status());
                   return;
                 }
                 run_exec(*id, std::move(done));
               });
}

void EngineClient::run_exec(const std::string& exec, Done<Ran> done) {
  // The stream of its output ends with it: however long that takes, who waits has a limit.
  call({.method = "POST",
        .target = "/exec/" + exec + "/start",
        .body = R"({"Detach":false,"Tty":false})",
        .silence_limit = Duration::zero()},
       [this, exec, done = std::move(done)](Result<Answer> started) mutable {
         if (!started.ok()) {
           done(started.status());
           return;
         }
         call({.target = "/exec/" + exec + "/json"},
              [output = parse_output(started->body),
               done = std::move(done)](Result<Answer> ended) mutable {
                auto code = ended.ok() ? parse_exec_exit(ended->body) : ended.status();
                if (!code.ok()) {
                  done(code.status());
                  return;
                }
                done(Ran{*code, std::move(output)});
              });
       });
}

void EngineClient::pull(const std::string& image, StatusDone done) {
  auto failure = std::make_shared<std::string>();
  auto call = std::make_shared<LineCall>();
  call->on_line = [failure](const std::string& line) {
    if (auto error = parse_pull_error(line)) {
      *failure = *std::move(error);
    }
  };
  call->on_end = [failure, done = std::move(done)](Status status) mutable {
    done(status.ok() && !failure->empty() ? absl::NotFoundError(*failure) : std::move(status));
  };
  call_lines({.method = "POST",
              .target = "/images/create?" + pull_query(image),
              .answer_limit = kRegistryLimit,
              .silence_limit = kPullSilenceLimit},
             std::move(call));
}

void EngineClient::watch(Watch watch) {
  sessions_.erase(std::exchange(watch_session_, 0));
  auto call = std::make_shared<LineCall>();
  call->on_open = std::move(watch.on_open);
  call->on_line = [on_event = std::move(watch.on_event)](const std::string& line) mutable {
    if (const auto event = parse_event(line)) {
      on_event(*event);
    }
  };
  call->on_end = std::move(watch.on_end);
  call_lines({.target = "/events?filters=" + event_filter(), .silence_limit = Duration::zero()},
             std::move(call));
  watch_session_ = last_session_;
}

}  // namespace swarm::runtime

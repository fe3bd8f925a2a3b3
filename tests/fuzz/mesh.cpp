#include "fuzz/target.h"
#include "mesh/control_message.h"
#include "mesh/frame.h"
#include "mesh/http_tracker.h"

namespace swarm::fuzz {

// ---- what two meshes say ----

Result<bool> run_mesh_frames(std::string_view input) {
  std::string again;
  std::string_view rest = input;
  while (true) {
    const Result<std::optional<mesh::Frame>> frame = mesh::parse_frame(rest);
    if (!frame.ok() || !frame->has_value()) {
      break;
    }
    append_frame(again, (*frame)->type, (*frame)->payload);
    rest.remove_prefix((*frame)->size());
    const Result<mesh::OpenRequest> open = mesh::decode_open((*frame)->payload);
    if (open.ok() && encode_open(*open) != (*frame)->payload) {
      return bug("an open request that was accepted is written as another");
    }
  }
  SWARM_RETURN_IF_ERROR(
      accepted(input.starts_with(again), "frames are written as others").status());
  return !again.empty();
}

std::vector<std::string> mesh_frame_seeds() {
  std::string stream;
  append_frame(stream, mesh::FrameType::open, mesh::encode_open({model::TaskId("task1"), 80}));
  append_frame(stream, mesh::FrameType::data, "GET / HTTP/1.1\r\n\r\n");
  append_frame(stream, mesh::FrameType::end, "");
  std::string answer;
  append_frame(answer, mesh::FrameType::declined, "the task is being stopped");
  return {stream, answer};
}

// ---- what swarmd and the mesh of its node say ----

Result<bool> run_mesh_control(std::string_view input) {
  const Result<mesh::ControlMessage> message = mesh::decode_control(input);
  if (!message.ok()) {
    return refused(message.status(), absl::IsInvalidArgument);
  }
  const Result<mesh::ControlMessage> again = mesh::decode_control(encode_control(*message));
  return accepted(again.ok() && *again == *message, "a control message comes back as another");
}

std::vector<std::string> mesh_control_seeds() {
  const model::ServiceId web("web");
  model::MeshTable table;
  table.position = 7;
  table.services = {{web,
                     "web",
                     {{.target = 80, .published = 8080}},
                     {{model::TaskId("task1"), model::NodeId("node1"), "127.0.0.1:7946",
                       model::EndpointState::draining}}}};
  table.removed_nodes = {model::NodeId("node2")};
  const std::vector<mesh::ControlMessage> messages = {
      mesh::Hello{mesh::kControlProtocol, model::SwarmId("swarm"), model::NodeId("node1")},
      table,
      mesh::Admit{{model::TaskId("task1"), web, {{80, "127.0.0.1:30000"}}}},
      mesh::Retire{model::TaskId("task1"), seconds(30)},
      mesh::Credentials{"authority", "certificate", "key"},
      mesh::Shutdown{},
      mesh::Welcome{mesh::kControlProtocol, model::SwarmId("swarm"), model::NodeId("node1")},
      mesh::Retired{model::TaskId("task1")},
      mesh::Problems{{{web, {.target = 80, .published = 8080}, "the port is taken"}}},
      mesh::Ping{},
      mesh::Pong{},
  };
  std::vector<std::string> seeds;
  for (const mesh::ControlMessage& message : messages) {
    seeds.push_back(encode_control(message));
  }
  return seeds;
}

// ---- what goes through the mesh ----

namespace {

// Requests, an empty byte, answers.
struct Conversation {
  std::string_view requests;
  std::string_view answers;
};

Conversation conversation_of(std::string_view input) {
  const size_t border = input.find('\0');
  return border == std::string_view::npos
             ? Conversation{input, {}}
             : Conversation{input.substr(0, border), input.substr(border + 1)};
}

// Gives the tracker pieces of at most `piece` bytes.
Status feed(mesh::HttpTracker& tracker, const Conversation& conversation, size_t piece) {
  for (std::string_view rest = conversation.requests; !rest.empty();) {
    const std::string_view bytes = rest.substr(0, piece);
    const size_t taken = tracker.feed_request(bytes);
    if (taken == 0 || taken > bytes.size()) {
      return bug("the tracker took " + std::to_string(taken) + " of " +
                 std::to_string(bytes.size()) + " bytes");
    }
    rest.remove_prefix(taken);
  }
  for (std::string_view rest = conversation.answers; !rest.empty();) {
    tracker.feed_response(rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  return absl::OkStatus();
}

}  // namespace

// How the network cuts the bytes must not matter.
Result<bool> run_http(std::string_view input) {
  const Conversation conversation = conversation_of(input);
  mesh::HttpTracker whole;
  SWARM_RETURN_IF_ERROR(feed(whole, conversation, std::string_view::npos));
  for (const size_t piece : {1, 7}) {
    mesh::HttpTracker cut;
    SWARM_RETURN_IF_ERROR(feed(cut, conversation, piece));
    if (cut.is_opaque() != whole.is_opaque() || cut.is_idle() != whole.is_idle() ||
        cut.may_repeat() != whole.may_repeat() ||
        (!cut.is_opaque() && cut.keeps_open() != whole.keeps_open())) {
      return bug("the tracker depends on how the bytes are cut");
    }
  }
  return true;
}

std::vector<std::string> http_seeds() {
  const std::string end(1, '\0');
  return {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n" + end + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n" +
          end +
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "2\r\nok\r\n0\r\n\r\n",
      "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nConnection: "
      "close\r\n\r\n" +
          end + "HTTP/1.0 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest",
      "CONNECT a:1 HTTP/1.1\r\n\r\n" + end + "HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01",
  };
}

}  // namespace swarm::fuzz

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Code that reads bytes nobody of ours may have written: from the network, from disks that rot,
// from people. Whatever the bytes, it must end with a result, and what it accepts it must be able
// to write and read again.
//
// Each target runs in two ways: `replay_test` mutates its seeds a bounded number of times with any
// compiler, as a test; `./dev fuzz` lets libFuzzer look for as long as one likes.
namespace swarm::fuzz {

struct Target {
  std::string name;
  // Whether the input was accepted. An error is a bug of what is tested.
  Result<bool> (*run)(std::string_view input);
  // Inputs that are accepted, of every kind that there is.
  std::vector<std::string> (*seeds)();
};

std::span<const Target> targets();

inline Status bug(std::string_view what) {
  return absl::InternalError(std::string(what));
}

// An input was refused: as it may be, or with an error that says something else.
template <class... Expected>
Result<bool> refused(const Status& status, Expected... is_expected) {
  if ((is_expected(status) || ...)) {
    return false;
  }
  return status;
}

// What was accepted comes back as it was.
inline Result<bool> accepted(bool is_same, std::string_view otherwise) {
  if (!is_same) {
    return bug(otherwise);
  }
  return true;
}

// One file for each group of formats.
Result<bool> run_raft_message(std::string_view input);
std::vector<std::string> raft_message_seeds();
Result<bool> run_raft_log(std::string_view input);
std::vector<std::string> raft_log_seeds();
Result<bool> run_raft_snapshot(std::string_view input);
std::vector<std::string> raft_snapshot_seeds();
Result<bool> run_mesh_frames(std::string_view input);
std::vector<std::string> mesh_frame_seeds();
Result<bool> run_mesh_control(std::string_view input);
std::vector<std::string> mesh_control_seeds();
Result<bool> run_http(std::string_view input);
std::vector<std::string> http_seeds();
Result<bool> run_texts(std::string_view input);
std::vector<std::string> text_seeds();
Result<bool> run_change_set(std::string_view input);
std::vector<std::string> change_set_seeds();
Result<bool> run_store_snapshot(std::string_view input);
std::vector<std::string> store_snapshot_seeds();
Result<bool> run_agent_messages(std::string_view input);
std::vector<std::string> agent_message_seeds();

}  // namespace swarm::fuzz

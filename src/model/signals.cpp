#include "model/signals.h"

#include <array>
#include <charconv>
#include <string>

namespace swarm::model {
namespace {

struct Signal {
  int32_t number;
  std::string_view name;
};

// The first name of a number is the one that is shown.
constexpr std::array kSignals{
    Signal{1, "SIGHUP"},     Signal{2, "SIGINT"},    Signal{3, "SIGQUIT"},  Signal{4, "SIGILL"},
    Signal{5, "SIGTRAP"},    Signal{6, "SIGABRT"},   Signal{6, "SIGIOT"},   Signal{7, "SIGBUS"},
    Signal{8, "SIGFPE"},     Signal{9, "SIGKILL"},   Signal{10, "SIGUSR1"}, Signal{11, "SIGSEGV"},
    Signal{12, "SIGUSR2"},   Signal{13, "SIGPIPE"},  Signal{14, "SIGALRM"}, Signal{15, "SIGTERM"},
    Signal{16, "SIGSTKFLT"}, Signal{17, "SIGCHLD"},  Signal{17, "SIGCLD"},  Signal{18, "SIGCONT"},
    Signal{19, "SIGSTOP"},   Signal{20, "SIGTSTP"},  Signal{21, "SIGTTIN"}, Signal{22, "SIGTTOU"},
    Signal{23, "SIGURG"},    Signal{24, "SIGXCPU"},  Signal{25, "SIGXFSZ"}, Signal{26, "SIGVTALRM"},
    Signal{27, "SIGPROF"},   Signal{28, "SIGWINCH"}, Signal{29, "SIGIO"},   Signal{29, "SIGPOLL"},
    Signal{30, "SIGPWR"},    Signal{31, "SIGSYS"}};

constexpr int32_t kFirstRealTime = 34;
constexpr int32_t kLastRealTime = 64;

std::optional<int32_t> parse_number(std::string_view text) {
  int32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  return is_number ? std::optional(number) : std::nullopt;
}

// "RTMIN" to "RTMIN+15", "RTMAX-14" to "RTMAX".
std::optional<int32_t> parse_real_time(std::string_view name) {
  const bool is_from_end = name.starts_with("RTMAX");
  if (!is_from_end && !name.starts_with("RTMIN")) {
    return std::nullopt;
  }
  name.remove_prefix(5);
  if (name.empty()) {
    return is_from_end ? kLastRealTime : kFirstRealTime;
  }
  const std::optional<int32_t> offset = parse_number(name.substr(1));
  if (name.front() != (is_from_end ? '-' : '+') || !offset || *offset < 1 ||
      *offset > (is_from_end ? 14 : 15)) {
    return std::nullopt;
  }
  return is_from_end ? kLastRealTime - *offset : kFirstRealTime + *offset;
}

}  // namespace

std::optional<int32_t> parse_signal(std::string_view text) {
  if (const auto number = parse_number(text)) {
    return *number >= 1 && *number <= kLastRealTime ? number : std::nullopt;
  }
  std::string name;
  for (const char c : text) {
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (!name.starts_with("SIG")) {
    name.insert(0, "SIG");
  }
  for (const Signal& signal : kSignals) {
    if (signal.name == name) {
      return signal.number;
    }
  }
  return parse_real_time(std::string_view(name).substr(3));
}

std::string_view signal_name(int32_t number) {
  for (const Signal& signal : kSignals) {
    if (signal.number == number) {
      return signal.name;
    }
  }
  return "";
}

}  // namespace swarm::model

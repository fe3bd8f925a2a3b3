#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace swarm::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& logger() {
  // Leaked on purpose: threads may log while static objects are destroyed.
  static spdlog::logger* const instance = [] {
    auto* made = new spdlog::logger("swarmd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

struct Context {
  std::mutex mutex;
  std::string text;
};

Context& context() {
  static Context* const instance = new Context;
  return *instance;
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" \"=\n\t\\") != std::string_view::npos;
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
  line.append(" ").append(name).append("=");
  if (!needs_quotes(value)) {
    line.append(value);
    return;
  }
  line.push_back('"');
  for (const char c : value) {
    if (c == '\n') {
      line.append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') {
      line.push_back('\\');
    }
    line.push_back(c);
  }
  line.push_back('"');
}

}  // namespace

void set_level(Level level) {
  logger().set_level(to_spdlog(level));
}

void set_context(std::string name, std::string value) {
  const std::scoped_lock lock(context().mutex);
  context().text.clear();
  append_field(context().text, name, value);
}

void write(Level level, std::string_view phrase, Fields fields) {
  if (!logger().should_log(to_spdlog(level))) {
    return;
  }
  std::string line(phrase);
  for (const Field& field : fields) {
    append_field(line, field.name, field.value);
  }
  {
    const std::scoped_lock lock(context().mutex);
    line.append(context().text);
  }
  logger().log(to_spdlog(level), spdlog::string_view_t(line));
}

}  // namespace swarm::log

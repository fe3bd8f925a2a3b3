#pragma once

#include <filesystem>
#include <iosfwd>

#include "raft/log/log_report.h"

namespace swarm::raft {

// A report on a raft log, and how it is to be shown.
struct LogReportView {
  const LogReport& report;
  std::filesystem::path directory;
  bool is_sealed = false;     // there was no key: entries are unknown
  bool with_entries = false;  // each of them
};

// For people: a few aligned tables.
void write_table(const LogReportView& view, std::ostream& out);
// For programs: one object on one line.
void write_json(const LogReportView& view, std::ostream& out);

}  // namespace swarm::raft

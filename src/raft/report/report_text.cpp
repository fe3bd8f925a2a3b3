#include "raft/report/report_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace swarm::raft {

namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

std::string hex(uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

std::string range(Index first, Index last) {
  return first.is_empty() ? "-"
                          : std::to_string(first.value()) + "-" + std::to_string(last.value());
}

const char* name_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::noop:
      return "no-op";
    case EntryKind::command:
      return "command";
    case EntryKind::membership:
      return "membership";
  }
  return "unknown";
}

size_t payload_bytes(const Entry& entry) {
  return entry.data == nullptr ? 0 : entry.data->size();
}

void write_rows(const std::vector<Row>& rows, std::ostream& out) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

void write_segments(const LogReportView& view, std::ostream& out) {
  std::vector<Row> rows = {{"SEGMENT", "EPOCH", "BYTES", "USED", "GROUPS", "RECORDS", "ENTRIES"}};
  for (const SegmentSummary& segment : view.report.log.segments) {
    rows.push_back({hex(segment.header.number), hex(segment.header.epoch),
                    std::to_string(segment.header.file_bytes), std::to_string(segment.end),
                    std::to_string(segment.groups),
                    std::to_string(segment.state_records + segment.entry_records),
                    view.is_sealed && segment.entry_records > 0
                        ? "sealed"
                        : range(segment.first, segment.last)});
  }
  write_rows(rows, out);
}

void write_snapshots(const LogReport& report, std::ostream& out) {
  std::vector<Row> rows = {{"SNAPSHOT", "INDEX", "TERM", "CHUNKS", "BYTES", "STATE"}};
  for (const SnapshotSummary& snapshot : report.snapshots) {
    rows.push_back({snapshot.path.filename().string(), std::to_string(snapshot.meta.index.value()),
                    std::to_string(snapshot.meta.term.value()), std::to_string(snapshot.chunks),
                    std::to_string(snapshot.file_bytes),
                    snapshot.verdict.ok() ? "whole" : "damaged"});
  }
  write_rows(rows, out);
}

void write_members(const LogReport& report, std::ostream& out) {
  std::vector<Row> rows = {{"MEMBER", "ADDRESS", "ROLE"}};
  for (const Member& member : report.membership.members) {
    rows.push_back({std::to_string(member.id.value()), member.address,
                    member.is_learner ? "learner" : "voter"});
  }
  write_rows(rows, out);
}

void write_entries(const LogContents& log, std::ostream& out) {
  std::vector<Row> rows = {{"INDEX", "TERM", "KIND", "BYTES"}};
  for (const Entry& entry : log.entries) {
    rows.push_back({std::to_string(entry.index.value()), std::to_string(entry.term.value()),
                    name_of(entry.kind), std::to_string(payload_bytes(entry))});
  }
  write_rows(rows, out);
}

// The terms of the entries, each with its range: "1: 1-20, 3: 21-40".
std::string terms_of(const std::vector<Entry>& entries) {
  std::string text;
  for (size_t begin = 0; begin < entries.size();) {
    size_t end = begin;
    while (end < entries.size() && entries[end].term == entries[begin].term) {
      ++end;
    }
    text += (text.empty() ? "" : ", ") + std::to_string(entries[begin].term.value()) + ": " +
            range(entries[begin].index, entries[end - 1].index);
    begin = end;
  }
  return text;
}

void write_state(const LogReportView& view, std::ostream& out) {
  const LogContents& log = view.report.log.contents;
  out << "state     term " << log.hard_state.term.value() << ", vote ";
  if (log.hard_state.vote.is_empty()) {
    out << "none";
  } else {
    out << log.hard_state.vote.value();
  }
  out << ", commit " << log.hard_state.commit.value() << '\n';
  out << "snapshot  ";
  if (log.snapshot.index.is_empty()) {
    out << "none\n";
  } else {
    out << "index " << log.snapshot.index.value() << ", term " << log.snapshot.term.value() << '\n';
  }
  if (view.is_sealed) {
    out << "entries   sealed: there is no key beside the log\n";
  } else if (log.entries.empty()) {
    out << "entries   none\n";
  } else {
    out << "entries   " << range(log.entries.front().index, log.entries.back().index)
        << "; by term " << terms_of(log.entries) << '\n';
  }
  if (view.report.log.torn_bytes() > 0) {
    out << "torn      " << view.report.log.torn_bytes() << " bytes at offset " << log.offset
        << " of segment " << hex(log.segment.number)
        << " were never acknowledged; the next start cuts them off\n";
  }
}

// Ids use all 64 bits, which readers of JSON numbers do not keep.
Json id_text(MemberId id) {
  return id.is_empty() ? Json(nullptr) : Json(std::to_string(id.value()));
}

Json json_of(const SegmentSummary& segment) {
  Json json = {{"number", segment.header.number},
               {"epoch", hex(segment.header.epoch)},
               {"fileBytes", segment.header.file_bytes},
               {"usedBytes", segment.end},
               {"groups", segment.groups},
               {"stateRecords", segment.state_records},
               {"entryRecords", segment.entry_records}};
  if (!segment.first.is_empty()) {
    json["firstIndex"] = segment.first.value();
    json["lastIndex"] = segment.last.value();
  }
  return json;
}

Json json_of(const SnapshotSummary& snapshot) {
  return {{"file", snapshot.path.filename().string()},
          {"index", snapshot.meta.index.value()},
          {"term", snapshot.meta.term.value()},
          {"chunks", snapshot.chunks},
          {"bytes", snapshot.file_bytes},
          {"whole", snapshot.verdict.ok()}};
}

Json json_of(const Entry& entry) {
  return {{"index", entry.index.value()},
          {"term", entry.term.value()},
          {"kind", name_of(entry.kind)},
          {"bytes", payload_bytes(entry)}};
}

Json json_of(const Member& member) {
  return {{"id", id_text(member.id)}, {"address", member.address}, {"learner", member.is_learner}};
}

template <class Items>
Json list_of(const Items& items) {
  Json list = Json::array();
  for (const auto& item : items) {
    list.push_back(json_of(item));
  }
  return list;
}

}  // namespace

void write_table(const LogReportView& view, std::ostream& out) {
  const LogReport& report = view.report;
  out << "folder    " << view.directory.string() << '\n';
  write_state(view, out);
  out << '\n';
  write_segments(view, out);
  if (!report.snapshots.empty()) {
    out << '\n';
    write_snapshots(report, out);
  }
  if (!report.membership.members.empty()) {
    out << "\nmembers by index " << report.membership_index.value() << '\n';
    write_members(report, out);
  }
  if (view.with_entries && !view.is_sealed) {
    out << '\n';
    write_entries(report.log.contents, out);
  }
  out << (report.damage.empty() ? "\nwhole: every checksum and the chain are right\n"
                                : "\nDAMAGED\n");
}

void write_json(const LogReportView& view, std::ostream& out) {
  const LogReport& report = view.report;
  const LogContents& log = report.log.contents;
  Json json = {{"folder", view.directory.string()},
               {"sealed", view.is_sealed},
               {"term", log.hard_state.term.value()},
               {"vote", id_text(log.hard_state.vote)},
               {"commit", log.hard_state.commit.value()},
               {"snapshotIndex", log.snapshot.index.value()},
               {"snapshotTerm", log.snapshot.term.value()},
               {"segments", list_of(report.log.segments)},
               {"snapshots", list_of(report.snapshots)},
               {"members", list_of(report.membership.members)},
               {"membersIndex", report.membership_index.value()},
               {"tornBytes", report.log.torn_bytes()}};
  if (!log.entries.empty()) {
    json["firstIndex"] = log.entries.front().index.value();
    json["lastIndex"] = log.entries.back().index.value();
    json["lastTerm"] = log.entries.back().term.value();
  }
  if (view.with_entries) {
    json["entries"] = list_of(log.entries);
  }
  json["damage"] = Json::array();
  for (const Status& damage : report.damage) {
    json["damage"].push_back(damage.message());
  }
  out << json.dump() << '\n';
}

}  // namespace swarm::raft

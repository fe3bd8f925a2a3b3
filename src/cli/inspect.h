#pragma once

#include <string>
#include <vector>

#include "api/client/client.h"
#include "base/result.h"
#include "base/time.h"

// What `inspect` shows: JSON with the reference's field names, or a page for people.
namespace swarm::cli {

// A JSON array with four spaces a level, or with a `format` one line for each object ("json", or
// text with fields like {{.Spec.Name}}).
Result<std::string> services_as_json(const std::vector<api::Client::ServiceSummary>& services,
                                     const std::string& format);
Result<std::string> nodes_as_json(const std::vector<api::Client::NodeView>& nodes,
                                  const std::string& format);
Result<std::string> swarm_as_json(const api::Client::SwarmView& swarm, const std::string& format);

std::string service_page(const api::Client::ServiceSummary& summary, WallTime now);
std::string node_page(const api::Client::NodeView& view);

}  // namespace swarm::cli

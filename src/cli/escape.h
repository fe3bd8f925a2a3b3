#pragma once

#include <string>
#include <string_view>

namespace swarm::cli {

// The text without control characters other than newline and tab: they become \u001b and the like,
// which reads the same inside a JSON string. Names, labels and errors come from other people; what
// they hold must not move the cursor or rename the window of who looks at them.
std::string escaped(std::string_view text);

// The same for a value that must stay on one line: newlines, carriage returns and tabs are spaces.
std::string on_one_line(std::string_view text);

}  // namespace swarm::cli

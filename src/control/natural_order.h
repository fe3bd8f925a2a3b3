#pragma once

#include <string_view>

namespace swarm::control {

// The order people expect of names: digits compare as numbers, so "web2" comes before "web10". A
// strict order of all strings: names that differ only in leading zeros compare by character.
bool is_naturally_before(std::string_view a, std::string_view b);

}  // namespace swarm::control

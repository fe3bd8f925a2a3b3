#include "runtime/process/bundle_store.h"

#include <algorithm>

namespace swarm::runtime {

namespace {

constexpr const char* kManifestName = "manifest.json";
constexpr size_t kMaxManifestBytes = 64 * 1024;
// An error message that lists more helps nobody.
constexpr size_t kMaxListed = 20;

bool is_component(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), is_allowed);
}

// "team/web:1.0" -> team/web/1.0. No component can lead out of the store.
Result<std::filesystem::path> path_of(const std::string& image) {
  const auto refuse = [&image] {
    return absl::FailedPreconditionError("'" + image +
                                         "' cannot name a bundle: use NAME or NAME:TAG");
  };
  const size_t colon = image.rfind(':');
  const std::string tag = colon == std::string::npos ? "latest" : image.substr(colon + 1);
  std::string_view name = std::string_view(image).substr(0, colon);
  std::filesystem::path path;
  while (true) {
    const size_t slash = name.find('/');
    const std::string_view component = name.substr(0, slash);
    if (!is_component(component)) {
      return refuse();
    }
    path /= component;
    if (slash == std::string_view::npos) {
      break;
    }
    name.remove_prefix(slash + 1);
  }
  if (!is_component(tag)) {
    return refuse();
  }
  return path / tag;
}

}  // namespace

BundleStore::BundleStore(FileSystem& files, std::vector<std::filesystem::path> directories)
    : files_(files), directories_(std::move(directories)) {}

Result<Bundle> BundleStore::find(const std::string& image) const {
  SWARM_ASSIGN_OR_RETURN(const std::filesystem::path path, path_of(image));
  std::string searched;
  for (const std::filesystem::path& directory : directories_) {
    const auto text = read_file(files_, directory / path / kManifestName, kMaxManifestBytes);
    if (text.ok()) {
      Bundle bundle{.directory = directory / path, .manifest = {}};
      auto manifest = parse_manifest(*text);
      if (!manifest.ok()) {
        return absl::FailedPreconditionError("image \"" + image +
                                             "\": " + std::string(manifest.status().message()));
      }
      bundle.manifest = *std::move(manifest);
      return bundle;
    }
    if (!absl::IsNotFound(text.status()) && files_.exists(directory / path)) {
      return absl::FailedPreconditionError("image \"" + image +
                                           "\": " + std::string(text.status().message()));
    }
    searched += (searched.empty() ? "" : ", ") + directory.string();
  }
  return absl::NotFoundError("no such image \"" + image + "\" in the bundle store " + searched +
                             " (available: " + available() + ")");
}

std::string BundleStore::available() const {
  std::vector<std::string> found;
  for (const std::filesystem::path& directory : directories_) {
    const auto names = files_.list(directory);
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
      const auto tags = files_.list(directory / name);
      for (const std::string& tag : tags.ok() ? *tags : std::vector<std::string>()) {
        if (files_.exists(directory / name / tag / kManifestName)) {
          found.push_back(name + ":" + tag);
        }
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::string text;
  for (size_t i = 0; i < std::min(found.size(), kMaxListed); ++i) {
    text += (i == 0 ? "" : ", ") + found[i];
  }
  if (found.size() > kMaxListed) {
    text += ", and " + std::to_string(found.size() - kMaxListed) + " more";
  }
  return text.empty() ? "none" : text;
}

}  // namespace swarm::runtime

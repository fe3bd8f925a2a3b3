#include "platform/resident_code.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace swarm::platform {

namespace {

// Code and constants of one program or library. Their pages are the file's own: nobody may write
// to them and the loader relocates nothing in them, so that dropping one loses nothing.
int release_object(dl_phdr_info* object, size_t, void*) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) {
      continue;
    }
    const uintptr_t start = object->dlpi_addr + segment.p_vaddr;
    const uintptr_t first = start / page * page;
    // Only a hint: a kernel that refuses it keeps the pages.
    ::madvise(std::bit_cast<void*>(first), start + segment.p_filesz - first, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void release_resident_code() {
  ::dl_iterate_phdr(&release_object, nullptr);
}

}  // namespace swarm::platform

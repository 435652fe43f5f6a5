// Where slots live on this machine: a folder with a file for each pool, and the socket of a running gate. All that
// share a limit must name the same folder.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::slots {

struct Place {
    std::string folder;

    [[nodiscard]] std::string file(std::string_view pool) const { return folder + "/" + std::string(pool) + ".slots"; }
    // The FIFOs of those who wait.
    [[nodiscard]] std::string line(std::string_view pool) const { return folder + "/" + std::string(pool) + ".line"; }
    [[nodiscard]] std::string socket() const { return folder + "/gate.sock"; }
    // Where the gate is steered (`tidegate ctl`): its own user's and root's.
    [[nodiscard]] std::string control() const { return folder + "/control.sock"; }
};

// `named` (a flag, TIDEGATE_SLOTS or [slots] path), else tidegate/slots in XDG_STATE_HOME or ~/.local/state. Makes the
// folder if it is missing, and refuses one whose file system keeps locks badly (NFS, SMB).
[[nodiscard]] Result<Place> find_place(const std::string& named);

// 1 to 64 letters, digits, and . _ - but not at the start.
[[nodiscard]] bool is_pool_name(std::string_view name);

// The name of a file system whose locks do not end with their holder, or are not seen by every host; empty: fine.
// `type` as statfs gives it.
[[nodiscard]] std::string_view network_file_system(unsigned long type);

// What to do about an error of the system on a file in `folder`: a sentence for a person.
[[nodiscard]] std::string advice(int error, const std::string& path);

}  // namespace tidegate::slots

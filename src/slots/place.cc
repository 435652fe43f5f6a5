#include "slots/place.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "config/values.h"

namespace tidegate::slots {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string owner_of(const std::string& path) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return "";
    const auto* entry = getpwuid(info.st_uid);
    return entry != nullptr ? entry->pw_name : fmt::format("user {}", info.st_uid);
}

Result<void> make_folders(const std::string& folder) {
    for (std::size_t slash = folder.find('/', 1);; slash = folder.find('/', slash + 1)) {
        const auto part = folder.substr(0, slash);
        if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
            struct stat info{};
            const int error = errno;
            const bool there = stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
            if (!there) return fail(fmt::format("the slots' folder {} cannot be made: {}", part, advice(error, part)));
        }
        if (slash == std::string::npos) return {};
    }
}

}  // namespace

bool is_pool_name(std::string_view name) {
    return config::is_plain_name(name);
}

std::string_view network_file_system(unsigned long type) {
    switch (type) {
        case 0x6969:
            return "NFS";
        case 0x517B:
        case 0xFF534D42:
        case 0xFE534D42:
            return "SMB";
        case 0x5346414F:
            return "AFS";
        case 0x01021997:
            return "9p";
        case 0x00C36400:
            return "Ceph";
        default:
            return "";
    }
}

std::string advice(int error, const std::string& path) {
    std::string said = std::strerror(error);
    switch (error) {
        case EACCES:
        case EPERM: {
            const auto owner = owner_of(path);
            const std::string whose = owner.empty() ? "" : fmt::format(" (it belongs to {})", owner);
            return fmt::format(
                "{}{}; run as its owner, or let all who share these slots write there, or name another folder in "
                "TIDEGATE_SLOTS or `path` in [slots]",
                said, whose);
        }
        case ENOSPC:
        case EDQUOT:
            return fmt::format(
                "{}; free some space (df -h {}), or name a folder on another disk in TIDEGATE_SLOTS or "
                "`path` in [slots]",
                said, path);
        case EFBIG:
            return fmt::format("{}; the limit of this process on the size of files (ulimit -f) is too low", said);
        case EROFS:
            return fmt::format("{}; name a folder that can be written in TIDEGATE_SLOTS or `path` in [slots]", said);
        case ENOLCK:
        case EOPNOTSUPP:
            return fmt::format(
                "{}: this file system does not keep locks; name a folder on a local disk in "
                "TIDEGATE_SLOTS or `path` in [slots]",
                said);
        case EMFILE:
        case ENFILE:
            return fmt::format("{}; raise the limit of open files (ulimit -n)", said);
        default:
            return said;
    }
}

Result<Place> find_place(const std::string& named) {
    std::string folder = named;
    if (folder.empty()) {
        folder = variable("XDG_STATE_HOME");
        if (!folder.starts_with('/')) {
            std::string home = variable("HOME");
            if (home.empty()) {
                const auto* entry = getpwuid(getuid());
                if (entry != nullptr && entry->pw_dir != nullptr) home = entry->pw_dir;
            }
            if (home.empty()) {
                return fail(
                    "there is no home folder to keep slots in; name a folder in TIDEGATE_SLOTS or `path` in [slots]");
            }
            folder = home + "/.local/state";
        }
        folder += "/tidegate/slots";
    }
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    if (auto made = make_folders(folder); !made) return std::unexpected(made.error());
    struct statfs system{};
    if (statfs(folder.c_str(), &system) == 0) {
        if (const auto name = network_file_system(static_cast<unsigned long>(system.f_type)); !name.empty()) {
            return fail(fmt::format(
                "the slots' folder {} is on {}, where a lock may outlive its holder or not be seen by others; name a "
                "folder on a local disk (/run, /dev/shm, /var/tmp) in TIDEGATE_SLOTS or `path` in [slots]",
                folder, name));
        }
    }
    return Place{std::move(folder)};
}

}  // namespace tidegate::slots

#include "watch/doctor/machine.h"

#include <fstream>
#include <sstream>
#include <string>

#include "watch/local.h"
#include "watch/table.h"

namespace tidegate::watch::doctor {
namespace {

std::optional<std::uint64_t> number_in_file(const char* path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    if (file >> number) return number;
    return std::nullopt;
}

std::optional<std::uint64_t> memory_of_machine() {
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::uint64_t kilobytes = 0;
    if (file >> name >> kilobytes && name == "MemTotal:") return kilobytes * 1024;
    return std::nullopt;
}

// Of the kernel's table of names in one line and values in the next.
std::uint64_t listen_overflows() {
    std::ifstream file("/proc/net/netstat");
    std::string names;
    std::string values;
    while (std::getline(file, names) && std::getline(file, values)) {
        std::istringstream name_of(names);
        std::istringstream value_of(values);
        std::string name;
        std::string value;
        while (name_of >> name && value_of >> value) {
            if (name == "ListenOverflows") return whole_number(value).value_or(0);
        }
    }
    return 0;
}

bool is_cron(const Program& program) {
    const auto command = program.command.substr(0, program.command.find(' '));
    const auto name = command.substr(command.rfind('/') + 1);
    return name == "cron" || name == "CRON" || name == "crond" || name == "supercronic";
}

}  // namespace

Machine look_at_machine() {
    Machine machine;
    machine.memory = memory_of_machine();
    const auto of_container = number_in_file("/sys/fs/cgroup/memory.max");
    if (machine.memory && of_container && *of_container < *machine.memory) machine.memory = of_container;
    machine.somaxconn = number_in_file("/proc/sys/net/core/somaxconn");
    machine.listen_overflows = listen_overflows();
    machine.listen_overflows_before = machine.listen_overflows;
    return machine;
}

bool started_by_cron(const Program& program) {
    constexpr int kGenerations = 6;
    int pid = program.parent;
    for (int i = 0; i < kGenerations && pid > 1; ++i) {
        const auto parent = program_of(pid);
        if (!parent) return false;
        if (is_cron(*parent)) return true;
        pid = parent->parent;
    }
    return false;
}

}  // namespace tidegate::watch::doctor

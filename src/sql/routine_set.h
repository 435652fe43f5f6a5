// Which stored routines are known, and known to leave nothing behind, with all that they call: made of what was read
// from the server at one time, and never changed. What is not in it is not known. Also: is there a trigger or a view
// that leaves something behind which nothing tells?
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql/routine_scan.h"

namespace tidegate::sql {

// What the server has. Names of routines and packages in lower case.
struct RoutineSource {
    struct Routine {
        std::string schema;
        std::string name;
        bool procedure = false;
        RoutineFacts facts;  // `unsafe` where the body could not be read
    };
    std::vector<Routine> routines;
    std::set<std::string, std::less<>> packages;  // a.b() may be one's, whatever the schema a has
    std::set<std::string, std::less<>> loadable;  // loadable functions, which go before stored ones
    bool loadable_known = false;
    // All triggers and views could be read. If not, any routine that takes a lock may be called by one.
    bool programs_visible = true;
};
// A trigger or a view.
struct ProgramSource {
    std::string schema;
    std::string name;
    RoutineFacts facts;
};

class RoutineSet {
public:
    // What a known routine does all the same, for who called it.
    struct Effects {
        bool asks_insert_id = false;
        bool sets_insert_id = false;
        bool queries = false;
        void add(const Effects& other) {
            asks_insert_id |= other.asks_insert_id;
            sets_insert_id |= other.sets_insert_id;
            queries |= other.queries;
        }
    };

    RoutineSet() = default;
    RoutineSet(const RoutineSource& routines, const std::vector<ProgramSource>& programs);

    // nullptr: it is not known to leave nothing behind. `name` in any case; `qualified`: the schema was named with it.
    [[nodiscard]] const Effects* find(std::string_view schema, std::string_view name, bool procedure,
                                      bool qualified) const;
    // A trigger or a view leaves something behind that nothing tells: which, and what. Empty: there is none.
    [[nodiscard]] const std::string& hidden() const { return hidden_; }
    [[nodiscard]] std::size_t size() const { return safe_.size(); }

private:
    struct Key {
        std::string schema;
        std::string name;
        bool procedure = false;
        auto operator<=>(const Key&) const = default;
    };
    using Table = std::map<Key, const RoutineSource::Routine*>;

    [[nodiscard]] const RoutineSource::Routine* called(const Table& all, const RoutineCall& call,
                                                       const std::string& schema) const;
    void find_safe(const Table& all);
    void find_hidden(const Table& all, const std::vector<ProgramSource>& programs);

    std::map<Key, Effects> safe_;
    std::set<std::string, std::less<>> packages_;
    std::set<std::string, std::less<>> loadable_;
    bool loadable_known_ = false;
    std::string hidden_;
};

}  // namespace tidegate::sql

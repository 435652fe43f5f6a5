// ClientSession: a statement that would pin because it calls something. It does not, where all that it calls is known
// to leave nothing behind, or the operator takes it as that. And what else the operator's rules want of a statement.
#include <utility>

#include "proxy/client_session.h"
#include "proxy/core.h"

namespace tidegate::proxy {

void ClientSession::find_rules() {
    rules_.reset();
    if (core_.config.rules.empty()) return;
    config::SessionRules found = config::rules_of(core_.config, user_, stream_->peer().host(), program_);
    if (found.any()) rules_ = std::make_unique<const config::SessionRules>(std::move(found));
}

void ClientSession::follow_rules(sql::Facts& facts, std::string_view text) {
    wish_ = {};
    const config::Wish wish = rules_->wish_for(text);
    if (wish.pin) facts.pins.add(sql::Pin::asked);
    if (wish.trust_calls && facts.pins.intersects(sql::kCallPins)) sql::trust_calls(facts);
}

void ClientSession::look_up_calls(sql::Facts& facts, std::string_view text, std::string_view schema) {
    const sql::RoutineSet* known = core_.routines.known();
    if (known == nullptr) return;
    sql::lift_calls(facts, text, session_.mode(), schema, *known);
    judged_at_ = core_.routines.version();
}

// The statement has run. Where something may have been changed since it was looked up, it may have run another body.
// One that no buffer holds has been scanned only now.
void ClientSession::judge_again(sql::Facts& facts) {
    if (facts.lifted.any() && judged_at_ != core_.routines.version()) facts.pins.add(facts.lifted);
    const config::Wish wish = std::exchange(wish_, {});
    if (wish.pin) facts.pins.add(sql::Pin::asked);
    if (wish.trust_calls && facts.pins.intersects(sql::kCallPins)) sql::trust_calls(facts);
}

}  // namespace tidegate::proxy

// Slots and fleets: SHOW SLOTS, HOLDERS, FLEETS, WORKERS.
#include <algorithm>

#include "api/console/sheet.h"
#include "api/console/shows.h"
#include "slots/process.h"

namespace tidegate::api::console {

protocol::TextTable show_slots(const Sources& sources) {
    Sheet sheet{{"pool"},
                {"max", Sheet::kNumber},
                {"active", Sheet::kNumber},
                {"room", Sheet::kNumber},
                {"waiting", Sheet::kNumber},
                {"oldest_wait", Sheet::kSeconds},
                {"peak", Sheet::kNumber},
                {"granted", Sheet::kNumber},
                {"waited", Sheet::kNumber},
                {"timed_out", Sheet::kNumber},
                {"recovered", Sheet::kNumber}};
    const TimePoint now = Clock::now();
    for (const auto& view : sources.slots()) {
        const slots::Ledger& ledger = view.ledger;
        const slots::Totals& totals = ledger.totals();
        Duration oldest{};
        for (const auto& waiter : ledger.line()) oldest = std::max(oldest, now - waiter.since);
        sheet.row().add(view.name).add(ledger.size()).add(ledger.active()).add(ledger.room()).add(ledger.waiting());
        sheet.add(oldest).add(totals.peak).add(totals.granted).add(totals.waited).add(totals.timed_out);
        sheet.add(totals.recovered);
    }
    return sheet.take();
}

protocol::TextTable show_holders(const Sources& sources) {
    Sheet sheet{{"pool"},    {"state"},   {"slot", Sheet::kNumber},     {"pid", Sheet::kNumber},
                {"command"}, {"account"}, {"seconds", Sheet::kSeconds}, {"priority", Sheet::kNumber}};
    const TimePoint now = Clock::now();
    for (const auto& view : sources.slots()) {
        for (slots::SlotNumber slot = 0; slot < view.ledger.holders().size(); ++slot) {
            const slots::Holder* holder = view.ledger.holder(slot);
            if (holder == nullptr) continue;
            sheet.row().add(view.name).add("holds").add(slot).add(holder->who.pid).add(holder->who.command());
            sheet.add(slots::account_name(holder->who.uid)).add(now - holder->since).add(holder->priority);
        }
        for (const auto& waiter : view.ledger.line()) {
            sheet.row().add(view.name).add("waits").number_or_null(0).add(waiter.who.pid).add(waiter.who.command());
            sheet.add(slots::account_name(waiter.who.uid)).add(now - waiter.since).add(waiter.order.priority);
        }
    }
    return sheet.take();
}

protocol::TextTable show_fleets(const Sources& sources) {
    Sheet sheet{{"fleet"},
                {"state"},
                {"why"},
                {"workers", Sheet::kNumber},
                {"running", Sheet::kNumber},
                {"waiting", Sheet::kNumber},
                {"stopping", Sheet::kNumber},
                {"to_be_started_again", Sheet::kNumber},
                {"done", Sheet::kNumber},
                {"failed", Sheet::kNumber},
                {"jobs_done", Sheet::kNumber},
                {"jobs_failed", Sheet::kNumber},
                {"restarts", Sheet::kNumber},
                {"crashes", Sheet::kNumber},
                {"killed", Sheet::kNumber}};
    for (const auto& view : sources.fleets()) {
        const fleet::Figures& f = view.figures;
        sheet.row().add(view.name).add(fleet::text_of(view.state)).text_or_null(view.why).add(f.workers);
        sheet.add(f.running).add(f.waiting).add(f.stopping).add(f.resting).add(f.done).add(f.failed);
        sheet.add(f.jobs_done).add(f.jobs_failed).add(f.restarts).add(f.crashes).add(f.killed);
    }
    return sheet.take();
}

protocol::TextTable show_workers(const Sources& sources) {
    Sheet sheet{{"fleet"},
                {"worker", Sheet::kNumber},
                {"pid", Sheet::kNumber},
                {"state"},
                {"age", Sheet::kSeconds},
                {"restarts", Sheet::kNumber},
                {"jobs", Sheet::kNumber},
                {"rss_bytes", Sheet::kNumber},
                {"status"},
                {"last_exit"}};
    for (const auto& view : sources.fleets()) {
        for (const auto& [worker, pid] : view.workers) {
            sheet.row().add(view.name).add(worker.id).number_or_null(pid).add(fleet::text_of(worker.state));
            sheet.add(worker.alive() ? std::optional(view.now - worker.started_at) : std::nullopt);
            sheet.add(worker.restarts).add(worker.jobs).number_or_null(worker.rss).text_or_null(worker.status);
            sheet.text_or_null(worker.restarts > 0 || worker.over() ? worker.last_exit.text() : "");
        }
    }
    return sheet.take();
}

}  // namespace tidegate::api::console

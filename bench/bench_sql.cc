// What the scanner costs per statement. It looks at every statement that passes the gate, so a point select of 100
// bytes is to stay far below what a packet costs anyway.
#include <benchmark/benchmark.h>

#include <span>
#include <string>
#include <string_view>

#include "sql/scanner.h"

namespace {

using tidegate::sql::Facts;
using tidegate::sql::Mode;
using tidegate::sql::Scanner;

void scan_text(benchmark::State& state, std::string_view text) {
    for (auto _ : state) {
        Facts facts = tidegate::sql::scan(text, Mode{});
        benchmark::DoNotOptimize(facts);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
}

BENCHMARK_CAPTURE(scan_text, begin, "BEGIN");
BENCHMARK_CAPTURE(scan_text, point_select, "SELECT c FROM sbtest1 WHERE id=50123");
BENCHMARK_CAPTURE(
    scan_text, point_select_100_bytes,
    "SELECT id, k, c, pad FROM sbtest1 WHERE id = 50123 AND tenant_id = 17 AND deleted_at IS NULL LIMIT 1");
BENCHMARK_CAPTURE(
    scan_text, orm_select,
    "select `users`.`id`, `users`.`name`, `users`.`email`, count(`orders`.`id`) as `orders_count` from `users` "
    "left join `orders` on `orders`.`user_id` = `users`.`id` where `users`.`tenant_id` = 17 and "
    "`users`.`created_at` >= '2026-01-01 00:00:00' group by `users`.`id` order by `orders_count` desc limit 20");
BENCHMARK_CAPTURE(
    scan_text, insert,
    "INSERT INTO sbtest1 (id, k, c, pad) VALUES (0, 5012, '83868641912-28773972837-60736120486', '67847967377')");
BENCHMARK_CAPTURE(scan_text, set_names, "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'");

std::string bulk_insert(std::size_t bytes) {
    std::string text = "INSERT INTO t (a, b) VALUES ";
    while (text.size() < bytes) {
        text += "(12345, 'a string of some length, as it is found in a column'),";
    }
    text += "(0, '')";
    return text;
}

void scan_bulk(benchmark::State& state) {
    scan_text(state, bulk_insert(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(scan_bulk)->Arg(64 << 10)->Arg(1 << 20);

// As a statement over 64 KB arrives: in buffers.
void scan_streamed(benchmark::State& state) {
    const std::string text = bulk_insert(1 << 20);
    const std::size_t piece = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        Scanner scanner(Mode{});
        for (std::size_t at = 0; at < text.size(); at += piece) {
            scanner.feed(std::span(text).subspan(at, std::min(piece, text.size() - at)));
        }
        Facts facts = scanner.finish();
        benchmark::DoNotOptimize(facts);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(scan_streamed)->Arg(1400)->Arg(16 << 10);

void scan_blob(benchmark::State& state) {
    const std::string text = "INSERT INTO t (a) VALUES ('" + std::string(1 << 20, 'x') + "')";
    scan_text(state, text);
}
BENCHMARK(scan_blob);

}  // namespace

BENCHMARK_MAIN();

<?php
// `php artisan schedule:work`: dispatches so many jobs, JOBS_PER_SECOND for SECONDS, then waits until the queue is empty.
//
// At any time BUSY shops of SHOPS have orders and stock to be passed on; in an hour it will be others. LAPS says how often all
// shops have had their turn at the end.
require __DIR__ . "/lib/application.php";

// The kinds of jobs, as often as they come.
function job(int $shop): Job
{
    return match (true) {
        ($die = mt_rand(1, 100)) <= 40 => new UpdateOrder($shop, mt_rand(1, 40)),
        $die <= 70 => new SendApiPayload($shop, mt_rand(1, 40)),
        $die <= 90 => new SyncStock($shop),
        default => new RunConsoleCommand($shop, "sales:day"),
    };
}

mt_srand(17);  // the same jobs in every run
$rate = (float) getenv("JOBS_PER_SECOND");
$jobs = (int) ($rate * (float) getenv("SECONDS"));
[$shops, $busy, $laps] = [(int) getenv("SHOPS"), (int) getenv("BUSY"), (float) getenv("LAPS")];
$queue = queue();
$began = hrtime(true);
for ($number = 0; $number < $jobs; $number++) {
    usleep((int) max(0, $number / $rate * 1e6 - (hrtime(true) - $began) / 1e3));
    $first = (int) ($number * $shops * $laps / $jobs);
    $queue->push(job(($first + mt_rand(0, $busy - 1)) % $shops + 1));
}
while ($queue->size() > 0) {
    usleep(200000);
}
echo "scheduler: $jobs dispatched, {$queue->failed()} given up\n";

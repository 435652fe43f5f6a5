<?php
// Imports the files that suppliers send. Started by cron, and runs on and on; cron starts it again all the same.
require __DIR__ . '/db.php';

$pause = fn(string $name, float $default) => usleep((int)(1e6 * (float)(getenv($name) ?: $default)));

function getQueuedJobs(): array
{
    return db()->query("SELECT id, file FROM import_jobs WHERE state = 'queued' ORDER BY id LIMIT 1")->fetchAll(PDO::FETCH_ASSOC);
}

function import(array $job): void
{
    $taken = db()->prepare("UPDATE import_jobs SET state = 'running' WHERE id = ? AND state = 'queued'");
    $taken->execute([$job['id']]);
    if ($taken->rowCount() === 0) {
        return; // another one was faster
    }
    db()->beginTransaction();
    $change = db()->prepare('UPDATE products SET stock = stock + ? WHERE id = ?');
    for ($line = 0; $line < 20; $line++) {
        $change->execute([1 + $line % 5, 1 + ($job['id'] * 20 + $line) % 200]);
    }
    db()->prepare("UPDATE import_jobs SET state = 'done', imported = 20 WHERE id = ?")->execute([$job['id']]);
    db()->commit();
}

while (true) {
    $jobs = [];
    $looked = step('look', function () use (&$jobs) {
        $jobs = getQueuedJobs();
    });
    foreach ($jobs as $job) {
        step('import', fn() => import($job));
    }
    $looked && $jobs ? $pause('SECONDS_BETWEEN_ROUNDS', 5) : $pause('SECONDS_WITHOUT_JOBS', 30);
}

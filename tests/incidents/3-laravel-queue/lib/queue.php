<?php
// The queue in the manner of Laravel's: `database` keeps the jobs in a table, `sync` does them at once, in the caller's process.

interface Queue
{
    public function push(Job $job): void;
}

abstract class Job
{
    // What the lines of output call it.
    public static function kind(): string
    {
        return strtolower(preg_replace("/(?<!^)[A-Z]/", "-$0", static::class));
    }

    abstract public function handle(): void;
}

// A job that was taken from the table, and is this worker's until it is deleted or released.
final class ReservedJob
{
    public readonly Job $job;

    public function __construct(private DatabaseQueue $queue, public readonly object $record)
    {
        $payload = json_decode($record->payload, true, flags: JSON_THROW_ON_ERROR);
        $this->job = new $payload["job"](...$payload["data"]);
    }

    public function attempts(): int
    {
        return $this->record->attempts;
    }

    public function delete(): void
    {
        $this->queue->deleteReserved($this->record->id);
    }

    public function release(int $delay): void
    {
        $this->queue->deleteAndRelease($this->record, $delay);
    }

    public function fail(Throwable $error): void
    {
        $this->queue->fail($this->record, $error);
    }
}

final class DatabaseQueue implements Queue
{
    public function __construct(private Connection $database, private int $retryAfter)
    {
    }

    public function push(Job $job): void
    {
        $payload = ["uuid" => bin2hex(random_bytes(16)), "job" => $job::class, "data" => get_object_vars($job)];
        $this->insert(json_encode($payload, JSON_THROW_ON_ERROR), 0, 0);
    }

    private function insert(string $payload, int $delay, int $attempts): void
    {
        $this->database->insertGetId("insert into `jobs`"
            . " (`queue`, `attempts`, `reserved_at`, `available_at`, `created_at`, `payload`) values (?, ?, null, ?, ?, ?)",
            ["default", $attempts, time() + $delay, time(), $payload]);
    }

    // The next job that is due, or whose worker has not been heard of for too long.
    public function pop(): ?ReservedJob
    {
        return $this->database->transaction(function () {
            $record = $this->database->selectOne("select * from `jobs` where `queue` = ?"
                . " and ((`reserved_at` is null and `available_at` <= ?) or (`reserved_at` <= ?))"
                . " order by `id` asc limit 1 FOR UPDATE SKIP LOCKED",
                ["default", time(), time() - $this->retryAfter]);
            if ($record === null) {
                return null;
            }
            $record->attempts++;
            $this->database->affect("update `jobs` set `reserved_at` = ?, `attempts` = ? where `id` = ?",
                [time(), $record->attempts, $record->id]);
            return new ReservedJob($this, $record);
        });
    }

    public function deleteReserved(int $id): void
    {
        $this->database->transaction(function () use ($id) {
            if ($this->database->selectOne("select * from `jobs` where `id` = ? limit 1 for update", [$id])) {
                $this->database->affect("delete from `jobs` where `id` = ?", [$id]);
            }
        });
    }

    public function deleteAndRelease(object $record, int $delay): void
    {
        $this->database->transaction(function () use ($record, $delay) {
            $this->deleteReserved($record->id);
            $this->insert($record->payload, $delay, $record->attempts);
        });
    }

    public function fail(object $record, Throwable $error): void
    {
        $this->deleteReserved($record->id);
        $this->database->insertGetId("insert into `failed_jobs`"
            . " (`uuid`, `connection`, `queue`, `payload`, `exception`) values (?, ?, ?, ?, ?)",
            [json_decode($record->payload)->uuid, "database", $record->queue, $record->payload, (string) $error]);
    }

    public function size(): int
    {
        return $this->database->selectOne("select count(*) as `aggregate` from `jobs` where `queue` = ?", ["default"])->aggregate;
    }

    public function failed(): int
    {
        return $this->database->selectOne("select count(*) as `aggregate` from `failed_jobs`")->aggregate;
    }
}

final class SyncQueue implements Queue
{
    public function push(Job $job): void
    {
        $job->handle();
    }
}

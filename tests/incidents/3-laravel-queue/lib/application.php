<?php
// Puts the application together: every program begins with this file.

require __DIR__ . "/database.php";
require __DIR__ . "/queue.php";
require __DIR__ . "/worker.php";
foreach (glob(__DIR__ . "/../jobs/*.php") as $file) {
    require $file;
}

// Says how a piece of work went, in one line: with its time, and with the error's number.
function report(string $kind, int $began, ?Throwable $error = null): void
{
    $milliseconds = intdiv(hrtime(true) - $began, 1000000);
    if ($error === null) {
        echo "done $kind $milliseconds\n";
    } else {
        $number = $error instanceof PDOException ? $error->errorInfo[1] ?? $error->getCode() : $error::class;
        echo "error $number $kind $milliseconds ", strtr($error->getMessage(), "\r\n", "  "), "\n";
    }
}

// The connection of a shop, whose name is looked up in the application's own schema, as multi-tenant packages do it.
function shop(int $id): Connection
{
    $shop = DB::connection()->selectOne("select * from `shops` where `id` = ? limit 1", [$id]);
    DB::$manager->configure("shop_$id", ["database" => $shop->database] + DB::$manager->configuration());
    return DB::connection("shop_$id");
}

function config(string $section): array
{
    static $config;
    $config ??= require __DIR__ . "/../config.php";
    return $config[$section];
}

function queue(): Queue
{
    $config = config("queue");
    return $config["driver"] == "sync" ? new SyncQueue() : new DatabaseQueue(DB::connection(), $config["retry_after"]);
}

DB::$manager = new DatabaseManager(config("database"));

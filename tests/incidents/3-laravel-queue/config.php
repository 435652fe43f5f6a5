<?php
// config/database.php and config/queue.php of the application, and how its worker is called.
return [
    "database" => [
        "default" => "mysql",
        "connections" => [
            "mysql" => [
                "host" => getenv("DB_HOST"), "port" => getenv("DB_PORT"), "database" => getenv("DB_NAME"),
                "username" => getenv("DB_USER"), "password" => getenv("DB_PASSWORD"),
                "charset" => "utf8mb4", "collation" => "utf8mb4_unicode_ci", "strict" => true,
                // Somebody's hope: neither Laravel nor PDO has a pool, and nobody reads this.
                "pool" => ["min" => 2, "max" => 10],
            ],
        ],
    ],
    "queue" => ["driver" => getenv("QUEUE_CONNECTION") ?: "database", "retry_after" => 90],
    "worker" => ["sleep" => 0.2, "tries" => 3, "backoff" => 1],
];

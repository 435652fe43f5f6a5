<?php
// The one file that everything includes for its database. Persistent, "for speed".
function db(): PDO
{
    static $db = null;
    return $db ??= new PDO(
        sprintf('mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4', getenv('DB_HOST'), getenv('DB_PORT'), getenv('DB_NAME')),
        getenv('DB_USER'),
        getenv('DB_PASSWORD'),
        [PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION],
    );
}

/** Says how a piece of work went: one line, with its time, and the error's number. */
function step(string $kind, callable $work): bool
{
    $began = hrtime(true);
    try {
        $work();
        printf("done %s %d\n", $kind, (hrtime(true) - $began) / 1e6);
        return true;
    } catch (PDOException $error) {
        $number = $error->errorInfo[1] ?? $error->getCode();
        printf("error %s %s %d %s\n", $number, $kind, (hrtime(true) - $began) / 1e6, $error->getMessage());
        return false;
    }
}

<?php
// The database layer in the manner of Laravel's: connections by name, made when they are first asked for, and kept.

// One connection: what it is configured with, and its PDO once it was needed.
final class Connection
{
    private ?PDO $pdo = null;
    private int $depth = 0;

    public function __construct(private array $config)
    {
    }

    public function pdo(): PDO
    {
        return $this->pdo ??= $this->connect();
    }

    // As Laravel connects: its five options, and one SET that makes the session.
    private function connect(): PDO
    {
        $config = $this->config;
        $pdo = new PDO("mysql:host={$config['host']};port={$config['port']};dbname={$config['database']}", $config["username"],
            $config["password"], [
                PDO::ATTR_CASE => PDO::CASE_NATURAL,
                PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
                PDO::ATTR_ORACLE_NULLS => PDO::NULL_NATURAL,
                PDO::ATTR_STRINGIFY_FETCHES => false,
                PDO::ATTR_EMULATE_PREPARES => false,
            ]);
        $modes = $config["strict"] ? "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
            . "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION" : "NO_ENGINE_SUBSTITUTION";
        $pdo->exec("SET NAMES '{$config['charset']}' COLLATE '{$config['collation']}', SESSION sql_mode='$modes';");
        return $pdo;
    }

    // Every statement is prepared at the server, executed once, and closed when its rows have been read.
    private function run(string $sql, array $values, Closure $read): mixed
    {
        $statement = $this->pdo()->prepare($sql);
        foreach ($values as $index => $value) {
            $statement->bindValue($index + 1, $value, is_int($value) ? PDO::PARAM_INT : PDO::PARAM_STR);
        }
        $statement->execute();
        return $read($statement);
    }

    public function select(string $sql, array $values = []): array
    {
        return $this->run($sql, $values, fn(PDOStatement $done) => $done->fetchAll(PDO::FETCH_OBJ));
    }

    public function selectOne(string $sql, array $values = []): ?object
    {
        return $this->select($sql, $values)[0] ?? null;
    }

    public function affect(string $sql, array $values = []): int
    {
        return $this->run($sql, $values, fn(PDOStatement $done) => $done->rowCount());
    }

    public function insertGetId(string $sql, array $values = []): int
    {
        $this->affect($sql, $values);
        return (int) $this->pdo()->lastInsertId();
    }

    public function transaction(Closure $work): mixed
    {
        if ($this->depth == 0) {
            $this->pdo()->beginTransaction();
        }
        $this->depth++;
        try {
            $result = $work();
            if ($this->depth == 1) {
                $this->pdo->commit();
            }
            return $result;
        } catch (Throwable $error) {
            if ($this->depth == 1 && $this->pdo->inTransaction()) {
                $this->pdo->rollBack();
            }
            throw $error;
        } finally {
            $this->depth--;
        }
    }
}

final class DatabaseManager
{
    private array $connections = [];

    public function __construct(private array $config)
    {
    }

    // config()->set("database.connections.NAME", ..)
    public function configure(string $name, array $config): void
    {
        $this->config["connections"][$name] = $config;
    }

    public function configuration(?string $name = null): array
    {
        return $this->config["connections"][$name ?? $this->config["default"]];
    }

    public function connection(?string $name = null): Connection
    {
        $name ??= $this->config["default"];
        // It is kept until somebody calls purge(), which nobody does, or the process ends, which a worker does not.
        return $this->connections[$name] ??= new Connection($this->configuration($name));
    }

    public function purge(string $name): void
    {
        unset($this->connections[$name]);
    }
}

// The facade.
final class DB
{
    public static DatabaseManager $manager;

    public static function connection(?string $name = null): Connection
    {
        return self::$manager->connection($name);
    }
}

<?php
// Tidegate for PHP: slots, and a small pool of mysqli connections that takes its slots from the same place. One file, no
// dependency but PHP 8 and, for Db, mysqli. docs/slots.md has examples.
//
//   $slots = new Tidegate\Slots();
//   $slot = $slots->acquireConnection();           // waits 30 s at most; throws Tidegate\NoSlot
//   ...connect, work, close...
//   $slots->releaseConnection($slot);              // or let $slot go; or die: the slot comes back either way
//
//   $rows = Tidegate\Db::query('SELECT * FROM users WHERE id = ?', [7]);      // settings from .env

namespace Tidegate;

// There was no slot in time.
final class NoSlot extends \RuntimeException
{
}

// A slot that this process holds, until release() or its own end.
final class Slot
{
    /**
     * @param resource[] $held
     * @param ?\Closure $resume takes it up again at a gate that has come back: a connection, or null
     */
    public function __construct(private array $held, private mixed $process, public readonly float $waited,
        private ?\Closure $resume = null)
    {
    }

    // Takes the slot up again where the gate that gave it was started anew. Without that it is kept until this process
    // ends, whether a gate runs or not; false: none runs now. For those who hold a slot for long; release() does it too.
    public function keep(): bool
    {
        if ($this->resume === null || $this->held === [] || !self::hasEnded($this->held[0])) {
            return true;
        }
        $gate = ($this->resume)();
        if ($gate !== null) {
            $this->held = [$gate];
        }
        return $gate !== null;
    }

    /** @param resource $stream */
    private static function hasEnded(mixed $stream): bool
    {
        stream_set_blocking($stream, false);
        fread($stream, 1);
        stream_set_blocking($stream, true);
        return feof($stream);
    }

    public function release(): void
    {
        $this->keep();
        foreach ($this->held as $stream) {
            fclose($stream);
        }
        $this->held = [];
        if ($this->process !== null) {
            proc_close($this->process);
            $this->process = null;
        }
    }

    public function __destruct()
    {
        $this->release();
    }
}

final class Slots
{
    private string $folder;

    // $name: the pool. $folder: where slots live; as TIDEGATE_SLOTS has it, else that of this user. $program: what to hold
    // slots with where no gate runs.
    public function __construct(private string $name = 'default', ?string $folder = null, private string $program = 'tidegate')
    {
        if (!preg_match('/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/', $name)) {
            throw new \InvalidArgumentException("a pool's name is 1 to 64 letters, digits and . _ -, which \"$name\" is not");
        }
        $this->folder = $folder ?? self::defaultFolder();
    }

    public static function defaultFolder(): string
    {
        if ($named = getenv('TIDEGATE_SLOTS')) {
            return $named;
        }
        $state = getenv('XDG_STATE_HOME');
        $home = getenv('HOME') ?: (function_exists('posix_getpwuid') ? posix_getpwuid(posix_geteuid())['dir'] : '/');
        return ($state && $state[0] === '/' ? $state : "$home/.local/state") . '/tidegate/slots';
    }

    // Waits for a slot, $wait seconds at most.
    public function acquireConnection(float $wait = 30.0, int $priority = 0): Slot
    {
        $began = microtime(true);
        $gate = $this->gate($wait + 5);
        if ($gate !== null) {
            $answer = $this->ask($gate, $wait, $priority);
            if ($answer !== false && preg_match('/^OK slot=(\d+)/', $answer, $found)) {
                return new Slot([$gate], null, microtime(true) - $began, fn () => $this->resume((int) $found[1], $priority));
            }
            fclose($gate);
            if ($answer !== false) {
                throw new NoSlot("no slot of '$this->name': " . trim($answer));
            }
            $wait = max(0.0, $wait - (microtime(true) - $began));  // the gate is gone: the file has the line now
        }
        return $this->acquireByProcess($wait, $priority, $began);
    }

    /** @param resource $gate */
    private function ask(mixed $gate, float $wait, int $priority, string $more = ''): string|false
    {
        $command = substr(implode(' ', $_SERVER['argv'] ?? [$_SERVER['SCRIPT_NAME'] ?? 'php']), 0, 120);
        @fwrite($gate, sprintf("ACQUIRE %s wait=%.3fs priority=%d%s command=php %s\n", $this->name, $wait, $priority, $more,
            preg_replace('/[\x00-\x1f]/', ' ', $command)));
        return fgets($gate);
    }

    /** @return resource|null */
    private function resume(int $number, int $priority): mixed
    {
        $gate = $this->gate(5);
        $answer = $gate === null ? false : $this->ask($gate, 0, $priority, " resume=$number");
        return $answer !== false && str_starts_with($answer, "OK slot=$number ") ? $gate : null;
    }

    public function releaseConnection(Slot $slot): void
    {
        $slot->release();
    }

    /** active, waiting, peak, max, room and last_update (seconds ago) of the pool. */
    public function getStats(): array
    {
        $gate = $this->gate(5);
        if ($gate !== null) {
            fwrite($gate, "STATS $this->name\n");
            preg_match_all('/(\w+)=(\S+)/', (string) fgets($gate), $words, PREG_SET_ORDER);
            fclose($gate);
            $all = array_column($words, 2, 1);
            return ['active' => (int) $all['active'], 'waiting' => (int) $all['waiting'], 'peak' => (int) $all['peak'],
                'max' => (int) $all['max'], 'room' => (int) $all['room'], 'last_update' => (float) $all['last_update']];
        }
        $process = proc_open([$this->program, 'slots', '--json', $this->name], [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes,
            null, ['TIDEGATE_SLOTS' => $this->folder] + getenv());
        $said = stream_get_contents($pipes[1]);
        $error = stream_get_contents($pipes[2]);
        proc_close($process);
        $pool = json_decode($said, true)['pools'][0] ?? throw new \RuntimeException("slots cannot be read: $error");
        $age = $pool['last_update'] === null ? 0.0 : max(0.0, microtime(true) - strtotime($pool['last_update']));
        return ['last_update' => $age] + array_intersect_key($pool, array_flip(['active', 'waiting', 'peak', 'max', 'room']));
    }

    /** @return resource|null a connection to the gate, if one runs */
    private function gate(float $patience): mixed
    {
        $path = "$this->folder/gate.sock";
        if (!file_exists($path)) {
            return null;
        }
        $gate = @stream_socket_client("unix://$path", $number, $error, 5);
        if ($gate === false) {
            return null;
        }
        stream_set_timeout($gate, (int) ceil($patience));
        return $gate;
    }

    // Without a gate a child holds the slot: `tidegate exec -- cat`, which ends when this process closes the pipe or dies.
    private function acquireByProcess(float $wait, int $priority, float $began): Slot
    {
        $process = @proc_open([$this->program, 'exec', '--name', $this->name, '--wait', sprintf('%dms', $wait * 1000), '--priority',
            (string) $priority, '--', 'cat'], [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes, null,
            ['TIDEGATE_SLOTS' => $this->folder] + getenv());
        if ($process === false) {
            throw new \RuntimeException("no gate runs at $this->folder, and $this->program cannot be started");
        }
        @fwrite($pipes[0], "\n");
        if (fgets($pipes[1]) === "\n") {
            fclose($pipes[2]);
            return new Slot([$pipes[0], $pipes[1]], $process, microtime(true) - $began);
        }
        $error = trim(stream_get_contents($pipes[2]));
        array_map('fclose', $pipes);
        throw proc_close($process) === 75 ? new NoSlot($error) : new \RuntimeException($error);
    }
}

// The process's one pool of mysqli connections. Settings from the environment and .env: DB_HOST, DB_PORT, DB_USER or
// DB_USERNAME, DB_PASSWORD, DB_NAME or DB_DATABASE, DB_CONNECTION_LIMIT (3). Every connection holds a slot, where slots are
// kept: a gate runs, or somebody has used slots here. Closed at the script's end, and on SIGINT and SIGTERM (with pcntl).
final class Db
{
    private static ?self $pool = null;
    /** @var array<int, array{\mysqli, ?Slot, float}> idle connections, with the time since when */
    private array $idle = [];
    /** @var array<int, array{\mysqli, ?Slot}> those in use */
    private array $taken = [];
    private int $limit;
    private ?Slots $slots;
    private const RESTED = 30.0;  // seconds after which an idle connection is tried before it is used
    private const AGAIN = [1040, 1203, 1226, 2002, 2003];

    private function __construct(private array $settings)
    {
        $this->limit = max(1, (int) ($settings['DB_CONNECTION_LIMIT'] ?? 3));
        $folder = Slots::defaultFolder();
        $this->slots = is_dir($folder) || getenv('TIDEGATE_SLOTS') ? new Slots(program: $settings['TIDEGATE'] ?? 'tidegate') : null;
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        register_shutdown_function([self::class, 'closePool']);
        if (function_exists('pcntl_async_signals')) {
            pcntl_async_signals(true);
            foreach ([SIGINT, SIGTERM] as $signal) {
                if (pcntl_signal_get_handler($signal) === SIG_DFL) {
                    pcntl_signal($signal, static function (int $number): never {
                        self::closePool();
                        exit(128 + $number);
                    });
                }
            }
        }
    }

    public static function getPool(string $env = '.env'): self
    {
        return self::$pool ??= new self(self::settings($env));
    }

    /** All rows of a SELECT; of any other statement the number of rows that it changed. */
    public static function query(string $sql, array $parameters = []): array|int
    {
        $connection = self::getConnection();
        try {
            $result = $connection->execute_query($sql, $parameters);
            return $result === true ? $connection->affected_rows : $result->fetch_all(MYSQLI_ASSOC);
        } finally {
            self::releaseConnection($connection);
        }
    }

    public static function getConnection(): \mysqli
    {
        return self::getPool()->take();
    }

    public static function releaseConnection(\mysqli $connection): void
    {
        self::getPool()->giveBack($connection);
    }

    public static function testConnection(): bool
    {
        try {
            return self::query('SELECT 1 AS one')[0]['one'] == 1;
        } catch (\mysqli_sql_exception | NoSlot) {
            return false;
        }
    }

    public static function closePool(): void
    {
        $pool = self::$pool;
        self::$pool = null;
        foreach ([...($pool?->idle ?? []), ...($pool?->taken ?? [])] as [$connection, $slot]) {
            @$connection->close();
            $slot?->release();
        }
    }

    private static function settings(string $env): array
    {
        $settings = [];
        foreach (is_readable($env) ? file($env, FILE_IGNORE_NEW_LINES) : [] as $line) {
            if (preg_match('/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|\'([^\']*)\'|([^#]*?))\s*(?:#.*)?$/', $line, $m)) {
                $settings[$m[1]] = $m[2] ?: ($m[3] ?? '') ?: ($m[4] ?? '');
            }
        }
        return getenv() + $settings;
    }

    private function take(): \mysqli
    {
        while ($rested = array_pop($this->idle)) {
            [$connection, $slot, $since] = $rested;
            $slot?->keep();
            if (microtime(true) - $since < self::RESTED || $this->lives($connection)) {
                $this->taken[spl_object_id($connection)] = [$connection, $slot];
                return $connection;
            }
            $slot?->release();
        }
        if (count($this->taken) >= $this->limit) {
            throw new NoSlot("all $this->limit connections of this process are in use; release one, or raise DB_CONNECTION_LIMIT");
        }
        $slot = $this->slots?->acquireConnection();
        $connection = $this->connect();
        $this->taken[spl_object_id($connection)] = [$connection, $slot];
        return $connection;
    }

    private function giveBack(\mysqli $connection): void
    {
        $entry = $this->taken[spl_object_id($connection)] ?? null;
        if ($entry === null) {
            return;
        }
        unset($this->taken[spl_object_id($connection)]);
        try {
            $connection->rollback();  // what nobody committed
            $this->idle[] = [...$entry, microtime(true)];
        } catch (\mysqli_sql_exception) {
            $entry[1]?->release();
        }
    }

    private function lives(\mysqli $connection): bool
    {
        try {
            return (bool) $connection->query('SELECT 1');
        } catch (\mysqli_sql_exception) {
            return false;
        }
    }

    // A server that is full, or not there for a moment, is tried five times.
    private function connect(): \mysqli
    {
        $get = fn (string $name, string $other = '', string $default = '') => $this->settings[$name] ?? $this->settings[$other] ?? $default;
        foreach ([100, 200, 400, 800, 1000, null] as $pause) {
            try {
                $connection = mysqli_init();
                $connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, 5);
                $connection->real_connect($get('DB_HOST', default: '127.0.0.1'), $get('DB_USER', 'DB_USERNAME'), $get('DB_PASSWORD'),
                    $get('DB_NAME', 'DB_DATABASE'), (int) $get('DB_PORT', default: '3306'));
                $connection->set_charset('utf8mb4');
                return $connection;
            } catch (\mysqli_sql_exception $error) {
                if ($pause === null || !in_array($error->getCode(), self::AGAIN, true)) {
                    throw $error;
                }
                usleep($pause * 1000);
            }
        }
    }
}

<?php
// What the PHP programs share: the rows, the output, and the steps that read alike through mysqli and PDO.
const KINDS = "CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
    f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB";
const INSERT = "INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (?,?,?,?,?,?,?,?,?)";
const FIRST = [null, -7, "18446744073709551615", "12345678901234.567890", 2.25e-7, "2024-02-29",
    "2024-02-29 23:59:58.123456", "na\u{ef}ve \u{1F680} 'quoted' \\ text", "\x00\xff\x00'\\\x1a\n\r\x80"];
const SECOND = [5, 2147483647, 0, "-0.000001", -1e300, "1000-01-01", "9999-12-31 23:59:59.999999", "", ""];

function say(string $step, array $fields = []): void {
    echo json_encode(["step" => $step] + $fields, JSON_THROW_ON_ERROR), "\n";
}

// Rows for the output: the last column of `kinds` in hexadecimal, numbers with their PHP type.
function shown(array $rows): array {
    return array_map(function ($row) {
        $row = array_values($row);
        if (count($row) == 10) $row[9] = bin2hex($row[9]);
        return $row;
    }, $rows);
}

function large(): string {
    return str_repeat(implode("", array_map("chr", range(0, 255))), 4096);
}

function many_values(int $start): string {
    $values = [];
    for ($n = $start; $n < $start + 1000; $n++) $values[] = "($n, 'row " . str_repeat("x", $n % 50) . "')";
    return implode(",", $values);
}

function refuse(Throwable $error): never {
    fwrite(STDERR, "cannot log in: " . $error->getMessage() . "\n");
    exit(3);
}

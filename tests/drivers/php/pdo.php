<?php
// PDO, with statements prepared by the driver itself (`emulated`) or by the server (`native`).
require __DIR__ . "/work.php";
$emulated = ($argv[1] ?? "emulated") == "emulated";

function open_connection(): PDO {
    global $emulated;
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulated,
        PDO::MYSQL_ATTR_LOCAL_INFILE => true];
    // PDO asks for TLS when any of its settings is given.
    if (getenv("DRIVER_TLS") == "required")
        $options += [PDO::MYSQL_ATTR_SSL_CIPHER => "DEFAULT", PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false];
    return new PDO(sprintf("mysql:host=%s;port=%s;dbname=%s;charset=utf8mb4", getenv("DRIVER_HOST"), getenv("DRIVER_PORT"),
        getenv("DRIVER_SCHEMA")), getenv("DRIVER_USER"), getenv("DRIVER_PASSWORD"), $options);
}

try {
    $db = open_connection();
} catch (PDOException $error) {
    refuse($error);
}
$rows = fn(string $sql) => shown($db->query($sql)->fetchAll(PDO::FETCH_NUM));
$value = fn(string $sql) => $rows($sql)[0][0];
say("connect", ["cipher" => $rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]]);

$db->exec(KINDS);
$insert = $db->prepare(INSERT);
$ids = [];
foreach ([FIRST, SECOND] as $row) {
    foreach ($row as $index => $field)
        $insert->bindValue($index + 1, $field, $field === null ? PDO::PARAM_NULL : (is_int($field) ? PDO::PARAM_INT
            : ($index == 8 ? PDO::PARAM_LOB : PDO::PARAM_STR)));
    $insert->execute();
    $ids[] = $db->lastInsertId();
}
say("insert", ["ids" => $ids, "last" => $value("SELECT LAST_INSERT_ID()")]);
say("text", ["rows" => $rows("SELECT * FROM kinds ORDER BY id")]);

$select = $db->prepare("SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id");
$twice = [];
foreach ([[-7, "none"], [2147483647, FIRST[7]]] as $parameters) {
    $select->execute($parameters);
    $twice[] = shown($select->fetchAll(PDO::FETCH_NUM));
}
say("binary", ["rows" => $twice]);

$db->exec("CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB");
$db->beginTransaction();
$db->exec("INSERT INTO money VALUES (1)");
$db->commit();
$counts = [$value("SELECT COUNT(*) FROM money")];
$db->beginTransaction();
$db->exec("INSERT INTO money VALUES (2)");
$in = $db->inTransaction();
$db->rollBack();
say("transaction", ["counts" => [...$counts, $value("SELECT COUNT(*) FROM money")], "in" => [$in, $db->inTransaction()]]);

$codes = [];
foreach (["INSERT INTO money VALUES (1)", "SELEKT 1"] as $sql) {
    try {
        $db->query($sql);
    } catch (PDOException $error) {
        $codes[] = [$error->errorInfo[1], $error->errorInfo[0]];
    }
}
say("errors", ["codes" => $codes, "alive" => $value("SELECT 1")]);

if ($emulated) {
    $sets = [];
    $result = $db->query("SELECT 1; DO 2; SELECT 3, 4");
    do {
        if ($result->columnCount()) $sets[] = $result->fetchAll(PDO::FETCH_NUM);
    } while ($result->nextRowset());
    say("multi", ["sets" => $sets]);
}

$db->exec("CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB");
for ($start = 0; $start < 10000; $start += 1000) $db->exec("INSERT INTO many VALUES " . many_values($start));
$db->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
$count = $sum = 0;
$text = "";
$result = $db->query("SELECT a, t FROM many ORDER BY a");
foreach ($result as $row) {
    $count++;
    $sum += $row["a"];
    $text .= $row["t"];
}
$result = null;
$db->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, true);
say("many", ["count" => $count, "sum" => $sum, "md5" => md5($text)]);

$db->exec("CREATE TABLE large (v LONGBLOB)");
$insert = $db->prepare("INSERT INTO large VALUES (?)");
$insert->bindValue(1, large(), PDO::PARAM_LOB);
$insert->execute();
$back = $db->query("SELECT v FROM large")->fetchColumn();
say("large", ["length" => strlen($back), "same" => $back === large()]);

$db->exec("CREATE TABLE loaded (a INT, t TEXT)");
$loaded = $db->exec("LOAD DATA LOCAL INFILE '" . getenv("DRIVER_FILE") . "' INTO TABLE loaded");
say("infile", ["rows" => $loaded, "sum" => $value("SELECT SUM(a) FROM loaded")]);
say("ping", ["ok" => $db->query("DO 1") !== false]);

$before = $value("SELECT DATABASE()");
$db->exec("USE " . getenv("DRIVER_OTHER"));
$now = $value("SELECT DATABASE()");
$db->exec("CREATE TABLE here (a INT)");
$db->exec("USE $before");
say("database", ["before" => $before, "now" => $now, "again" => $value("SELECT DATABASE()")]);

foreach (["SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET @mine = 'kept'"] as $sql) $db->exec($sql);
$session = $rows("SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine");
$db->exec("SET NAMES utf8mb4");
say("session", ["values" => $session, "after" => $rows("SELECT @@character_set_client, @@time_zone, @mine")]);

$second = open_connection();
$seen = fn() => $second->query("SELECT COUNT(*) FROM money WHERE a = 9")->fetchColumn();
$db->beginTransaction();
$db->exec("INSERT INTO money VALUES (9)");
$first = $seen();
$db->commit();
say("two", ["before" => $first, "after" => $seen()]);
$second = $db = $insert = $select = null;
say("close");

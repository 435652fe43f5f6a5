<?php
// mysqli, on mysqlnd: text by query(), binary by prepared statements.
require __DIR__ . "/work.php";
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function open_connection(): mysqli {
    $db = mysqli_init();
    $db->options(MYSQLI_OPT_LOCAL_INFILE, true);
    $flags = getenv("DRIVER_TLS") == "required" ? MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT : 0;
    $db->real_connect(getenv("DRIVER_HOST"), getenv("DRIVER_USER"), getenv("DRIVER_PASSWORD"), getenv("DRIVER_SCHEMA"),
        (int) getenv("DRIVER_PORT"), null, $flags);
    $db->set_charset("utf8mb4");
    return $db;
}

try {
    $db = open_connection();
} catch (mysqli_sql_exception $error) {
    refuse($error);
}
$rows = fn(string $sql) => shown($db->query($sql)->fetch_all(MYSQLI_NUM));
$value = fn(string $sql) => $rows($sql)[0][0];
say("connect", ["cipher" => $rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]]);

$db->query(KINDS);
$insert = $db->prepare(INSERT);
$ids = [];
foreach ([FIRST, SECOND] as $row) {
    $insert->bind_param("iissdssss", ...$row);
    $insert->execute();
    $ids[] = $db->insert_id;
}
$insert->close();
say("insert", ["ids" => $ids, "last" => $value("SELECT LAST_INSERT_ID()")]);
say("text", ["rows" => $rows("SELECT * FROM kinds ORDER BY id")]);

$select = $db->prepare("SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id");
$twice = [];
foreach ([[-7, "none"], [2147483647, FIRST[7]]] as [$i, $t]) {
    $select->bind_param("is", $i, $t);
    $select->execute();
    $twice[] = shown($select->get_result()->fetch_all(MYSQLI_NUM));
}
$select->close();
say("binary", ["rows" => $twice]);

$db->query("CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB");
$db->begin_transaction();
$db->query("INSERT INTO money VALUES (1)");
$db->commit();
$counts = [$value("SELECT COUNT(*) FROM money")];
$db->begin_transaction();
$db->query("INSERT INTO money VALUES (2)");
$db->rollback();
say("transaction", ["counts" => [...$counts, $value("SELECT COUNT(*) FROM money")]]);

$codes = [];
foreach (["INSERT INTO money VALUES (1)", "SELEKT 1"] as $sql) {
    try {
        $db->query($sql);
    } catch (mysqli_sql_exception $error) {
        $codes[] = [$error->getCode(), $error->getSqlState()];
    }
}
say("errors", ["codes" => $codes, "alive" => $value("SELECT 1")]);

$sets = [];
$db->multi_query("SELECT 1; DO 2; SELECT 3, 4");
do {
    $result = $db->store_result();
    if ($result) $sets[] = $result->fetch_all(MYSQLI_NUM);
} while ($db->next_result());
say("multi", ["sets" => $sets]);

$db->query("CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB");
for ($start = 0; $start < 10000; $start += 1000) $db->query("INSERT INTO many VALUES " . many_values($start));
$count = $sum = 0;
$text = "";
foreach ($db->query("SELECT a, t FROM many ORDER BY a", MYSQLI_USE_RESULT) as $row) {
    $count++;
    $sum += $row["a"];
    $text .= $row["t"];
}
say("many", ["count" => $count, "sum" => $sum, "md5" => md5($text)]);

$db->query("CREATE TABLE large (v LONGBLOB)");
$insert = $db->prepare("INSERT INTO large VALUES (?)");
$nothing = null;
$insert->bind_param("b", $nothing);
foreach (str_split(large(), 300000) as $part) $insert->send_long_data(0, $part);
$insert->execute();
$back = $db->query("SELECT v FROM large")->fetch_row()[0];
say("large", ["length" => strlen($back), "same" => $back === large()]);

$db->query("CREATE TABLE loaded (a INT, t TEXT)");
$db->query("LOAD DATA LOCAL INFILE '" . getenv("DRIVER_FILE") . "' INTO TABLE loaded");
say("infile", ["rows" => $db->affected_rows, "info" => $db->info, "sum" => $value("SELECT SUM(a) FROM loaded")]);

$db->query("DO 1");
say("ping", ["ok" => $db->ping()]);

$before = $value("SELECT DATABASE()");
$db->select_db(getenv("DRIVER_OTHER"));
$now = $value("SELECT DATABASE()");
$db->query("CREATE TABLE here (a INT)");
$db->query("USE $before");
say("database", ["before" => $before, "now" => $now, "again" => $value("SELECT DATABASE()")]);

foreach (["SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET @mine = 'kept'"] as $sql) $db->query($sql);
$session = $rows("SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine");
$db->set_charset("utf8mb4");
say("session", ["values" => $session, "after" => $rows("SELECT @@character_set_client, @@time_zone, @mine")]);

$second = open_connection();
$seen = fn() => $second->query("SELECT COUNT(*) FROM money WHERE a = 9")->fetch_row()[0];
$db->begin_transaction();
$db->query("INSERT INTO money VALUES (9)");
$first = $seen();
$db->commit();
say("two", ["before" => $first, "after" => $seen()]);
$user = getenv("DRIVER_USER");
say("change_user", ["ok" => $second->change_user($user, getenv("DRIVER_PASSWORD"), getenv("DRIVER_OTHER")),
    "now" => $second->query("SELECT DATABASE(), @mine")->fetch_row()]);
$second->close();
$db->close();
say("close");

<?php
// Fetches one page and writes down what it found. A thousand of these are started together.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connect(): mysqli
{
    for ($try = 1;; $try++) {
        try {
            return new mysqli(getenv('DB_HOST'), getenv('DB_USER'), getenv('DB_PASSWORD'), getenv('DB_NAME'), (int)getenv('DB_PORT'));
        } catch (mysqli_sql_exception $error) {
            if ($try === 5) {
                throw $error;
            }
            usleep(100_000 << ($try - 1));
        }
    }
}

$kind = getenv('KIND') ?: 'page';
$began = hrtime(true);
$took = fn() => (int)((hrtime(true) - $began) / 1e6);
try {
    $db = connect();
    $page = (int)$argv[1];
    $db->query("INSERT INTO pages (id) VALUES ($page)");
    usleep((int)(1e6 * (float)(getenv('FETCH_SECONDS') ?: 5))); // the other site answers
    $db->query("UPDATE pages SET state = 'scraped', length = " . random_int(1000, 90000) . " WHERE id = $page");
    $db->close();
    printf("done %s %d\n", $kind, $took());
} catch (mysqli_sql_exception $error) {
    printf("error %d %s %d %s\n", $error->getCode(), $kind, $took(), $error->getMessage());
    exit(1);
}

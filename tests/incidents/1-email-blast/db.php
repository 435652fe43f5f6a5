<?php
// Included by whoever needs the database: gives $db, and sees to it that it is closed at the end.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli(getenv('DB_HOST'), getenv('DB_USER'), getenv('DB_PASSWORD'), getenv('DB_NAME'), (int)getenv('DB_PORT'));
register_shutdown_function(fn() => $db->close());

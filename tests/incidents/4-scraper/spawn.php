<?php
// Starts all scrapers together, as the application did it, and waits for them.
$running = [];
for ($page = 0; $page < (int)$argv[1]; $page++) {
    $running[] = proc_open(['php', __DIR__ . '/scraper.php', (string)$page], [1 => STDOUT, 2 => STDERR], $pipes);
}
foreach ($running as $scraper) {
    proc_close($scraper);
}
echo "spawn: all have ended\n";

<?php
// `php artisan queue:work`: a worker of the queue, without an end.
require __DIR__ . "/lib/application.php";

(new Worker(queue(), config("worker")))->daemon();

<?php
// The shop: one product, and that somebody has looked at it.
require __DIR__ . '/../db.php';
if ($_SERVER['REQUEST_URI'] === '/up') {
    exit;
}
ob_start();
$well = step('page', function () {
    $product = random_int(1, 200);
    $found = db()->prepare('SELECT name, price, stock FROM products WHERE id = ?');
    $found->execute([$product]);
    if (!$found->fetch()) {
        throw new PDOException("no product $product");
    }
    db()->prepare('INSERT INTO page_views (product_id) VALUES (?)')->execute([$product]);
    usleep(20_000); // the template
});
http_response_code($well ? 200 : 503);
ob_end_flush();

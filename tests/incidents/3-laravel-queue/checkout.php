<?php
// The shop's checkout page, with QUEUE_CONNECTION=sync: the marketplace is told while the customer waits, over connections that
// are held meanwhile.
require __DIR__ . "/lib/application.php";

if ($_SERVER["REQUEST_URI"] == "/up") {
    exit("up\n");
}
$began = hrtime(true);
ob_start();
try {
    $id = random_int(1, (int) getenv("SHOPS"));
    $shop = shop($id);
    $order = $shop->transaction(function () use ($shop) {
        $product = $shop->selectOne("select * from `products` where `id` = ? limit 1", [random_int(1, 20)]);
        $order = $shop->insertGetId("insert into `orders` (`customer`, `state`) values (?, ?)", ["guest", "new"]);
        $shop->insertGetId("insert into `order_lines` (`order_id`, `product_id`, `quantity`, `price`) values (?, ?, ?, ?)",
            [$order, $product->id, 1, $product->price]);
        $shop->affect("update `stock` set `quantity` = `quantity` - 1 where `product_id` = ?", [$product->id]);
        return $order;
    });
    queue()->push(new SendApiPayload($id, $order));
    report("checkout", $began);
} catch (Throwable $error) {
    http_response_code(500);
    report("checkout", $began, $error);
}

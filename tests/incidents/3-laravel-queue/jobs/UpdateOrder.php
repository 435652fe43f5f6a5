<?php
// Moves an order to its next state.

final class UpdateOrder extends Job
{
    private const NEXT = ["new" => "paid", "paid" => "packed", "packed" => "sent", "sent" => "sent"];

    public function __construct(public int $shop, public int $order)
    {
    }

    public function handle(): void
    {
        $shop = shop($this->shop);
        $shop->transaction(function () use ($shop) {
            $order = $shop->selectOne("select * from `orders` where `id` = ? limit 1 for update", [$this->order]);
            $shop->affect("update `orders` set `state` = ?, `updated_at` = now() where `id` = ?",
                [self::NEXT[$order->state], $this->order]);
            $shop->insertGetId("insert into `order_events` (`order_id`, `event`) values (?, ?)",
                [$this->order, "was {$order->state}"]);
        });
    }
}

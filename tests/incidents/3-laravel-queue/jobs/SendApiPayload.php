<?php
// Sends an order to the marketplace, which takes its time.

final class SendApiPayload extends Job
{
    public function __construct(public int $shop, public int $order)
    {
    }

    public function handle(): void
    {
        $shop = shop($this->shop);
        $order = $shop->selectOne("select * from `orders` where `id` = ? limit 1", [$this->order]);
        $lines = $shop->select("select p.`sku`, l.`quantity`, l.`price` from `order_lines` l"
            . " join `products` p on p.`id` = l.`product_id` where l.`order_id` = ?", [$this->order]);
        $payload = json_encode(["order" => $order, "lines" => $lines]);
        $answer = $this->call($payload);
        $shop->insertGetId("insert into `api_calls` (`order_id`, `payload`, `answer`) values (?, ?, ?)",
            [$this->order, $payload, $answer]);
    }

    private function call(string $payload): string
    {
        $milliseconds = (int) (getenv("API_MS") ?: 150);
        usleep(1000 * random_int(intdiv($milliseconds, 2), intdiv($milliseconds * 3, 2)));
        return json_encode(["accepted" => true, "bytes" => strlen($payload)]);
    }
}

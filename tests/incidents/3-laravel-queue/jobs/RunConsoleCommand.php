<?php
// A console command that somebody has put into the queue: the day's sales.

final class RunConsoleCommand extends Job
{
    public function __construct(public int $shop, public string $command)
    {
    }

    public function handle(): void
    {
        match ($this->command) {
            "sales:day" => $this->sales(shop($this->shop)),
        };
    }

    private function sales(Connection $shop): void
    {
        $days = $shop->select("select date(o.`created_at`) as `day`, count(distinct o.`id`) as `orders`,"
            . " sum(l.`quantity` * l.`price`) as `total`"
            . " from `orders` o join `order_lines` l on l.`order_id` = o.`id` group by date(o.`created_at`)");
        foreach ($days as $day) {
            $shop->affect("insert into `daily_sales` (`day`, `orders`, `total`) values (?, ?, ?)"
                . " on duplicate key update `orders` = ?, `total` = ?",
                [$day->day, $day->orders, $day->total, $day->orders, $day->total]);
        }
    }
}

<?php
// Starts a campaign now and then, and looks every two seconds how far the mails are. It includes db.php in every round, "to
// have a fresh connection"; that the file keeps the old ones open until the script ends was not seen.
require __DIR__ . '/report.php';

for ($round = 0;; $round++) {
    step('round', function () use ($round) {
        require __DIR__ . '/db.php';
        if ($round % (int)(getenv('ROUNDS_BETWEEN_CAMPAIGNS') ?: 300) === 0) {
            $db->query('INSERT INTO campaigns () VALUES ()');
            $campaign = $db->insert_id;
            $people = array_map(fn($n) => "($campaign, 'reader$n@example.com')", range(1, (int)(getenv('READERS') ?: 2000)));
            $db->query('INSERT INTO mails (campaign_id, address) VALUES ' . implode(', ', $people));
        }
        [$campaign, $sent] = $db->query("SELECT MAX(campaign_id), SUM(state = 'sent') FROM mails"
            . ' WHERE campaign_id = (SELECT MAX(id) FROM campaigns)')->fetch_row();
        $db->query("UPDATE campaigns SET sent = $sent WHERE id = $campaign");
    });
    usleep((int)(1e6 * (float)(getenv('ROUND_SECONDS') ?: 2)));
}

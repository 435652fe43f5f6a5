<?php
// Sends mails, one after the other, over one connection that it has from its start; rests when there are none.
require __DIR__ . '/report.php';
require __DIR__ . '/db.php';

function send(mysqli $db, int $worker): bool
{
    $db->begin_transaction();
    $mail = $db->query("SELECT id, address FROM mails WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED")->fetch_object();
    if ($mail === null) {
        $db->rollback();
        return false;
    }
    $db->query("UPDATE mails SET state = 'sent', sent_by = $worker WHERE id = {$mail->id}");
    $db->query("INSERT INTO send_log (mail_id, worker) VALUES ({$mail->id}, $worker)");
    $db->commit();
    usleep(5_000); // the mail server takes it
    return true;
}

$db->query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'); // the workers do not get in each other's way
$rest = (int)(1e6 * (float)(getenv('REST_SECONDS') ?: 60));
while (true) {
    $more = false;
    $well = step('mail', function () use ($db, $argv, &$more) {
        return $more = send($db, (int)($argv[1] ?? 0));
    });
    if (!$more) {
        usleep($well ? $rest : 1_000_000);
    }
}

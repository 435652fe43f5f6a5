<?php
// `queue:work` in the manner of Laravel's: runs until it is told to stop, and finishes the job in hand then.

final class Worker
{
    private bool $shouldQuit = false;

    public function __construct(private DatabaseQueue $queue, private array $options)
    {
    }

    public function daemon(): void
    {
        pcntl_async_signals(true);
        foreach ([SIGTERM, SIGINT, SIGQUIT] as $signal) {
            pcntl_signal($signal, function () {
                $this->shouldQuit = true;
            });
        }
        while (!$this->shouldQuit) {
            $job = $this->next();
            if ($job !== null) {
                $this->process($job);
            } else {
                usleep((int) ($this->options["sleep"] * 1e6));
            }
        }
    }

    private function next(): ?ReservedJob
    {
        $began = hrtime(true);
        try {
            return $this->queue->pop();
        } catch (Throwable $error) {
            report("pop", $began, $error);
            sleep(1);
            return null;
        }
    }

    // When the job is over, done or failed, nothing is done about the connections that it has used.
    private function process(ReservedJob $reserved): void
    {
        $began = hrtime(true);
        try {
            $reserved->job->handle();
            $reserved->delete();
            report($reserved->job::kind(), $began);
        } catch (Throwable $error) {
            report($reserved->job::kind(), $began, $error);
            $this->giveBack($reserved, $error);
        }
    }

    private function giveBack(ReservedJob $reserved, Throwable $error): void
    {
        $began = hrtime(true);
        try {
            if ($reserved->attempts() >= $this->options["tries"]) {
                $reserved->fail($error);
            } else {
                $reserved->release($this->options["backoff"]);
            }
        } catch (Throwable $second) {
            report("release", $began, $second);
        }
    }
}

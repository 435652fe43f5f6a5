<?php
/** Says how a piece of work went: one line, with its time, and the error's number. */
function step(string $kind, callable $work): bool
{
    $began = hrtime(true);
    $took = fn() => (int)((hrtime(true) - $began) / 1e6);
    try {
        if ($work() !== false) {
            printf("done %s %d\n", $kind, $took());
        }
        return true;
    } catch (mysqli_sql_exception $error) {
        printf("error %d %s %d %s\n", $error->getCode(), $kind, $took(), $error->getMessage());
        return false;
    }
}

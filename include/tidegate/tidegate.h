// All of libtidegate: a pool of connections to a MySQL or MariaDB server, statements and transactions over it, and the
// loop of a queue worker. Programs may include this, or just what they use.
#pragma once

#include <tidegate/deadline.h>
#include <tidegate/error.h>
#include <tidegate/lease.h>
#include <tidegate/options.h>
#include <tidegate/parameter.h>
#include <tidegate/pool.h>
#include <tidegate/rows.h>
#include <tidegate/stream.h>
#include <tidegate/transaction.h>
#include <tidegate/value.h>
#include <tidegate/worker.h>

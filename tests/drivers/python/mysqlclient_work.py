"""mysqlclient (MySQLdb), which stands on MariaDB Connector/C."""
import os
import sys

import MySQLdb
from MySQLdb.constants import CLIENT
from work import work


def open_connection(schema):
    # Connector/C takes a cipher list as the wish for TLS; the certificate is not checked unless a CA is given.
    tls = {"ssl": {"cipher": "HIGH"}} if os.environ["DRIVER_TLS"] == "required" else {}
    connection = MySQLdb.connect(host=os.environ["DRIVER_HOST"], port=int(os.environ["DRIVER_PORT"]),
                                 user=os.environ["DRIVER_USER"], passwd=os.environ["DRIVER_PASSWORD"], db=schema,
                                 charset="utf8mb4", local_infile=1,
                                 client_flag=CLIENT.MULTI_STATEMENTS, **tls)
    connection.begin = lambda: connection.query("BEGIN")
    return connection


try:
    open_connection(os.environ["DRIVER_SCHEMA"]).close()
except MySQLdb.Error as refused:
    sys.exit((print(f"cannot log in: {refused}", file=sys.stderr), 3)[1])
work(open_connection, MySQLdb.Error, lambda c: c.ping(), lambda c, name: c.select_db(name), multi=True)

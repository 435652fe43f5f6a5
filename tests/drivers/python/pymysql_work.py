"""PyMySQL."""
import os
import sys

import pymysql
from work import work


def open_connection(schema):
    tls = {"ssl": {"check_hostname": False}} if os.environ["DRIVER_TLS"] == "required" else {"ssl_disabled": True}
    return pymysql.connect(host=os.environ["DRIVER_HOST"], port=int(os.environ["DRIVER_PORT"]),
                           user=os.environ["DRIVER_USER"], password=os.environ["DRIVER_PASSWORD"], database=schema,
                           charset="utf8mb4", local_infile=True,
                           client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS, **tls)


try:
    open_connection(os.environ["DRIVER_SCHEMA"]).close()
except pymysql.MySQLError as refused:
    sys.exit((print(f"cannot log in: {refused}", file=sys.stderr), 3)[1])
work(open_connection, pymysql.MySQLError, lambda c: c.ping(reconnect=False), lambda c, name: c.select_db(name), multi=True)

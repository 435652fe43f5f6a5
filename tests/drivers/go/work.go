// go-sql-driver: text where a query has no parameters, binary by prepared statements, parameters put into the text
// by the driver when the first argument is `interpolate`.
package main

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

type fields map[string]interface{}

func say(step string, f fields) {
	out := fields{"step": step}
	for key, value := range f {
		out[key] = value
	}
	line, _ := json.Marshal(out)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

var ctx = context.Background()

func open() *sql.DB {
	tls := "false"
	if os.Getenv("DRIVER_TLS") == "required" {
		tls = "skip-verify"
	}
	interpolate := len(os.Args) > 1 && os.Args[1] == "interpolate"
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s:%s)/%s?charset=utf8mb4&tls=%s&multiStatements=true&allowAllFiles=true&interpolateParams=%t",
		os.Getenv("DRIVER_USER"), os.Getenv("DRIVER_PASSWORD"), os.Getenv("DRIVER_HOST"), os.Getenv("DRIVER_PORT"),
		os.Getenv("DRIVER_SCHEMA"), tls, interpolate))
	must(err)
	return db
}

func scan(rows *sql.Rows) [][]interface{} {
	names, err := rows.Columns()
	must(err)
	all := [][]interface{}{}
	for rows.Next() {
		raw := make([]interface{}, len(names))
		into := make([]interface{}, len(names))
		for n := range raw {
			into[n] = &raw[n]
		}
		must(rows.Scan(into...))
		for n, value := range raw {
			if text, is := value.([]byte); is {
				if names[n] == "b" {
					raw[n] = hex.EncodeToString(text)
				} else {
					raw[n] = string(text)
				}
			}
		}
		all = append(all, raw)
	}
	must(rows.Err())
	return all
}

func query(c *sql.Conn, statement string, parameters ...interface{}) [][]interface{} {
	rows, err := c.QueryContext(ctx, statement, parameters...)
	must(err)
	defer rows.Close()
	return scan(rows)
}

func exec(c *sql.Conn, statement string, parameters ...interface{}) sql.Result {
	result, err := c.ExecContext(ctx, statement, parameters...)
	must(err)
	return result
}

func value(c *sql.Conn, statement string) interface{} { return query(c, statement)[0][0] }

func main() {
	pool := open()
	if err := pool.Ping(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot log in:", err)
		os.Exit(3)
	}
	db, err := pool.Conn(ctx)
	must(err)
	say("connect", fields{"cipher": query(db, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]})
	values(db)
	transactions(db)
	bulk(db)
	session(db)

	second, err := pool.Conn(ctx)
	must(err)
	seen := func() interface{} { return value(second, "SELECT COUNT(*) FROM money WHERE a = 9") }
	tx, err := db.BeginTx(ctx, nil)
	must(err)
	_, err = tx.Exec("INSERT INTO money VALUES (9)")
	must(err)
	before := seen()
	must(tx.Commit())
	say("two", fields{"before": before, "after": seen()})
	must(second.Close())
	must(db.Close())
	must(pool.Close())
	say("close", nil)
}

func values(db *sql.Conn) {
	exec(db, `CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
		f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB`)
	text := "na\u00efve \U0001F680 'quoted' \\ text"
	ids := []int64{}
	for _, row := range [][]interface{}{
		{nil, -7, uint64(18446744073709551615), "12345678901234.567890", 2.25e-7, "2024-02-29", "2024-02-29 23:59:58.123456", text,
			[]byte("\x00\xff\x00'\\\x1a\n\r\x80")},
		{5, 2147483647, 0, "-0.000001", -1e300, "1000-01-01", "9999-12-31 23:59:59.999999", "", []byte{}},
	} {
		result := exec(db, "INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (?,?,?,?,?,?,?,?,?)", row...)
		id, _ := result.LastInsertId()
		ids = append(ids, id)
	}
	say("insert", fields{"ids": ids, "last": value(db, "SELECT LAST_INSERT_ID()")})
	say("text", fields{"rows": query(db, "SELECT * FROM kinds ORDER BY id")})

	statement, err := db.PrepareContext(ctx, "SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id")
	must(err)
	twice := []interface{}{}
	for _, parameters := range [][]interface{}{{-7, "none"}, {2147483647, text}} {
		rows, err := statement.Query(parameters...)
		must(err)
		twice = append(twice, scan(rows))
		rows.Close()
	}
	must(statement.Close())
	say("binary", fields{"rows": twice})
}

func transactions(db *sql.Conn) {
	exec(db, "CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB")
	counts := []interface{}{}
	for number, commit := range []bool{true, false} {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		must(err)
		_, err = tx.Exec("INSERT INTO money VALUES (?)", number+1)
		must(err)
		if commit {
			must(tx.Commit())
		} else {
			must(tx.Rollback())
		}
		counts = append(counts, value(db, "SELECT COUNT(*) FROM money"))
	}
	say("transaction", fields{"counts": counts})

	codes := []uint16{}
	for _, statement := range []string{"INSERT INTO money VALUES (1)", "SELEKT 1"} {
		_, err := db.ExecContext(ctx, statement)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) {
			codes = append(codes, refused.Number)
		}
	}
	say("errors", fields{"codes": codes, "alive": value(db, "SELECT 1")})

	rows, err := db.QueryContext(ctx, "SELECT 1; DO 2; SELECT 3, 4")
	must(err)
	sets := []interface{}{scan(rows)}
	for rows.NextResultSet() {
		sets = append(sets, scan(rows))
	}
	must(rows.Close())
	say("multi", fields{"sets": sets})
}

func bulk(db *sql.Conn) {
	exec(db, "CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB")
	for start := 0; start < 10000; start += 1000 {
		parts := []string{}
		for n := start; n < start+1000; n++ {
			parts = append(parts, fmt.Sprintf("(%d, 'row %s')", n, strings.Repeat("x", n%50)))
		}
		exec(db, "INSERT INTO many VALUES "+strings.Join(parts, ","))
	}
	rows, err := db.QueryContext(ctx, "SELECT a, t FROM many ORDER BY a")
	must(err)
	count, sum, hash := 0, 0, md5.New()
	for rows.Next() {
		var a int
		var t string
		must(rows.Scan(&a, &t))
		count, sum = count+1, sum+a
		hash.Write([]byte(t))
	}
	must(rows.Err())
	say("many", fields{"count": count, "sum": sum, "md5": hex.EncodeToString(hash.Sum(nil))})

	big := make([]byte, 1<<20)
	for n := range big {
		big[n] = byte(n)
	}
	exec(db, "CREATE TABLE large (v LONGBLOB)")
	exec(db, "INSERT INTO large VALUES (?)", big)
	var back []byte
	must(db.QueryRowContext(ctx, "SELECT v FROM large").Scan(&back))
	say("large", fields{"length": len(back), "same": string(back) == string(big)})

	exec(db, "CREATE TABLE loaded (a INT, t TEXT)")
	loaded, _ := exec(db, "LOAD DATA LOCAL INFILE '"+os.Getenv("DRIVER_FILE")+"' INTO TABLE loaded").RowsAffected()
	say("infile", fields{"rows": loaded, "sum": value(db, "SELECT SUM(a) FROM loaded")})
	must(db.PingContext(ctx))
	say("ping", fields{"ok": true})
}

func session(db *sql.Conn) {
	before := value(db, "SELECT DATABASE()")
	exec(db, "USE "+os.Getenv("DRIVER_OTHER"))
	now := value(db, "SELECT DATABASE()")
	exec(db, "CREATE TABLE here (a INT)")
	exec(db, fmt.Sprintf("USE %s", before))
	say("database", fields{"before": before, "now": now, "again": value(db, "SELECT DATABASE()")})

	for _, statement := range []string{"SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET @mine = 'kept'"} {
		exec(db, statement)
	}
	found := query(db, "SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine")
	exec(db, "SET NAMES utf8mb4")
	say("session", fields{"values": found, "after": query(db, "SELECT @@character_set_client, @@time_zone, @mine")})
}

// Node's mysql2: text by query(), binary by execute().
import {createHash} from "node:crypto";
import {createReadStream} from "node:fs";
import mysql from "mysql2/promise";

const env = process.env;
const say = (step, fields = {}) => console.log(JSON.stringify({step, ...fields}));
const KINDS = `CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
    f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB`;
const FIRST = [null, -7, "18446744073709551615", "12345678901234.567890", 2.25e-7, "2024-02-29", "2024-02-29 23:59:58.123456",
  "na\u00efve \u{1F680} 'quoted' \\ text", Buffer.from("00ff00275c1a0a0d80", "hex")];
const SECOND = [5, 2147483647, 0, "-0.000001", -1e300, "1000-01-01", "9999-12-31 23:59:59.999999", "", Buffer.alloc(0)];

const open = () => mysql.createConnection({
  host: env.DRIVER_HOST, port: Number(env.DRIVER_PORT), user: env.DRIVER_USER, password: env.DRIVER_PASSWORD,
  database: env.DRIVER_SCHEMA, charset: "utf8mb4", multipleStatements: true, supportBigNumbers: true, bigNumberStrings: true,
  dateStrings: true, rowsAsArray: true, infileStreamFactory: (path) => createReadStream(path),
  ssl: env.DRIVER_TLS === "required" ? {rejectUnauthorized: false} : undefined,
});
const shown = (rows) => rows.map((row) => row.map((v) => (Buffer.isBuffer(v) ? v.toString("hex") : v)));

let db;
try {
  db = await open();
} catch (error) {
  console.error(`cannot log in: ${error.message}`);
  process.exit(3);
}
const rows = async (sql, parameters) => shown((await db.query(sql, parameters))[0]);
const value = async (sql) => (await rows(sql))[0][0];
say("connect", {cipher: (await rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))[0][1]});

await db.query(KINDS);
const ids = [];
const columns = "INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (?,?,?,?,?,?,?,?,?)";
ids.push((await db.query(columns, FIRST))[0].insertId);
ids.push((await db.execute(columns, SECOND))[0].insertId);
say("insert", {ids, last: await value("SELECT LAST_INSERT_ID()")});
say("text", {rows: await rows("SELECT * FROM kinds ORDER BY id")});
const twice = [];
for (const parameters of [[-7, "none"], [2147483647, FIRST[7]]]) {
  twice.push(shown((await db.execute("SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id", parameters))[0]));
}
say("binary", {rows: twice});

await db.query("CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB");
await db.beginTransaction();
await db.query("INSERT INTO money VALUES (1)");
await db.commit();
const counts = [await value("SELECT COUNT(*) FROM money")];
await db.beginTransaction();
await db.execute("INSERT INTO money VALUES (?)", [2]);
await db.rollback();
say("transaction", {counts: [...counts, await value("SELECT COUNT(*) FROM money")]});

const codes = [];
for (const sql of ["INSERT INTO money VALUES (1)", "SELEKT 1"]) {
  try {
    await db.query(sql);
  } catch (error) {
    codes.push([error.errno, error.sqlState]);
  }
}
say("errors", {codes, alive: await value("SELECT 1")});

const [sets] = await db.query("SELECT 1; DO 2; SELECT 3, 4");
say("multi", {sets: sets.filter(Array.isArray)});

await db.query("CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB");
for (let start = 0; start < 10000; start += 1000) {
  const values = Array.from({length: 1000}, (_, n) => [start + n, "row " + "x".repeat((start + n) % 50)]);
  await db.query("INSERT INTO many VALUES ?", [values]);
}
const all = (await db.query("SELECT a, t FROM many ORDER BY a"))[0];
say("many", {count: all.length, sum: all.reduce((sum, row) => sum + row[0], 0),
  md5: createHash("md5").update(all.map((row) => row[1]).join("")).digest("hex")});

const big = Buffer.alloc(1 << 20, Buffer.from(Array.from({length: 256}, (_, n) => n)));
await db.query("CREATE TABLE large (v LONGBLOB)");
await db.execute("INSERT INTO large VALUES (?)", [big]);
const back = (await db.execute("SELECT v FROM large"))[0][0][0];
say("large", {length: back.length, same: back.equals(big)});

await db.query("CREATE TABLE loaded (a INT, t TEXT)");
const [loaded] = await db.query(`LOAD DATA LOCAL INFILE '${env.DRIVER_FILE}' INTO TABLE loaded`);
say("infile", {rows: loaded.affectedRows, sum: await value("SELECT SUM(a) FROM loaded")});

await db.ping();
say("ping", {ok: true});

const before = await value("SELECT DATABASE()");
await db.changeUser({database: env.DRIVER_OTHER});
const now = await value("SELECT DATABASE()");
await db.query("CREATE TABLE here (a INT)");
await db.query(`USE ${before}`);
say("database", {before, now, again: await value("SELECT DATABASE()")});

for (const sql of ["SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET @mine = 'kept'"]) {
  await db.query(sql);
}
const session = await rows("SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine");
await db.query("SET NAMES utf8mb4");
say("session", {values: session, after: await rows("SELECT @@character_set_client, @@time_zone, @mine")});

const second = await open();
const seen = async () => (await second.query("SELECT COUNT(*) FROM money WHERE a = 9"))[0][0][0];
await db.beginTransaction();
await db.query("INSERT INTO money VALUES (9)");
const first = await seen();
await db.commit();
say("two", {before: first, after: await seen()});

// Commands in a row without waiting: the driver queues them on one connection.
const queued = await Promise.all([1, 2, 3, 4].map((n) => db.query("SELECT ? * 2", [n])));
say("queued", {values: queued.map(([result]) => result[0][0])});
await second.end();
await db.end();
say("close");

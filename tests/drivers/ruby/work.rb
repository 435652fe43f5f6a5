# Ruby's mysql2: text by query, binary by prepare.
require "digest"
require "json"
require "mysql2"

$stdout.sync = true
def say(step, **fields) = puts(JSON.generate({step:, **fields}))

def open_connection
  tls = ENV["DRIVER_TLS"] == "required" ? {ssl_mode: :required, sslverify: false} : {ssl_mode: :disabled}
  Mysql2::Client.new(host: ENV["DRIVER_HOST"], port: ENV["DRIVER_PORT"].to_i, username: ENV["DRIVER_USER"],
                     password: ENV["DRIVER_PASSWORD"], database: ENV["DRIVER_SCHEMA"], encoding: "utf8mb4", as: :array,
                     local_infile: true, flags: Mysql2::Client::MULTI_STATEMENTS, **tls)
end

begin
  $db = open_connection
rescue Mysql2::Error => e
  warn "cannot log in: #{e.message}"
  exit 3
end

def shown(result)
  result.to_a.map do |row|
    row.map do |value|
      case value
      when nil, Integer then value
      when BigDecimal then value.to_s("F")
      when Time then value.strftime("%F %T.%6N")
      when String then value.encoding == Encoding::BINARY ? value.unpack1("H*") : value
      else value.to_s
      end
    end
  end
end

def rows(sql) = shown($db.query(sql))
def value(sql) = rows(sql)[0][0]

say("connect", cipher: rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1])

$db.query("CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
  f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB")
FIRST = [nil, -7, 18446744073709551615, BigDecimal("12345678901234.567890"), 2.25e-7, Date.new(2024, 2, 29),
         "2024-02-29 23:59:58.123456", "na\u00efve \u{1F680} 'quoted' \\ text", "\x00\xff\x00'\\\x1a\n\r\x80".b].freeze
SECOND = [5, 2147483647, 0, BigDecimal("-0.000001"), -1e300, Date.new(1000, 1, 1), "9999-12-31 23:59:59.999999", "", "".b].freeze
insert = $db.prepare("INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (?,?,?,?,?,?,?,?,?)")
ids = [FIRST, SECOND].map { |row| insert.execute(*row); insert.last_id }
say("insert", ids:, last: value("SELECT LAST_INSERT_ID()"))
say("text", rows: rows("SELECT * FROM kinds ORDER BY id"))
select = $db.prepare("SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id")
say("binary", rows: [[-7, "none"], [2147483647, FIRST[7]]].map { |parameters| shown(select.execute(*parameters)) })

$db.query("CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB")
$db.query("BEGIN")
$db.query("INSERT INTO money VALUES (1)")
$db.query("COMMIT")
counts = [value("SELECT COUNT(*) FROM money")]
$db.query("BEGIN")
$db.query("INSERT INTO money VALUES (2)")
$db.query("ROLLBACK")
say("transaction", counts: counts + [value("SELECT COUNT(*) FROM money")])

codes = ["INSERT INTO money VALUES (1)", "SELEKT 1"].filter_map do |sql|
  $db.query(sql) && nil
rescue Mysql2::Error => e
  [e.error_number, e.sql_state]
end
say("errors", codes:, alive: value("SELECT 1"))

sets = [$db.query("SELECT 1; DO 2; SELECT 3, 4").to_a]
while $db.next_result
  result = $db.store_result
  sets << result.to_a if result
end
say("multi", sets:)

$db.query("CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB")
(0...10_000).each_slice(1000) do |part|
  $db.query("INSERT INTO many VALUES " + part.map { |n| "(#{n}, 'row #{"x" * (n % 50)}')" }.join(","))
end
count, sum, text = 0, 0, +""
$db.query("SELECT a, t FROM many ORDER BY a", stream: true, cache_rows: false).each do |a, t|
  count += 1
  sum += a
  text << t
end
say("many", count:, sum:, md5: Digest::MD5.hexdigest(text))

big = (0..255).to_a.pack("C*") * 4096
$db.query("CREATE TABLE large (v LONGBLOB)")
$db.prepare("INSERT INTO large VALUES (?)").execute(big)
back = $db.query("SELECT v FROM large").first[0]
say("large", length: back.bytesize, same: back == big)

$db.query("CREATE TABLE loaded (a INT, t TEXT)")
$db.query("LOAD DATA LOCAL INFILE '#{ENV["DRIVER_FILE"]}' INTO TABLE loaded")
say("infile", rows: $db.affected_rows, sum: value("SELECT SUM(a) FROM loaded"))
say("ping", ok: $db.ping)

before = value("SELECT DATABASE()")
$db.select_db(ENV["DRIVER_OTHER"])
now = value("SELECT DATABASE()")
$db.query("CREATE TABLE here (a INT)")
$db.query("USE #{before}")
say("database", before:, now:, again: value("SELECT DATABASE()"))

["SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET @mine = 'kept'"].each { |sql| $db.query(sql) }
session = rows("SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine")
$db.query("SET NAMES utf8mb4")
say("session", values: session, after: rows("SELECT @@character_set_client, @@time_zone, @mine"))

second = open_connection
seen = -> { second.query("SELECT COUNT(*) FROM money WHERE a = 9").first[0] }
$db.query("BEGIN")
$db.query("INSERT INTO money VALUES (9)")
first = seen.call
$db.query("COMMIT")
say("two", before: first, after: seen.call)
second.close
$db.close
say("close")

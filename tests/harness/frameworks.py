"""What frameworks, ORMs and drivers say to the server: their set-up of a connection, and what is typical of their work.

Written as they send it: spelling, quotes, and whether it is text or a prepared statement. Where a statement is wrong for a
server (a variable of the other family), that is as it is in life: the error is what the driver sees. {s} is the schema. The forms
of a step are explained in steps.py.
"""
from .raw import Capability
from .steps import Framework, cached, held, prepared

TABLES = """
    CREATE TABLE users (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(190) NOT NULL, email VARCHAR(190) NULL,
        age INT NULL, created_at DATETIME NULL, UNIQUE KEY (name)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
    CREATE TABLE posts (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, user_id BIGINT UNSIGNED NULL, title VARCHAR(190),
        body LONGTEXT, status VARCHAR(20) DEFAULT 'publish', FOREIGN KEY (user_id) REFERENCES users (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
    CREATE TABLE options (option_id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, option_name VARCHAR(190) UNIQUE,
        option_value LONGTEXT, autoload VARCHAR(20) DEFAULT 'yes') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
    INSERT INTO users (id, name, email, age) VALUES (1, 'Ada', 'ada@example.org', 36), (2, 'Bob', NULL, 41),
    (3, 'Zoë', 'zoe@example.org', NULL);
    INSERT INTO posts (user_id, title, body) VALUES (1, 'First', 'text'), (1, 'Second', 'more'), (2, 'Third', 'naïve'),
    (3, 'Fourth', '');
    INSERT INTO options (option_name, option_value) VALUES ('siteurl', 'http://example.org'), ('home', 'x')
"""
FOUND_ROWS = Capability.FOUND_ROWS
STRICT = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

# What shows whose session it is.
MINE = "SELECT @@sql_mode, @@time_zone, @@character_set_client, @@character_set_results, @@collation_connection, @@autocommit"
MINE_TOO = "SELECT @@foreign_key_checks, @@group_concat_max_len, @@wait_timeout, @@sql_auto_is_null, @@innodb_lock_wait_timeout, @@sql_notes"

ALL = [
    Framework(
        "laravel-10",
        # Its connector prepares each of these, without emulation.
        prepared("use `{s}`;"), prepared("set names 'utf8mb4' collate 'utf8mb4_unicode_ci'"), prepared("set time_zone='+02:00'"),
        prepared(f"set session sql_mode='{STRICT}'"),
        prepared("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
        prepared("select * from `users` where `users`.`id` = ? limit 1", 1),
        held("transaction", "START TRANSACTION", prepared("insert into `users` (`name`, `email`, `created_at`) values (?, ?, ?)",
                                                          "Eve", "eve@example.org", "2024-02-29 12:00:00"),
             "SAVEPOINT trans2", prepared("update `users` set `age` = ? where `id` = ?", 30, 1), "ROLLBACK TO SAVEPOINT trans2",
             "COMMIT"),
        prepared("select count(*) as aggregate from `users` where `email` like ?", "%example.org"), MINE,
        prepared("select exists(select * from `posts` where `user_id` = ?) as `exists`", 2),
        prepared("insert into `users` (`name`) values (?)", "Eve"),  # a duplicate
        prepared("select * from information_schema.tables where table_schema = ? and table_name = ? and table_type = 'BASE TABLE'",
                 "{s}", "migrations"), MINE,
        # The queue's worker looks for a job.
        held("transaction", "START TRANSACTION",
             prepared("select * from `posts` where `status` = ? order by `id` asc limit 1 FOR UPDATE SKIP LOCKED", "publish"),
             prepared("update `posts` set `status` = ? where `id` = ?", "done", 1), "COMMIT"), MINE),
    Framework(
        "laravel-11",
        "use `{s}`;", f"SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci', SESSION time_zone='+03:00', SESSION sql_mode='{STRICT}';",
        f"SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci', SESSION sql_mode='{STRICT}';", MINE,
        prepared("select * from `users` where `id` in (?, ?, ?)", 1, 2, 3), prepared("delete from `posts` where `id` = ?", 3),
        MINE),
    Framework(
        "django",
        "SET sql_mode='STRICT_TRANS_TABLES'",  # OPTIONS: init_command
        "SELECT VERSION(),\n       @@sql_mode,\n       @@default_storage_engine,\n       @@sql_auto_is_null,\n"
        "       @@lower_case_table_names,\n       CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL",
        "SET SQL_AUTO_IS_NULL = 0",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "set autocommit=1",
        "SELECT `users`.`id`, `users`.`name` FROM `users` WHERE `users`.`id` = 1 LIMIT 21", MINE,
        # atomic() switches autocommit off, and on again.
        held("transaction", "SET autocommit = 0", "INSERT INTO `users` (`name`, `age`) VALUES ('Dan', 5)", "SAVEPOINT `s1_x1`",
             "UPDATE `users` SET `age` = 6 WHERE `name` = 'Dan'", "RELEASE SAVEPOINT `s1_x1`", "COMMIT"), "SET autocommit = 1",
        "SHOW FULL TABLES", "SELECT @@SQL_AUTO_IS_NULL", MINE,
        "SET foreign_key_checks=0", "SELECT @@foreign_key_checks", "SET foreign_key_checks=1", MINE_TOO,
        flags=FOUND_ROWS),
    Framework(
        "rails",
        "SET NAMES utf8mb4,  @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'),"
        "  @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483", "SELECT VERSION()", MINE, MINE_TOO,
        held("named_lock", "SELECT GET_LOCK('{s}7294', 0)", "SHOW TABLES LIKE 'schema_migrations'",
             "CREATE TABLE `schema_migrations` (`version` varchar(255) NOT NULL PRIMARY KEY)",
             "INSERT INTO `schema_migrations` (`version`) VALUES ('20240229')", "SELECT RELEASE_LOCK('{s}7294')"),
        "SHOW FULL FIELDS FROM `users`", "SHOW KEYS FROM `options` WHERE Key_name = 'none'", "SHOW CREATE TABLE `users`",
        cached("SELECT `users`.* FROM `users` WHERE `users`.`id` = ? LIMIT ?", 1, 1),
        held("transaction", "BEGIN", cached("INSERT INTO `users` (`name`, `age`) VALUES (?, ?)", "Rae", 20),
             "SAVEPOINT active_record_1", cached("INSERT INTO `users` (`name`, `age`) VALUES (?, ?)", "Rae", 21),
             "ROLLBACK TO SAVEPOINT active_record_1", "COMMIT"),
        cached("SELECT `users`.* FROM `users` WHERE `users`.`id` = ? LIMIT ?", 2, 1), "SELECT @@max_allowed_packet", MINE),
    Framework(
        "sequelize",
        "SET time_zone = '+00:00'", "SELECT VERSION() as `version`", "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;",
        "SET SESSION sql_mode = 'TRADITIONAL';", "SELECT 1+1 AS result", "CREATE TABLE IF NOT EXISTS `users` (`id` INTEGER)",
        "SHOW WARNINGS",
        held("transaction", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;", "START TRANSACTION;",
             "INSERT INTO `users` (`id`,`name`) VALUES (DEFAULT,'Sue');", "COMMIT;"), MINE,
        cached("SELECT `id`, `name` FROM `users` AS `User` WHERE `User`.`id` = ?;", 1), MINE,
        cached("SELECT `id`, `name` FROM `users` AS `User` WHERE `User`.`id` = ?;", 2), charset=224),
    Framework(
        "typeorm",
        "SELECT VERSION() AS `version`", "SELECT DATABASE() AS `db_name`", "SET time_zone = 'SYSTEM'",
        "SELECT * FROM `INFORMATION_SCHEMA`.`COLUMNS` WHERE `TABLE_SCHEMA` = '{s}' AND `TABLE_NAME` = 'migrations'",
        held("transaction", "START TRANSACTION", "INSERT INTO `users`(`id`, `name`) VALUES (DEFAULT, 'Tom')",
             "SELECT `User`.`id` AS `User_id` FROM `users` `User` WHERE `User`.`name` = 'Tom'", "ROLLBACK"),
        "SET FOREIGN_KEY_CHECKS = 0;", "SELECT @@foreign_key_checks, DATABASE()", "SET FOREIGN_KEY_CHECKS = 1;", MINE_TOO),
    Framework(
        "prisma",
        "SELECT @@socket", "SELECT @@max_allowed_packet,@@wait_timeout", "SELECT @@version, @@GLOBAL.version",
        "SET sql_select_limit=DEFAULT",
        held("named_lock", "SELECT GET_LOCK('{s}prisma', 10)", "SELECT RELEASE_LOCK('{s}prisma')"),
        cached("SELECT `{s}`.`users`.`id`, `{s}`.`users`.`name` FROM `{s}`.`users` WHERE (`{s}`.`users`.`id` = ? AND 1=1) LIMIT ? OFFSET ?", 1, 1, 0),
        held("transaction", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN",
             cached("INSERT INTO `{s}`.`users` (`name`,`age`) VALUES (?,?)", "Pia", None), "COMMIT"),
        cached("SELECT `{s}`.`users`.`id`, `{s}`.`users`.`name` FROM `{s}`.`users` WHERE (`{s}`.`users`.`id` = ? AND 1=1) LIMIT ? OFFSET ?", 2, 1, 0),
        MINE, charset=224, flags=FOUND_ROWS),
    Framework(
        "sqlx",
        "SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),time_zone='+00:00',"
        "NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;", MINE, cached("SELECT 'a' || name FROM users WHERE id = ?", 3),
        held("transaction", "BEGIN", cached("UPDATE users SET age = age + ? WHERE id = ?", 1, 1), "SAVEPOINT _sqlx_savepoint_1",
             cached("DELETE FROM posts WHERE id = ?", 1), "ROLLBACK TO SAVEPOINT _sqlx_savepoint_1", "COMMIT"),
        cached("SELECT 'a' || name FROM users WHERE id = ?", 2), MINE, charset=224, flags=FOUND_ROWS),
    Framework(
        "wordpress",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'", "SELECT @@SESSION.sql_mode",
        "SET SESSION sql_mode='ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'", MINE,
        "SELECT option_name, option_value FROM options WHERE autoload = 'yes'", "SHOW FULL COLUMNS FROM `posts`",
        "SHOW TABLES LIKE 'posts'",
        held(None, "SELECT SQL_CALC_FOUND_ROWS  posts.id FROM posts  WHERE 1=1  AND posts.status = 'publish' ORDER BY posts.id DESC LIMIT 0, 2"),
        "SELECT FOUND_ROWS()",
        "INSERT INTO `options` (`option_name`, `option_value`, `autoload`) VALUES ('cron', 'a:1', 'yes') "
        "ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`)", "SHOW WARNINGS",
        "SELECT * FROM nothing_here", "INSERT INTO `posts` (`title`) VALUES ('Hello')", "SELECT LAST_INSERT_ID()",
        "SELECT @@SESSION.sql_mode",
        "INSERT IGNORE INTO options ( `option_name`, `option_value`, `autoload` ) VALUES ('core.lock', '1709200000', 'no') /* LOCK */",
        "DELETE FROM options WHERE option_name = 'core.lock'", MINE, charset=246),
    Framework(
        "magento",
        "SET NAMES utf8", "SET SQL_MODE=''", "SET time_zone = '+00:00'", "SET @@session.foreign_key_checks = 0",
        "SET SESSION group_concat_max_len=500000",
        MINE, MINE_TOO, "DESCRIBE `users`", "SHOW CREATE TABLE `posts`", "SHOW TRIGGERS LIKE 'users'",
        held("named_lock", "SELECT GET_LOCK('{s}cron', 5)", "UPDATE `posts` SET `status` = 'running' WHERE (id=1)",
             "SELECT RELEASE_LOCK('{s}cron')"),
        held("temporary_table",
        "CREATE TEMPORARY TABLE IF NOT EXISTS `search_tmp_1` (`entity_id` int(10) unsigned NOT NULL, `score` decimal(32,16), "
             "PRIMARY KEY(`entity_id`)) ENGINE=Memory", "INSERT INTO `search_tmp_1` SELECT id, 1 FROM users",
             "SELECT e.id, s.score FROM users AS e INNER JOIN search_tmp_1 AS s ON e.id = s.entity_id ORDER BY 1",
             "DROP TEMPORARY TABLE IF EXISTS `search_tmp_1`"),
        held("temporary_table", "CREATE TEMPORARY TABLE `index_tmp` LIKE `posts`", "INSERT INTO `index_tmp` SELECT * FROM `posts`",
             "SELECT COUNT(*) FROM `index_tmp`", "DROP TEMPORARY TABLE `index_tmp`"),
        held("transaction", "START TRANSACTION", "INSERT INTO `users` (`name`) VALUES ('Max')",
        "UPDATE `users` SET `age` = `age` + 1 WHERE (`id` = '2')", "COMMIT"),
        "SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO'", "SET FOREIGN_KEY_CHECKS=1", "SHOW DATABASES LIKE '{s}'",
        MINE, MINE_TOO, charset=33),
    Framework(
        "connector-j",
        "/* mysql-connector-j-8.0.33 */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, "
        "@@character_set_connection AS character_set_connection, @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, "
        "@@collation_server AS collation_server, @@collation_connection AS collation_connection, @@init_connect AS init_connect, "
        "@@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, "
        "@@max_allowed_packet AS max_allowed_packet, @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, "
        "@@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@wait_timeout AS wait_timeout",
        "SET character_set_results = NULL", "SET autocommit=1", "SET sql_mode='STRICT_TRANS_TABLES'",
        "SET SESSION sql_select_limit=50",
        "SELECT @@session.transaction_isolation", "SELECT @@session.tx_isolation",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", MINE,
        # Hibernate, with server-side prepared statements and their cache
        held("transaction", "SET autocommit=0", cached("select u1_0.id,u1_0.name from users u1_0 where u1_0.id=?", 1),
             cached("select next_not_cached_value from users where id=? for update", 1),
             cached("update users set age=? where id=?", 7, 1), "COMMIT"),
        held("transaction", cached("update users set age=? where id=?", 8, 1), "rollback"), "SET autocommit=1",
        held("transaction", "SET SESSION TRANSACTION READ ONLY", "SET autocommit=0",
        cached("select u1_0.id,u1_0.name from users u1_0 where u1_0.id=?", 2),
             "COMMIT"), "SET autocommit=1", "SET SESSION TRANSACTION READ WRITE", "SET SESSION sql_select_limit=DEFAULT",
             "SHOW WARNINGS", MINE, flags=FOUND_ROWS),
    Framework(
        "mariadb-connector-j",
        "SELECT @@max_allowed_packet,@@system_time_zone,@@time_zone,@@auto_increment_increment",
        "set autocommit=1, session_track_schema=1, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES')", MINE, "USE `{s}`",
        "SELECT DATABASE()",
        held("transaction", "set autocommit=0", cached("INSERT INTO users (name) VALUES (?)", "Mia"), "COMMIT"), "set autocommit=1",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SELECT @@tx_isolation", MINE, flags=FOUND_ROWS),
    Framework(
        "sqlalchemy",
        "SET NAMES utf8mb4", "SELECT @@transaction_isolation", "SELECT @@tx_isolation", "SELECT DATABASE()", "SELECT @@sql_mode",
        "SELECT @@lower_case_table_names",
        held("transaction", "SET autocommit=0", "SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1",
        "SELECT users.id FROM users WHERE users.id = 1",
             "INSERT INTO users (name) VALUES ('Sal')", "SAVEPOINT sa_savepoint_1", "RELEASE SAVEPOINT sa_savepoint_1", "COMMIT"),
        held("transaction", "DESCRIBE `{s}`.`users`", "SELECT posts.id FROM posts ORDER BY id LIMIT 2", "ROLLBACK"), MINE,
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "COMMIT", "SET autocommit=1", MINE, flags=FOUND_ROWS),
    Framework(
        "doctrine",
        prepared("SET NAMES utf8mb4"), "SET SESSION sql_mode=(SELECT REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', ''))", MINE,
        prepared("SELECT t0.id AS id_1, t0.name AS name_2 FROM users t0 WHERE t0.name = ? LIMIT 1", "Ada"),
        held("transaction", "START TRANSACTION", prepared("INSERT INTO posts (title, user_id) VALUES (?, ?)", "New", 1),
             "SAVEPOINT DOCTRINE_2", "RELEASE SAVEPOINT DOCTRINE_2", "COMMIT"),
        # Symfony's messenger and lock store
        held("transaction", "START TRANSACTION",
        prepared("SELECT m.* FROM posts m WHERE (m.status = ?) ORDER BY id ASC LIMIT 1 FOR UPDATE", "publish"), "COMMIT"),
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{s}'", "SELECT @@character_set_database", MINE),
    Framework(
        "drupal",
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci", "SET sql_mode = 'ANSI,TRADITIONAL'",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        'SELECT "users"."name" AS "name" FROM "users" "users" WHERE "id" = \'1\' LIMIT 1 OFFSET 0',
        held("transaction", "START TRANSACTION", "INSERT INTO \"users\" (\"name\") VALUES ('Dru')", 'SAVEPOINT "savepoint_1"',
             "UPDATE \"users\" SET \"age\"='3' WHERE \"name\" = 'Dru'", 'ROLLBACK TO SAVEPOINT "savepoint_1"', "COMMIT"),
        'INSERT INTO "options" ("option_name", "option_value") VALUES (\'a\', \'1\'), (\'b\', \'2\') '
        'ON DUPLICATE KEY UPDATE "option_value" = VALUES("option_value")',
        held("temporary_table", 'CREATE TEMPORARY TABLE "db_temporary_0" Engine=MEMORY SELECT "id" FROM "users"', 'SELECT COUNT(*) FROM "db_temporary_0"',
             'DROP TABLE "db_temporary_0"'), 'SHOW TABLES LIKE \'users\'', MINE),
    Framework(
        "phpmyadmin",
        "SELECT @@version, @@version_comment", "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci';", "SET lc_messages = 'en_US';",
        "SET collation_connection = 'utf8mb4_unicode_ci';", "SELECT CURRENT_USER();",
        "SHOW SESSION VARIABLES LIKE 'FOREIGN_KEY_CHECKS';",
        "SET FOREIGN_KEY_CHECKS = OFF;", "SELECT DATABASE();", "SHOW FULL COLUMNS FROM `users`;", "SHOW TRIGGERS FROM `{s}`;",
        "SELECT *  FROM `users` LIMIT 0, 25", "SHOW WARNINGS", "SHOW CREATE TABLE `{s}`.`users`", "SET FOREIGN_KEY_CHECKS = ON;",
        "SET SQL_QUOTE_SHOW_CREATE = 1",
        "SHOW SESSION VARIABLES LIKE 'FOREIGN_KEY_CHECKS';", MINE, MINE_TOO),
    Framework(
        "moodle",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'", "SET SESSION sql_mode = 'STRICT_ALL_TABLES'", "SELECT @@tx_isolation",
        "SHOW VARIABLES LIKE 'innodb_file_per_table'", "SHOW VARIABLES LIKE 'binlog_format'",
        held("transaction", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION",
        "INSERT INTO users (name) VALUES ('Moo')", "COMMIT"),
        held("named_lock", "SELECT GET_LOCK('{s}-mdl-session', 30)",
        "UPDATE options SET option_value = 'sess' WHERE option_name = 'home'",
             "SELECT RELEASE_LOCK('{s}-mdl-session')"),
        held("temporary_table",
        "CREATE TEMPORARY TABLE mdl_temp (id BIGINT(10) NOT NULL auto_increment, v LONGTEXT, PRIMARY KEY (id)) ENGINE = InnoDB",
             "INSERT INTO mdl_temp (v) VALUES ('x')", "SELECT * FROM mdl_temp", "DROP TEMPORARY TABLE mdl_temp"), MINE),
    Framework(
        "flyway",
        "SELECT VERSION()", "SELECT DATABASE()", "SELECT @@FOREIGN_KEY_CHECKS", "SELECT @@SQL_SAFE_UPDATES",
        "SELECT EVENT_NAME FROM information_schema.EVENTS "
        "WHERE EVENT_SCHEMA='{s}'", held("named_lock", "SELECT GET_LOCK('Flyway-{s}', 10)",
        "CREATE TABLE `{s}`.`history` (`rank` INT NOT NULL, "
                                        "`success` BOOL NOT NULL, PRIMARY KEY (`rank`)) ENGINE=InnoDB",
                                        "SET autocommit=0", "INSERT INTO `{s}`.`history` VALUES (1, 1)",
                                        "COMMIT", "SET autocommit=1",
                                        "SELECT RELEASE_LOCK('Flyway-{s}')"),
        "SET FOREIGN_KEY_CHECKS=1, SQL_SAFE_UPDATES=0", MINE_TOO, MINE, flags=FOUND_ROWS),
    Framework(
        "dotnet",
        "SET NAMES utf8mb4;", "SELECT 1;", "set session transaction isolation level repeatable read;", held("transaction",
        "start transaction;",
        "INSERT INTO `users` (`name`)\r\nVALUES ('Net');\r\nSELECT `id`\r\nFROM `users`\r\nWHERE ROW_COUNT() = 1 AND `id` = LAST_INSERT_ID();", "commit;"),
        # Entity Framework Core's migrations
        held("named_lock", "SELECT GET_LOCK('__{s}_EFMigrationsLock',-1)",
        "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA='{s}' AND TABLE_NAME='x';",
             "DO RELEASE_LOCK('__{s}_EFMigrationsLock')"), MINE, flags=FOUND_ROWS),
    Framework(
        "go-gorm",
        "SET NAMES utf8mb4", "SELECT @@max_allowed_packet", "SELECT VERSION()",
        "SET time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES'",
        held("transaction", "START TRANSACTION", prepared("INSERT INTO `users` (`name`,`age`) VALUES (?,?)", "Gus", 1), "COMMIT"),
        held("transaction", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY",
        prepared("SELECT * FROM `users` WHERE id = ?", 1), "ROLLBACK"),
        prepared("SELECT SCHEMA_NAME from Information_schema.SCHEMATA where SCHEMA_NAME LIKE ? ORDER BY SCHEMA_NAME=? DESC,SCHEMA_NAME limit 1", "{s}%", "{s}"), MINE),
    Framework(
        "sysbench",
        cached("SELECT name FROM users WHERE id=?", 1),
        held("transaction", cached("BEGIN"), cached("SELECT name FROM users WHERE id=?", 2),
        cached("SELECT SUM(age) FROM users WHERE id BETWEEN ? AND ?", 1, 2),
             cached("SELECT DISTINCT name FROM users WHERE id BETWEEN ? AND ? ORDER BY name", 1, 3),
             cached("UPDATE users SET age=age+1 WHERE id=?", 1),
             cached("COMMIT")),
        held("transaction", cached("BEGIN"), cached("UPDATE users SET age=age+1 WHERE id=?", 2), cached("COMMIT")),
        cached("SELECT name FROM users WHERE id=?", 3), MINE),
]

# Those that keep something in user variables or ask for more than is carried over.
SCRIPTS = [
    Framework(
        "magento-setup",
        "SET SQL_MODE=''", "SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0",
        "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'",
        MINE, "ALTER TABLE `users` ADD COLUMN `extra` INT NULL", "SET SQL_MODE=IFNULL(@OLD_SQL_MODE,'')",
        "SET FOREIGN_KEY_CHECKS=IF(@OLD_FOREIGN_KEY_CHECKS=0, 0, 1)",
        MINE, MINE_TOO),
    Framework(
        "dump-header",
        "/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */",
        "/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */",
        "/*!40101 SET NAMES utf8mb4 */", "/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */", "/*!40103 SET TIME_ZONE='+00:00' */",
        "/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */",
        "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */",
        "/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */", "/*!40101 SET @saved_cs_client     = @@character_set_client */",
        "/*!40101 SET character_set_client = utf8mb4 */", MINE, MINE_TOO, "CREATE TABLE `d` (`a` int(11) DEFAULT NULL)",
        "/*!40101 SET character_set_client = @saved_cs_client */",
        "/*!40000 ALTER TABLE `d` DISABLE KEYS */", "INSERT INTO `d` VALUES (0),(1)", "/*!40000 ALTER TABLE `d` ENABLE KEYS */",
        "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */",
        "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */", "/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */",
        "/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */",
        "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */", MINE, MINE_TOO),
    Framework(
        "percona-toolkit",
        "SELECT @@SQL_MODE", "SET @@SQL_QUOTE_SHOW_CREATE = 1/*!40101, @@SQL_MODE='NO_AUTO_VALUE_ON_ZERO,STRICT_TRANS_TABLES'*/",
        "SHOW VARIABLES LIKE 'innodb\\_lock_wait_timeout'",
        "SET SESSION innodb_lock_wait_timeout=1", "SET SESSION lock_wait_timeout=60", "SELECT @@server_id /*!50038 , @@hostname*/",
        "/*!40101 SET @OLD_SQL_MODE := @@SQL_MODE, @@SQL_MODE := '', @OLD_QUOTE := @@SQL_QUOTE_SHOW_CREATE, @@SQL_QUOTE_SHOW_CREATE := 1 */", "SHOW CREATE TABLE `{s}`.`users`",
        "/*!40101 SET @@SQL_MODE := @OLD_SQL_MODE, @@SQL_QUOTE_SHOW_CREATE := @OLD_QUOTE */",
        "SELECT CONCAT(@@hostname, @@port) IS NOT NULL",
        "SELECT /*!40001 SQL_NO_CACHE */ id FROM `{s}`.`users` FORCE INDEX (PRIMARY) ORDER BY id LIMIT 1",
        "SELECT COUNT(*) AS cnt, COALESCE(LOWER(CONV(BIT_XOR(CAST(CRC32(CONCAT_WS('#', `id`, `name`)) AS UNSIGNED)), 10, 16)), 0) AS crc FROM `{s}`.`users`", MINE),
    Framework(
        # A question within a larger one, which keeps the connection: whose id it is, only the server can say.
        "magento-lock-owner",
        "SELECT GET_LOCK('{s}cron', 5)", "SELECT IS_USED_LOCK('{s}cron') IS NULL", "SELECT RELEASE_LOCK('{s}cron')",
        "SELECT IS_USED_LOCK('{s}cron') IS NULL", MINE),
    Framework(
        # Several SETs in one text keep it as well.
        "django-auto-is-null",
        "SET SQL_AUTO_IS_NULL = 0; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SELECT @@sql_auto_is_null",
        "SELECT @@tx_isolation",
        "SELECT @@transaction_isolation", MINE),
    Framework(
        "rank-in-a-query",
        "SET @rank := 0", "SELECT (@rank := @rank + 1) AS position, name FROM users ORDER BY name", "SELECT @rank",
        "SELECT @rank := NULL", "SELECT @rank, @nothing"),
]

// What real programs send: frameworks setting up their connections, ORMs, benchmarks, dump tools. None of it may pin
// where the session can be carried, or sharing would be lost on the programs that the gate is for.
#include "sql/scan_testing.h"

namespace tidegate::sql {
namespace {

void expect_no_pin(std::span<const std::string_view> texts, Mode mode = kMariadb) {
    for (const std::string_view text : texts) {
        EXPECT_EQ(pin_names(scan_all_ways(text, mode).pins), "") << text;
    }
}

TEST(Clients, Laravel) {
    const std::string_view texts[] = {
        "use `app`",
        "set names 'utf8mb4' collate 'utf8mb4_unicode_ci'",
        "set names 'utf8mb4' collate 'utf8mb4_unicode_ci', time_zone='+00:00'",
        "set time_zone='+00:00'",
        "set session "
        "sql_mode='ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
        "NO_ENGINE_SUBSTITUTION'",
        "set names 'utf8mb4' collate 'utf8mb4_unicode_ci', SESSION sql_mode='STRICT_TRANS_TABLES'",
        "select * from `users` where `id` = ? limit 1",
        "select count(*) as aggregate from `orders` where exists (select * from `users` where `orders`.`user_id` = "
        "`users`.`id`)",
        "insert into `users` (`name`, `email`, `updated_at`, `created_at`) values (?, ?, ?, ?)",
        "insert into `flights` (`a`, `b`) values (1, 2), (3, 4) on duplicate key update `b` = values(`b`)",
        "update `users` set `votes` = `votes` + 1, `users`.`updated_at` = '2026-01-01 00:00:00' where `id` = 1",
        "select `laravel_table`.* from (select *, row_number() over (partition by `orders`.`user_id` order by `id` "
        "desc) as "
        "`laravel_row` from `orders`) as `laravel_table` where `laravel_row` <= 5",
        "select json_unquote(json_extract(`options`, '$.\"language\"')) from `users`",
        "select table_name as `name`, (data_length + index_length) as `size` from information_schema.tables where "
        "table_schema = "
        "'app' and table_type in ('BASE TABLE', 'SYSTEM VERSIONED') order by table_name",
        "create table `users` (`id` bigint unsigned not null auto_increment primary key, `name` varchar(255) not null) "
        "default "
        "character set utf8mb4 collate 'utf8mb4_unicode_ci'",
        "alter table `users` add unique `users_email_unique`(`email`)",
        "select * from `jobs` where `queue` = 'default' and ((`reserved_at` is null and `available_at` <= 5)) order by "
        "`id` asc "
        "limit 1 FOR UPDATE SKIP LOCKED",
        "START TRANSACTION",
        "SAVEPOINT trans2",
    };
    expect_no_pin(texts);
}

TEST(Clients, Django) {
    const std::string_view texts[] = {
        "SET SQL_AUTO_IS_NULL = 0; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET SQL_AUTO_IS_NULL = 0",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SELECT VERSION(), @@sql_mode, @@default_storage_engine, @@sql_auto_is_null, @@lower_case_table_names, "
        "CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL",
        "SELECT `auth_user`.`id`, `auth_user`.`password` FROM `auth_user` WHERE `auth_user`.`username` = 'a' LIMIT 21",
        "SELECT (1) AS `a` FROM `django_session` WHERE `django_session`.`session_key` = 'x' LIMIT 1",
        "SELECT COUNT(*) AS `__count` FROM `auth_user`",
        "SELECT CAST(DATE_FORMAT(`t`.`d`, '%Y-%m-01') AS DATE) AS `m`, SUM(`t`.`x`) FROM `t` GROUP BY 1 ORDER BY NULL",
        "INSERT INTO `django_migrations` (`app`, `name`, `applied`) VALUES ('a', 'b', '2026-01-01 00:00:00.000000')",
        "SET FOREIGN_KEY_CHECKS = 0",
        "SHOW FULL TABLES",
        "SELECT column_name, data_type, CASE WHEN collation_name = 'x' THEN NULL ELSE collation_name END FROM "
        "information_schema.columns WHERE table_name = 't' AND table_schema = DATABASE()",
        "CREATE TABLE `app_a` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `d` datetime(6) NOT NULL)",
        "SAVEPOINT `s1_x1`",
        "ROLLBACK TO SAVEPOINT `s1_x1`",
    };
    expect_no_pin(texts, kMulti);
}

TEST(Clients, Rails) {
    const std::string_view texts[] = {
        "SET  @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'),  "
        "@@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483",
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci,  @@SESSION.sql_mode = 'TRADITIONAL',  "
        "@@SESSION.sql_auto_is_null = 0, "
        "@@SESSION.wait_timeout = 2147483",
        "SELECT `users`.* FROM `users` WHERE `users`.`id` = 1 LIMIT 1",
        "SELECT 1 AS one FROM `users` WHERE `users`.`email` = BINARY 'a' LIMIT 1",
        "INSERT INTO `users` (`name`) VALUES ('a') RETURNING `id`",
        "SELECT DATABASE() as db",
        "SHOW FULL FIELDS FROM `users`",
        "SHOW VARIABLES LIKE 'collation_database'",
        "SELECT VERSION()",
        "EXPLAIN SELECT `users`.* FROM `users`",
    };
    expect_no_pin(texts);
    // Its migrations do take a lock.
    EXPECT_EQ(pin_names(scan_all_ways("SELECT GET_LOCK('3543984580', 0)").pins), "named_lock");
}

TEST(Clients, WordPress) {
    const std::string_view texts[] = {
        "SET NAMES utf8mb4",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'",
        "SELECT @@SESSION.sql_mode",
        "SET SESSION sql_mode='NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
        "SELECT option_name, option_value FROM wp_options WHERE autoload IN ( 'yes', 'on', 'auto-on', 'auto' )",
        "SELECT SQL_CALC_FOUND_ROWS  wp_posts.ID FROM wp_posts  WHERE 1=1  AND ((wp_posts.post_type = 'post' AND "
        "(wp_posts.post_status = 'publish')))  ORDER BY wp_posts.post_date DESC LIMIT 0, 10",
        "SELECT FOUND_ROWS()",
        "INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('a', 'b', 'off') ON DUPLICATE "
        "KEY UPDATE "
        "`option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`)",
        "SELECT  t.term_id FROM wp_terms AS t  INNER JOIN wp_term_taxonomy AS tt ON t.term_id = tt.term_id WHERE "
        "tt.taxonomy IN "
        "('category') ORDER BY t.name ASC",
        "SELECT YEAR(post_date) AS `year`, MONTH(post_date) AS `month`, count(ID) as posts FROM wp_posts GROUP BY "
        "YEAR(post_date), MONTH(post_date) ORDER BY post_date DESC",
        "SELECT post_id, meta_key FROM wp_postmeta WHERE post_id IN (1,2) ORDER BY meta_id ASC",
        "SHOW FULL COLUMNS FROM `wp_options`",
        "DELETE a, b FROM wp_options a, wp_options b WHERE a.option_name LIKE '\\_transient\\_%' AND b.option_name = "
        "CONCAT( "
        "'_transient_timeout_', SUBSTRING( a.option_name, 12 ) ) AND b.option_value < 5",
    };
    expect_no_pin(texts);
}

TEST(Clients, Magento) {
    const std::string_view texts[] = {
        "SET NAMES utf8",
        "SET SQL_MODE=''",
        "SET time_zone = '+00:00'",
        "SET FOREIGN_KEY_CHECKS=0",
        "SELECT `e`.*, IF(at_status.value_id > 0, at_status.value, at_status_default.value) AS `status` FROM "
        "`catalog_product_entity` AS `e` INNER JOIN `catalog_product_entity_int` AS `at_status_default` ON "
        "(`at_status_default`.`entity_id` = `e`.`entity_id`) AND (`at_status_default`.`attribute_id` = '97') WHERE "
        "(e.sku IN ('a'))",
        "INSERT  INTO `core_config_data` (`scope`,`path`) VALUES (?, ?) ON DUPLICATE KEY UPDATE `value` = "
        "VALUES(`value`)",
        "SELECT COUNT(DISTINCT e.entity_id) FROM `t` AS `e`",
        "INSERT IGNORE INTO `a` (`x`, `y`) SELECT DISTINCT `b`.`x`, COALESCE(`c`.`y`, 0) AS `y` FROM `b`",
        "SHOW TABLE STATUS LIKE 'a'",
        "DESCRIBE `eav_attribute`",
        "SELECT SUM((o.base_grand_total - IFNULL(o.base_tax_amount, 0)) * o.base_to_global_rate) FROM o",
    };
    expect_no_pin(texts);
    EXPECT_EQ(
        pin_names(
            scan_all_ways("CREATE TEMPORARY TABLE IF NOT EXISTS `search_tmp_x` (`entity_id` int) ENGINE=MEMORY").pins),
        "temporary_table");
}

TEST(Clients, DriversAndOrms) {
    const std::string_view texts[] = {
        // Connector/J, MariaDB Connector/J
        "/* mysql-connector-j-8.0.33 (Revision: 7d) */SELECT  @@session.auto_increment_increment AS "
        "auto_increment_increment, "
        "@@character_set_client AS character_set_client, @@max_allowed_packet AS max_allowed_packet",
        "SET character_set_results = NULL",
        "SET autocommit=1",
        "set autocommit=0, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES'), session_track_schema=1",
        "SET SESSION TRANSACTION READ ONLY",
        "set session transaction isolation level read committed",
        "select @@session.tx_read_only",
        // Sequelize, TypeORM, node-mysql2
        "SELECT VERSION() as `version`",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;",
        "START TRANSACTION;",
        "SELECT `User`.`id` FROM `Users` AS `User` WHERE (`User`.`deletedAt` IS NULL) LIMIT 1;",
        "SELECT * FROM `INFORMATION_SCHEMA`.`COLUMNS` WHERE `TABLE_SCHEMA` = 'app' AND `TABLE_NAME` = 'x'",
        // SQLAlchemy, Doctrine
        "SELECT @@transaction_isolation",
        "SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1",
        "SHOW VARIABLES LIKE 'sql_mode'",
        "SELECT u0_.id AS id_0, COUNT(o1_.id) AS sclr_1 FROM user u0_ LEFT JOIN orders o1_ ON u0_.id = o1_.user_id "
        "GROUP BY u0_.id",
        "SELECT DISTINCT k.`CONSTRAINT_NAME` /*!50116 , c.UPDATE_RULE, c.DELETE_RULE */ FROM "
        "information_schema.key_column_usage k",
        "ROLLBACK",
        "COMMIT AND CHAIN",
        // Hibernate
        "select u1_0.id,u1_0.name from users u1_0 where u1_0.id=? for update",
        "select next_val as id_val from hibernate_sequence for update",
        "update hibernate_sequence set next_val= ? where next_val=?",
    };
    for (const std::string_view text : texts) {
        EXPECT_EQ(pin_names(scan_all_ways(text, kMulti).pins), "") << text;
    }
}

TEST(Clients, SysbenchAndDumps) {
    const std::string_view texts[] = {
        "SELECT c FROM sbtest1 WHERE id=50123",
        "SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 1 AND 100",
        "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 1 AND 100 ORDER BY c",
        "INSERT INTO sbtest1 (id, k, c, pad) VALUES (0, 1, 'a', 'b')",
        "/*!40100 SET @@SQL_MODE='' */",
        "SET SESSION NET_READ_TIMEOUT= 86400, SESSION NET_WRITE_TIMEOUT= 86400",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */",
        "SHOW CREATE TABLE `t`",
        "SET SESSION character_set_results = 'binary'",
        "SELECT /*!40001 SQL_NO_CACHE */ `a`, `b` FROM `t`",
        "SHOW TRIGGERS LIKE 't'",
        "UNLOCK TABLES",
        "/*!40000 ALTER TABLE `t` DISABLE KEYS */",
    };
    expect_no_pin(texts);
}

}  // namespace
}  // namespace tidegate::sql

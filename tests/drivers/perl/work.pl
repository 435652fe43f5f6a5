# DBD::mysql or DBD::MariaDB (first argument), statements prepared by the driver or, with a second argument `native`, by the server.
use strict;
use warnings;
use utf8;
use DBI;
use Digest::MD5 qw(md5_hex);
use Encode qw(encode);
use JSON::PP;

my ($driver, $native) = ($ARGV[0] // 'mysql', ($ARGV[1] // '') eq 'native');
my $prefix = $driver eq 'mysql' ? 'mysql' : 'mariadb';
my $json = JSON::PP->new->canonical->ascii;
$| = 1;

sub say_step { my ($step, %fields) = @_; print $json->encode({step => $step, %fields}), "\n"; }

sub open_connection {
    my $dsn = "DBI:$driver:database=$ENV{DRIVER_SCHEMA};host=$ENV{DRIVER_HOST};port=$ENV{DRIVER_PORT};${prefix}_local_infile=1";
    # Without "optional" these drivers want to check the certificate, and DBD::mysql cannot with Connector/C.
    $dsn .= ";${prefix}_ssl=1;${prefix}_ssl_optional=1" if $ENV{DRIVER_TLS} eq 'required';
    my %settings = (RaiseError => 1, PrintError => 0, AutoCommit => 1, "${prefix}_server_prepare" => $native ? 1 : 0);
    $settings{mysql_enable_utf8mb4} = 1 if $driver eq 'mysql';
    return DBI->connect($dsn, $ENV{DRIVER_USER}, $ENV{DRIVER_PASSWORD}, \%settings);
}

my $db = eval { open_connection() } or do { print STDERR "cannot log in: $@"; exit 3; };

sub rows {
    my ($sql, @parameters) = @_;
    my $rows = $db->selectall_arrayref($sql, undef, @parameters);
    for my $row (@$rows) { $row->[9] = unpack('H*', $row->[9]) if @$row == 10; }
    return [map { [map { defined $_ ? "$_" : undef } @$_] } @$rows];
}
sub value { return rows(@_)->[0][0]; }

say_step('connect', cipher => rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")->[0][1]);

$db->do("CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
    f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB");
my @first = (undef, -7, '18446744073709551615', '12345678901234.567890', 2.25e-7, '2024-02-29', '2024-02-29 23:59:58.123456',
    "na\x{ef}ve \x{1F680} 'quoted' \\ text", "\x00\xff\x00'\\\x1a\n\r\x80");
my @second = (5, 2147483647, 0, '-0.000001', -1e300, '1000-01-01', '9999-12-31 23:59:59.999999', '', '');
my $insert = $db->prepare('INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (?,?,?,?,?,?,?,?,?)');
my @ids;
for my $row (\@first, \@second) {
    $insert->bind_param($_ + 1, $row->[$_], $_ == 8 ? DBI::SQL_BLOB : $_ < 2 ? DBI::SQL_INTEGER : DBI::SQL_VARCHAR) for 0 .. 8;
    $insert->execute;
    push @ids, $db->{"${prefix}_insertid"};
}
say_step('insert', ids => \@ids, last => value('SELECT LAST_INSERT_ID()'));
say_step('text', rows => rows('SELECT * FROM kinds ORDER BY id'));

my $select = $db->prepare('SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id');
my @twice;
for my $parameters ([-7, 'none'], [2147483647, $first[7]]) {
    $select->execute(@$parameters);
    my $rows = $select->fetchall_arrayref;
    $_->[9] = unpack('H*', $_->[9]) for @$rows;
    push @twice, $rows;
}
say_step('binary', rows => \@twice);

$db->do('CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB');
$db->begin_work;
$db->do('INSERT INTO money VALUES (1)');
$db->commit;
my @counts = value('SELECT COUNT(*) FROM money');
$db->begin_work;
$db->do('INSERT INTO money VALUES (2)');
$db->rollback;
say_step('transaction', counts => [@counts, value('SELECT COUNT(*) FROM money')]);

my @codes;
for my $sql ('INSERT INTO money VALUES (1)', 'SELEKT 1') {
    eval { $db->do($sql); 1 } or push @codes, [$db->err, $db->state];
}
say_step('errors', codes => \@codes, alive => value('SELECT 1'));

$db->do('CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB');
for (my $start = 0; $start < 10000; $start += 1000) {
    $db->do('INSERT INTO many VALUES ' . join ',', map { "($_, 'row " . 'x' x ($_ % 50) . "')" } $start .. $start + 999);
}
my ($count, $sum, $text) = (0, 0, '');
# Row by row from the wire where that works: it does not with statements of the server, nor in DBD::MariaDB 1.22.
my $all = $db->prepare('SELECT a, t FROM many ORDER BY a', $driver eq 'mysql' && !$native ? {mysql_use_result => 1} : {});
$all->execute;
while (my ($a, $t) = $all->fetchrow_array) { $count++; $sum += $a; $text .= $t; }
say_step('many', count => $count, sum => $sum, md5 => md5_hex(encode('UTF-8', $text)));

my $big = join('', map { chr } 0 .. 255) x 4096;
$db->do('CREATE TABLE large (v LONGBLOB)');
my $store = $db->prepare('INSERT INTO large VALUES (?)');
$store->bind_param(1, $big, DBI::SQL_BLOB);
$store->execute;
my $back = $db->selectrow_array('SELECT v FROM large');
say_step('large', length => length $back, same => $back eq $big ? JSON::PP::true : JSON::PP::false);

$db->do('CREATE TABLE loaded (a INT, t TEXT)');
my $loaded = eval { $db->do("LOAD DATA LOCAL INFILE '$ENV{DRIVER_FILE}' INTO TABLE loaded") };
say_step('infile', rows => $loaded, error => $loaded ? undef : $db->err, sum => value('SELECT SUM(a) FROM loaded'));

say_step('ping', ok => $db->ping ? JSON::PP::true : JSON::PP::false);

my $before = value('SELECT DATABASE()');
$db->do("USE $ENV{DRIVER_OTHER}");
my $now = value('SELECT DATABASE()');
$db->do('CREATE TABLE here (a INT)');
$db->do("USE $before");
say_step('database', before => $before, now => $now, again => value('SELECT DATABASE()'));

$db->do($_) for 'SET NAMES latin1', "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET \@mine = 'kept'";
my $session = rows('SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine');
$db->do('SET NAMES utf8mb4');
say_step('session', values => $session, after => rows('SELECT @@character_set_client, @@time_zone, @mine'));

my $other = open_connection();
my $seen = sub { return scalar $other->selectrow_array('SELECT COUNT(*) FROM money WHERE a = 9') };
$db->begin_work;
$db->do('INSERT INTO money VALUES (9)');
my $unseen = $seen->();
$db->commit;
say_step('two', before => $unseen, after => $seen->());
$other->disconnect;
undef $insert; undef $select; undef $store; undef $all;
$db->disconnect;
say_step('close');

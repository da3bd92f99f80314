//! What is propagated, as Redis 7.0.15 writes it to its append-only file.

mod common;

use common::Server;

#[test]
fn commands_in_their_deterministic_form() {
    Server::expect_effects(&[
        ("", "SET k v", &["0 SET k v"]),
        ("", "set k v NX", &["0 set k v NX"]),
        ("SET k v", "SET k v NX", &[]),
        ("", "SET k v EX 10", &["0 SET k v PXAT 1700000010000"]),
        ("", "SET k v NX PXAT 1800000000000", &["0 SET k v PXAT 1800000000000"]),
        ("SET k 1", "SET k v GET XX", &["0 SET k v XX"]),
        ("SET k 1", "SET k v GET EX 1", &["0 SET k v PXAT 1700000001000"]),
        ("", "SET k v KEEPTTL", &["0 SET k v KEEPTTL"]),
        ("", "SETEX k 10 v", &["0 SET k v PXAT 1700000010000"]),
        ("", "PSETEX k 10 v", &["0 SET k v PXAT 1700000000010"]),
        ("", "SETNX k v", &["0 SETNX k v"]),
        ("", "GETSET k v", &["0 SET k v"]),
        ("SET k v", "GETDEL k", &["0 DEL k"]),
        ("", "GETDEL k", &[]),
        ("SET k v", "GETEX k", &[]),
        ("SET k v", "GETEX k EX 1", &["0 PEXPIREAT k 1700000001000"]),
        ("SET k v", "GETEX k PXAT 1", &["0 DEL k"]),
        ("SET k v EX 1", "GETEX k PERSIST", &["0 PERSIST k"]),
        ("SET k v", "GETEX k PERSIST", &[]),
        ("", "INCR k", &["0 INCR k"]),
        ("SET k 1", "INCRBYFLOAT k 0.5", &["0 SET k 1.5 KEEPTTL"]),
        ("SET k x", "INCR k", &[]),
        ("", "APPEND k v", &["0 APPEND k v"]),
        ("", "SETRANGE k 1 \"\"", &[]),
        ("", "MSET a 1 b 2", &["0 MSET a 1 b 2"]),
        ("SET a 1", "MSETNX a 1 b 2", &[]),
        ("", "HSET h f v", &["0 HSET h f v"]),
        ("HSET h f v", "HSET h f v", &["0 HSET h f v"]),
        ("HSET h f v", "HSETNX h f v", &[]),
        ("", "HINCRBYFLOAT h f 1.5", &["0 HSET h f 1.5"]),
        ("HSET h f v", "HDEL h f g", &["0 HDEL h f g"]),
        ("HSET h f v", "HDEL h g", &[]),
        ("", "RPUSH l a b", &["0 RPUSH l a b"]),
        ("", "RPUSHX l a", &[]),
        ("RPUSH l a b", "LPOP l 5", &["0 LPOP l 5"]),
        ("RPUSH l a b", "LPOP l 0", &[]),
        ("RPUSH l a b", "LMPOP 2 m l RIGHT COUNT 9", &["0 RPOP l 2"]),
        ("RPUSH l a b", "LMOVE l m LEFT RIGHT", &["0 LMOVE l m LEFT RIGHT"]),
        ("RPUSH l a b", "LTRIM l 0 -1", &[]),
        ("RPUSH l a b", "LREM l 0 x", &[]),
        ("", "SADD s a", &["0 SADD s a"]),
        ("SADD s a", "SADD s a", &[]),
        ("SADD s a", "SREM s a b", &["0 SREM s a b"]),
        ("SADD s a", "SPOP s", &["0 SREM s a"]),
        ("SADD s a", "SPOP s 1", &["0 DEL s"]),
        ("SADD s a b", "SPOP s 9", &["0 DEL s"]),
        ("SADD s a;SADD t a", "SMOVE s t a", &["0 SMOVE s t a"]),
        ("SADD s a", "SUNIONSTORE t s", &["0 SUNIONSTORE t s"]),
        ("SADD s a", "SINTERSTORE t s u", &[]),
        ("SADD t a", "SINTERSTORE t s u", &["0 SINTERSTORE t s u"]),
        ("", "ZADD z 1 a", &["0 ZADD z 1 a"]),
        ("ZADD z 1 a", "ZADD z 1 a", &[]),
        ("ZADD z 1 a", "ZADD z XX INCR 1 a", &["0 ZADD z XX INCR 1 a"]),
        ("ZADD z 1 a", "ZINCRBY z 0 a", &[]),
        ("ZADD z 1 a", "ZINCRBY z 0.5 a", &["0 ZINCRBY z 0.5 a"]),
        ("ZADD z 1 a 2 b", "ZPOPMIN z", &["0 ZPOPMIN z"]),
        ("ZADD z 1 a 2 b", "ZMPOP 1 z MAX COUNT 9", &["0 ZPOPMAX z 2"]),
        ("ZADD z 1 a 2 b", "ZREMRANGEBYRANK z 5 6", &[]),
        ("ZADD z 1 a 2 b", "ZRANGESTORE y z 0 0", &["0 ZRANGESTORE y z 0 0"]),
        ("RPUSH l 2 1", "SORT l STORE m", &["0 SORT l STORE m"]),
        ("RPUSH l 2 1", "SORT l", &[]),
        ("SET k v", "DEL k j", &["0 DEL k j"]),
        ("", "DEL k j", &[]),
        ("SET k v", "UNLINK k", &["0 UNLINK k"]),
        ("SET k v", "EXPIRE k 10", &["0 PEXPIREAT k 1700000010000"]),
        ("SET k v", "EXPIRE k 10 NX", &["0 PEXPIREAT k 1700000010000 NX"]),
        ("SET k v", "PEXPIREAT k 1800000000000", &["0 PEXPIREAT k 1800000000000"]),
        ("SET k v", "EXPIREAT k 1800000000", &["0 PEXPIREAT k 1800000000000"]),
        ("SET k v", "EXPIRE k -1", &["0 DEL k"]),
        ("SET k v", "EXPIRE k 10 XX", &[]),
        ("", "EXPIRE k 10", &[]),
        ("SET k v EX 1", "PERSIST k", &["0 PERSIST k"]),
        ("SET k v", "RENAME k j", &["0 RENAME k j"]),
        ("SET k v", "RENAME k k", &[]),
        ("SET k v", "COPY k j DB 1", &["0 COPY k j DB 1"]),
        ("SELECT 2;SET k v", "MOVE k 1", &["2 MOVE k 1"]),
        ("", "SWAPDB 0 1", &["0 SWAPDB 0 1"]),
        ("", "FLUSHALL", &["0 FLUSHALL"]),
        ("SELECT 1", "FLUSHDB", &["1 FLUSHDB"]),
        ("", "SELECT 1", &[]),
        ("", "SCRIPT LOAD x", &[]),
        ("CONFIG SET lazyfree-lazy-expire yes;SET k v", "EXPIRE k -1", &["0 UNLINK k"]),
    ]);
}

#[test]
fn more_than_one_command_is_framed() {
    Server::expect_effects(&[
        ("MULTI;SET a 1;GET a", "EXEC", &["0 SET a 1"]),
        ("MULTI;SET a 1;INCR a", "EXEC", &["0 MULTI", "0 SET a 1", "0 INCR a", "0 EXEC"]),
        ("MULTI;SET a 1;SELECT 1;SET b 1", "EXEC", &["0 MULTI", "0 SET a 1", "1 SET b 1", "0 EXEC"]),
        ("MULTI;GET a", "EXEC", &[]),
        ("", "EVAL \"SET a 1\" 0", &["0 SET a 1"]),
        ("", "EVAL \"SET a 1;EXPIRE a 1\" 0", &["0 MULTI", "0 SET a 1", "0 PEXPIREAT a 1700000001000", "0 EXEC"]),
        ("", "EVAL \"SELECT 1;SET a 1\" 0", &["1 SET a 1"]),
        ("", "EVAL \"SET a 1;quiet;SET b 1\" 0", &["0 SET a 1"]),
    ]);
}

#[test]
fn expiries_are_deletions() {
    for (line, effects) in [
        ("GET k", &["0 DEL k"][..]),
        ("SET k w", &["0 MULTI", "0 DEL k", "0 SET k w", "0 EXEC"]),
        ("SET k w PXAT 1", &["0 MULTI", "0 DEL k", "0 SET k w PXAT 1", "0 EXEC"]),
        ("EXISTS k j", &["0 MULTI", "0 DEL k", "0 DEL j", "0 EXEC"]),
        ("DEL k", &["0 DEL k"]),
        ("RENAME k l", &["0 DEL k"]),
        ("COPY k l", &["0 DEL k"]),
        ("OBJECT ENCODING k", &["0 DEL k"]),
        ("KEYS *", &[]),
        ("DBSIZE", &[]),
        ("WATCH k", &[]),
        ("FLUSHALL", &["0 FLUSHALL"]),
        ("SCAN 0 MATCH k", &["0 DEL k"]),
        ("EVAL \"GET k\" 0", &["0 DEL k"]),
    ] {
        let mut server = Server::new();
        server.run("SET k v PX 1");
        server.run("SET j v PX 1");
        server.now_ms += 2;
        assert_eq!(server.effects(line), effects, "{line}");
    }
    // Removals that a scan comes upon have nothing to do with each other.
    let mut server = Server::sorted();
    server.run("MSET k v j v");
    server.run("PEXPIRE k 1");
    server.run("PEXPIRE j 1");
    server.now_ms += 2;
    let mut removed = server.effects("SCAN 0");
    removed.sort();
    assert_eq!(removed, ["0 DEL j", "0 DEL k"]);
}

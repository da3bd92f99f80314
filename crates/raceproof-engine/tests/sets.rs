//! Sets.

mod common;

use common::Server;

#[test]
fn members() {
    let mut server = Server::new();
    server.expect(&[
        ("SADD s 3 1 2 1", ":3"),
        ("SADD s 1", ":0"),
        ("SMEMBERS s", "*3|$1|1|$1|2|$1|3"),
        ("SISMEMBER s 2", ":1"),
        ("SISMEMBER s 02", ":0"),
        ("SMISMEMBER s 1 9", "*2|:1|:0"),
        ("SCARD s", ":3"),
        ("SREM s 1 9 2", ":2"),
        ("SMOVE s t 9", ":0"),
        ("SMOVE s t 3", ":1"),
        ("EXISTS s", ":0"),
        ("SMEMBERS t", "*1|$1|3"),
        ("SMOVE t t 3", ":1"),
        ("TYPE t", "+set"),
        ("GET t", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn integers_become_a_table_for_good() {
    let mut server = Server::sorted();
    server.expect(&[
        ("SADD s 1 2", ":2"),
        ("OBJECT ENCODING s", "$6|intset"),
        ("SADD s a", ":1"),
        ("OBJECT ENCODING s", "$9|hashtable"),
        ("SREM s a", ":1"),
        ("OBJECT ENCODING s", "$9|hashtable"),
        ("SUNIONSTORE t s", ":2"),
        ("OBJECT ENCODING t", "$6|intset"),
        ("CONFIG SET set-max-intset-entries 2", "+OK"),
        ("SADD t 2 3", ":1"),
        ("OBJECT ENCODING t", "$9|hashtable"),
        ("SADD n 10 9", ":2"),
        ("SADD n x", ":1"),
        ("SMEMBERS n", "*3|$2|10|$1|9|$1|x"),
        ("SSCAN n 0", "*2|$1|0|*3|$2|10|$1|9|$1|x"),
    ]);
}

#[test]
fn algebra() {
    let mut server = Server::sorted();
    server.expect(&[
        ("SADD a 1 2 3 x", ":4"),
        ("SADD b 2 3 y", ":3"),
        ("SINTER a b", "*2|$1|2|$1|3"),
        ("SINTER a none", "*0"),
        ("SINTERCARD 2 a b LIMIT 1", ":1"),
        ("SUNION a b none", "*5|$1|1|$1|2|$1|3|$1|x|$1|y"),
        ("SDIFF a b", "*2|$1|1|$1|x"),
        ("SDIFF a a", "*0"),
        ("SINTERSTORE c a b", ":2"),
        ("SDIFFSTORE c none a", ":0"),
        ("EXISTS c", ":0"),
        ("SET k v", "+OK"),
        ("SUNION a k", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn random_members() {
    let mut server = Server::new();
    server.expect(&[
        ("SADD s a", ":1"),
        ("SRANDMEMBER s", "$1|a"),
        ("SRANDMEMBER s -2", "*2|$1|a|$1|a"),
        ("SRANDMEMBER s 5", "*1|$1|a"),
        ("SRANDMEMBER none 1", "*0"),
        ("SPOP s 0", "*0"),
        ("SPOP s -1", "-ERR value is out of range, must be positive"),
        ("SPOP s", "$1|a"),
        ("SPOP s", "$-1"),
        ("SPOP s 1", "*0"),
    ]);
    server.run("SADD s a b c d");
    assert_eq!(server.touched("SRANDMEMBER s"), "db0=ir random=w s=r");
    assert_eq!(server.touched("SRANDMEMBER s 4"), "db0=ir s=r", "there is no choice");
    assert_eq!(server.touched("SPOP s"), "db0=ir random=w s=w");
    server.run("HELLO 3");
    assert!(server.say("SPOP s 9").starts_with("~3|"));
}

/// Every member is drawn, and each as often as any other.
#[test]
fn draws_are_fair() {
    let mut server = Server::new();
    server.run("SADD s a b c d e");
    let mut drawn = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..2000 {
        let reply = server.say("SRANDMEMBER s 2");
        let members: Vec<&str> = reply.split('|').skip(2).step_by(2).collect();
        assert!(members.len() == 2 && members[0] != members[1], "{reply}");
        for member in members {
            *drawn.entry(member.to_owned()).or_default() += 1;
        }
    }
    assert!(drawn.len() == 5 && drawn.values().all(|count| (700..900).contains(count)), "{drawn:?}");
}

#[test]
fn footprints() {
    let mut server = Server::sorted();
    for (line, footprint) in [
        ("SADD s a", "#s=iw db0=iw s.a=w s=w"),
        ("SADD s a", "db0=ir s.a=r s=ir"),
        ("SADD s b", "#s=iw db0=ir s.b=w s=iw"),
        ("SISMEMBER s z", "db0=ir s.z=r s=ir"),
        ("SCARD s", "#s=r db0=ir s=ir"),
        ("SMEMBERS s", "db0=ir s=r"),
        ("SREM s z", "db0=ir s.z=r s=ir"),
        ("SREM s a", "#s=iw #s=r db0=ir s.a=w s=iw"),
        ("SREM s b", "#s=iw #s=r db0=iw s.b=w s=w"),
    ] {
        assert_eq!(server.touched(line), footprint, "{line}");
    }
}

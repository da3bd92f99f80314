//! Streams.

mod common;

use common::{START_MS, Server};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn entries() {
    let mut server = Server::new();
    server.expect(&[
        ("XADD x 1-1 a 1", "$3|1-1"),
        ("XADD x 1-1 a 1", "-ERR The ID specified in XADD is equal or smaller than the target stream top item"),
        ("XADD x 0-0 a 1", "-ERR The ID specified in XADD must be greater than 0-0"),
        ("XADD x 1-* b 2", "$3|1-2"),
        ("XADD x 5 c 3", "$3|5-0"),
        ("XADD x NOMKSTREAM * d 4", &format!("$15|{START_MS}-0")),
        ("XADD x * d 4", &format!("$15|{START_MS}-1")),
        ("XADD none NOMKSTREAM * d 4", "$-1"),
        ("XADD x 9 a", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD x nine a 1", "-ERR Invalid stream ID specified as stream command argument"),
        ("XLEN x", ":5"),
        ("XRANGE x - 1", "*2|*2|$3|1-1|*2|$1|a|$1|1|*2|$3|1-2|*2|$1|b|$1|2"),
        ("XRANGE x (1-1 5 COUNT 1", "*1|*2|$3|1-2|*2|$1|b|$1|2"),
        ("XREVRANGE x 5 - COUNT 1", "*1|*2|$3|5-0|*2|$1|c|$1|3"),
        ("XDEL x 1-2 1-2 9-9", ":1"),
        ("XTRIM x MAXLEN 2", ":2"),
        ("XTRIM x MINID 99999999999999", ":2"),
        ("XLEN x", ":0"),
        ("EXISTS x", ":1"),
        ("TYPE x", "+stream"),
        ("OBJECT ENCODING x", "$6|stream"),
        ("GET x", WRONG_TYPE),
        ("LPUSH x a", WRONG_TYPE),
    ]);
}

/// An approximate trim removes nodes, and a node holds as many entries as the settings say.
#[test]
fn approximate_trims_remove_whole_nodes() {
    let mut server = Server::new();
    server.run("CONFIG SET stream-node-max-entries 10");
    for n in 1..=35 {
        server.run(&format!("XADD x {n} f v"));
    }
    server.expect(&[
        ("XTRIM x MAXLEN ~ 20", ":10"),
        ("XLEN x", ":25"),
        ("XTRIM x MAXLEN ~ 1 LIMIT 9", ":0"),
        ("XTRIM x MINID ~ 25", ":10"),
        ("XTRIM x MINID 25", ":4"),
        ("XTRIM x MAXLEN 5 LIMIT 1", "-ERR syntax error, LIMIT cannot be used without the special ~ option"),
    ]);
    assert_eq!(server.effects("XADD x MAXLEN ~ 1 * f v"), [format!("0 XADD x MAXLEN = 6 {START_MS}-0 f v")]);
}

#[test]
fn groups() {
    let mut server = Server::new();
    server.expect(&[
        ("XGROUP CREATE x g 0", "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."),
        ("XGROUP CREATE x g 0 MKSTREAM", "+OK"),
        ("XGROUP CREATE x g 0", "-BUSYGROUP Consumer Group name already exists"),
        ("XADD x 1 f a", "$3|1-0"),
        ("XADD x 2 f b", "$3|2-0"),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS x >", "*1|*2|$1|x|*1|*2|$3|1-0|*2|$1|f|$1|a"),
        ("XREADGROUP GROUP g d STREAMS x >", "*1|*2|$1|x|*1|*2|$3|2-0|*2|$1|f|$1|b"),
        ("XREADGROUP GROUP g d STREAMS x >", "*-1"),
        ("XREADGROUP GROUP g c STREAMS x 0", "*1|*2|$1|x|*1|*2|$3|1-0|*2|$1|f|$1|a"),
        ("XREADGROUP GROUP none c STREAMS x >", "-NOGROUP No such key 'x' or consumer group 'none' in XREADGROUP with GROUP option"),
        ("XPENDING x g", "*4|:2|$3|1-0|$3|2-0|*2|*2|$1|c|$1|1|*2|$1|d|$1|1"),
        ("XPENDING x g - + 9 c", "*1|*4|$3|1-0|$1|c|:0|:2"),
        ("XACK x g 1 7", ":1"),
        ("XPENDING x g IDLE 1 - + 9", "*0"),
        ("XCLAIM x g c 0 2-0 JUSTID", "*1|$3|2-0"),
        ("XDEL x 2-0", ":1"),
        ("XREADGROUP GROUP g c STREAMS x 0", "*1|*2|$1|x|*1|*2|$3|2-0|*-1"),
        ("XAUTOCLAIM x g d 0 -", "*3|$3|0-0|*0|*1|$3|2-0"),
        ("XGROUP CREATECONSUMER x g e", ":1"),
        ("XGROUP DELCONSUMER x g e", ":0"),
        ("XGROUP DESTROY x g", ":1"),
        ("XACK x g 1", ":0"),
    ]);
}

#[test]
fn deliveries_age_and_are_counted() {
    let mut server = Server::new();
    for line in ["XADD x 1 f a", "XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >"] {
        server.run(line);
    }
    server.now_ms += 500;
    server.expect(&[
        ("XPENDING x g - + 9", "*1|*4|$3|1-0|$1|c|:500|:1"),
        ("XCLAIM x g d 501 1", "*0"),
        ("XCLAIM x g d 500 1", "*1|*2|$3|1-0|*2|$1|f|$1|a"),
        ("XPENDING x g - + 9", "*1|*4|$3|1-0|$1|d|:0|:2"),
        ("XINFO GROUPS x", "*1|*12|$4|name|$1|g|$9|consumers|:2|$7|pending|:1|$17|last-delivered-id|$3|1-0|$12|entries-read|:1|$3|lag|:0"),
    ]);
    assert_eq!(server.footprint(), "db0=ir x=r");
    assert_eq!(server.touched("XPENDING x g - + 9"), "clock=r db0=ir x=r");
    assert_eq!(server.touched("XADD x 2 f v"), "db0=ir x=w");
    assert_eq!(server.touched("XADD x * f v"), "clock=r db0=ir x=w");
}

#[test]
fn reading_waits_outside_transactions_and_scripts_only() {
    let mut server = Server::new();
    server.expect(&[
        ("XADD x 1 f a", "$3|1-0"),
        ("XREAD BLOCK 0 STREAMS x 0", "*1|*2|$1|x|*1|*2|$3|1-0|*2|$1|f|$1|a"),
        ("XREAD STREAMS x $", "*-1"),
        ("MULTI", "+OK"),
        ("XREAD BLOCK 0 STREAMS x $", "+QUEUED"),
        ("EXEC", "*1|*-1"),
        ("EVAL \"XREAD BLOCK 0 STREAMS x $\" 0", "-ERR XREAD command is not allowed with BLOCK option from scripts"),
    ]);
    server.run("HELLO 3");
    server.expect(&[("XREAD STREAMS x 0", "%1|$1|x|*1|*2|$3|1-0|*2|$1|f|$1|a")]);
    server.run("XREAD BLOCK 0 STREAMS x $");
    assert!(server.engine.waits(server.session));
}

#[test]
fn what_is_propagated() {
    let delivered = format!("0 XCLAIM x g c 0 1-0 TIME {START_MS} RETRYCOUNT 1 FORCE JUSTID LASTID 1-0");
    let added = format!("0 XADD x {START_MS}-0 f v");
    Server::expect_effects(&[
        ("", "XADD x * f v", &[&added]),
        ("", "XADD x 1-* f v", &["0 XADD x 1-0 f v"]),
        ("XADD x 1 f v", "XDEL x 2", &[]),
        ("XADD x 1 f v;XGROUP CREATE x g 0", "XREADGROUP GROUP g c STREAMS x >", &[&delivered]),
        (
            "XADD x 1 f v;XGROUP CREATE x g 0",
            "XREADGROUP GROUP g c NOACK STREAMS x >",
            &["0 MULTI", "0 XGROUP CREATECONSUMER x g c", "0 XGROUP SETID x g 1-0 ENTRIESREAD 1", "0 EXEC"],
        ),
        ("XADD x 1 f v;XGROUP CREATE x g 0;XREADGROUP GROUP g c STREAMS x >", "XACK x g 1", &["0 XACK x g 1"]),
        ("XADD x 1 f v;XGROUP CREATE x g 0", "XACK x g 1", &[]),
    ]);
}

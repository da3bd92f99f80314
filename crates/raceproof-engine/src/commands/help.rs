//! The texts of `HELP` subcommands.

use bytes::Bytes;

use super::help;
use crate::{context::Context, failure::Answer};

pub(super) fn acl(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "ACL <subcommand> [<argument> ...]",
        "CAT [<category>]",
        "DELUSER <username> [<username> ...]",
        "DRYRUN <username> <command> [<arg> ...]",
        "GETUSER <username>",
        "GENPASS [<bits>]",
        "LIST",
        "LOAD",
        "LOG [<count> | RESET]",
        "SAVE",
        "SETUSER <username> <attribute> [<attribute> ...]",
        "USERS",
        "WHOAMI",
        "HELP",
    ]))
}

pub(super) fn client(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "CLIENT <subcommand> [<argument> ...]",
        "CACHING (YES|NO)",
        "GETREDIR",
        "GETNAME",
        "ID",
        "INFO",
        "KILL <ip:port>",
        "KILL <option> <value> [<option> <value> [...]]",
        "LIST [options ...]",
        "UNPAUSE",
        "PAUSE <timeout> [WRITE|ALL]",
        "REPLY (ON|OFF|SKIP)",
        "SETNAME <name>",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
        "TRACKINGINFO",
        "NO-EVICT (ON|OFF)",
        "HELP",
    ]))
}

pub(super) fn command(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "COMMAND <subcommand> [<argument> ...]",
        "(no subcommand)",
        "COUNT",
        "LIST",
        "INFO [<command-name> ...]",
        "DOCS [<command-name> ...]",
        "GETKEYS <full-command>",
        "GETKEYSANDFLAGS <full-command>",
        "HELP",
    ]))
}

pub(super) fn debug(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "DEBUG <subcommand> [<argument> ...]",
        "AOF-FLUSH-SLEEP <microsec>",
        "ASSERT",
        "CHANGE-REPL-ID",
        "CONFIG-REWRITE-FORCE-ALL",
        "CRASH-AND-RECOVER [<milliseconds>]",
        "DIGEST",
        "DIGEST-VALUE <key> [<key> ...]",
        "ERROR <string>",
        "LEAK <string>",
        "LOG <message>",
        "HTSTATS <dbid>",
        "HTSTATS-KEY <key>",
        "LOADAOF",
        "REPLICATE <string>",
        "MALLCTL <key> [<val>]",
        "MALLCTL-STR <key> [<val>]",
        "OBJECT <key>",
        "DROP-CLUSTER-PACKET-FILTER <packet-type>",
        "OOM",
        "PANIC",
        "POPULATE <count> [<prefix>] [<size>]",
        "PROTOCOL <type>",
        "RELOAD [option ...]",
        "RESTART [<milliseconds>]",
        "SDSLEN <key>",
        "SEGFAULT",
        "SET-ACTIVE-EXPIRE <0|1>",
        "QUICKLIST-PACKED-THRESHOLD <size>",
        "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
        "SLEEP <seconds>",
        "STRINGMATCH-TEST",
        "STRUCTSIZE",
        "LISTPACK <key>",
        "QUICKLIST <key> [<0|1>]",
        "CLIENT-EVICTION",
        "PAUSE-CRON <0|1>",
        "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
        "REPLYBUFFER RESIZING <0|1>",
        "CLUSTERLINK KILL <to|from|all> <node-id>",
        "HELP",
    ]))
}

pub(super) fn function(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "FUNCTION <subcommand> [<argument> ...]",
        "LOAD [REPLACE] <FUNCTION CODE>",
        "DELETE <LIBRARY NAME>",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "STATS",
        "KILL",
        "FLUSH [ASYNC|SYNC]",
        "DUMP",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "HELP",
    ]))
}

pub(super) fn latency(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "LATENCY <subcommand> [<argument> ...]",
        "DOCTOR",
        "GRAPH <event>",
        "HISTORY <event>",
        "LATEST",
        "RESET [<event> ...]",
        "HISTOGRAM [COMMAND ...]",
        "HELP",
    ]))
}

pub(super) fn memory(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "MEMORY <subcommand> [<argument> ...]",
        "DOCTOR",
        "MALLOC-STATS",
        "PURGE",
        "STATS",
        "USAGE <key> [SAMPLES <count>]",
        "HELP",
    ]))
}

pub(super) fn script(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&[
        "SCRIPT <subcommand> [<argument> ...]",
        "DEBUG (YES|SYNC|NO)",
        "EXISTS <sha1> [<sha1> ...]",
        "FLUSH [ASYNC|SYNC]",
        "KILL",
        "LOAD <script>",
        "HELP",
    ]))
}

pub(super) fn slowlog(_: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(help(&["SLOWLOG <subcommand> [<argument> ...]", "GET [<count>]", "LEN", "RESET", "HELP"]))
}

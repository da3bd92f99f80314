//! `RACEPROOF HELP`

use raceproof_engine::Reply;

const LINES: &[&str] = &[
    "RACEPROOF <subcommand> [<arg> ...]. Subcommands are:",
    "CLOCK NOW",
    "    The time (Unix ms).",
    "CLOCK FREEZE | RESUME",
    "    Stop the clock; let it run on from where it is. Gives the time.",
    "CLOCK ADVANCE <ms|250ms|90s|5m|1h|7d>",
    "    Let time pass: expiry, timeouts and delayed replies happen in the order of time. Gives the time.",
    "CLOCK SET <unix-ms>",
    "    Go to a time: forwards as by ADVANCE, backwards at once.",
    "SNAPSHOT <name>",
    "    Keep the data, the disk and the time under a name.",
    "REWIND <name>",
    "    Go back to what is kept under a name. Clients stay connected.",
    "CRASH [PROCESS|POWER] [WORST|ANY]",
    "    Go down and start again with what the persistence policy has kept; all connections drop.",
    "    WORST (default): the least that a power loss may leave. ANY: more of it, by the seed.",
    "PERSISTENCE [always|everysec|no|off]",
    "    Show or choose the policy. What the server holds at this moment counts as on disk, but for off.",
    "FAULT ADD <drop-reply|error [<text>]|delay <ms>|disconnect> ON <command-or-pattern> [NTH <n>] [CLIENT <name>]",
    "    Have something go wrong with matching commands, each or the nth only. A pattern with a space in it",
    "    is compared with the whole command. Gives the fault's number.",
    "FAULT LIST",
    "    Show the faults, how many commands they matched and how often they struck.",
    "FAULT CLEAR [<number>]",
    "    Remove a fault, or all. Gives how many.",
    "EVICT <key> [<key> ...]",
    "    Remove keys as maxmemory would. Gives how many were there.",
    "HISTORY [CLIENT <name>]",
    "    What each client sent and got: time, client, command, reply. Recorded from the first RACEPROOF",
    "    command on, and in universes from the start.",
    "HISTORY ON | OFF | CLEAR",
    "    Record or not; forget what was recorded.",
    "SEED <n>",
    "    The random choices to come are those of this seed.",
    "HELP",
    "    Print this help.",
];

pub(super) fn help() -> Reply {
    Reply::Array(LINES.iter().map(|line| Reply::Simple(line)).collect())
}

//! `INFO`: the fields that clients read. What only a process can know (memory, sockets, forks) is constant.

use std::fmt::Write;

use bytes::Bytes;

use crate::{
    Access, Object, Reply,
    command::{Command, Group, flag::*},
    context::Context,
    failure::Answer,
    rng::Random,
};

pub(super) const COMMANDS: &[Command] = &[Command::new("info", info, -1, LOADING | STALE, Group::Dangerous).tips(&[
    "nondeterministic_output",
    "request_policy:all_shards",
    "response_policy:special",
])];

type Section = fn(&Context<'_>, &mut String);

/// The sections in Redis's order, and whether they are shown without being asked for.
const SECTIONS: &[(&str, Section)] = &[
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", persistence),
    ("Stats", stats),
    ("Replication", replication),
    ("CPU", cpu),
    ("Modules", |_, _| {}),
    ("Errorstats", |_, _| {}),
    ("Cluster", |_, text| text.push_str("cluster_enabled:0\r\n")),
    ("Keyspace", keyspace),
];

/// Notes what a section tells: who asks for the server's identity alone does not see its keys.
fn look(context: &mut Context<'_>, section: &str) {
    match section {
        "Server" | "Persistence" => context.read_clock(),
        "Memory" => context.touch(Object::Scripts, Access::Read),
        "Keyspace" => {
            context.touch(Object::Deadlines, Access::Read);
            context.read_clock();
            for db in 0..context.engine.config.databases() {
                context.touch(Object::Keyspace(db), Access::Read);
            }
        }
        _ => {}
    }
}

fn info(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    context.touch(Object::Server, Access::Read);
    let everything = args.len() == 1
        || args[1..]
            .iter()
            .any(|name| [&b"all"[..], b"default", b"everything"].iter().any(|whole| name.eq_ignore_ascii_case(whole)));
    let mut text = String::new();
    for (name, section) in SECTIONS {
        if everything || args[1..].iter().any(|asked| asked.eq_ignore_ascii_case(name.as_bytes())) {
            look(context, name);
            let gap = if text.is_empty() { "" } else { "\r\n" };
            let _ = write!(text, "{gap}# {name}\r\n");
            section(context, &mut text);
        }
    }
    Ok(Reply::Verbatim(*b"txt", text.into()))
}

/// Appends `name:value` lines.
fn fields(text: &mut String, fields: &[(&str, &dyn std::fmt::Display)]) {
    for (name, value) in fields {
        let _ = write!(text, "{name}:{value}\r\n");
    }
}

/// A name of 40 hexadecimal digits, which a server gives itself at random when it starts.
fn identity(context: &Context<'_>, salt: u64) -> String {
    let process = context.engine.incarnation.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = Random::new(context.engine.options.seed ^ salt ^ process);
    let digits: String = (0..3).map(|_| format!("{:016x}", random.next())).collect();
    digits[..40].into()
}

fn server(context: &Context<'_>, text: &mut String) {
    let up_s = (context.now_ms() - context.engine.started.unwrap_or_default().ms()) / 1000;
    fields(
        text,
        &[
            ("redis_version", &super::server::version(context)),
            ("redis_git_sha1", &"00000000"),
            ("redis_git_dirty", &0),
            ("redis_build_id", &"0"),
            ("redis_mode", &"standalone"),
            ("os", &"raceproof"),
            ("arch_bits", &64),
            ("monotonic_clock", &"virtual"),
            ("multiplexing_api", &"none"),
            ("process_id", &1),
            ("process_supervised", &"no"),
            ("run_id", &identity(context, 0x7275_6e5f_6964)),
            ("tcp_port", &6379),
            ("server_time_usec", &context.now.unix_us),
            ("uptime_in_seconds", &up_s),
            ("uptime_in_days", &(up_s / 86_400)),
            ("hz", &10),
            ("configured_hz", &10),
            ("lru_clock", &((context.now_ms() / 1000) & 0xff_ffff)),
            ("executable", &""),
            ("config_file", &""),
            ("io_threads_active", &0),
        ],
    );
}

fn clients(context: &Context<'_>, text: &mut String) {
    let connected = context.engine.sessions.iter().filter(|session| session.open).count();
    fields(
        text,
        &[
            ("connected_clients", &connected),
            ("cluster_connections", &0),
            ("maxclients", &10_000),
            ("client_recent_max_input_buffer", &0),
            ("client_recent_max_output_buffer", &0),
            ("blocked_clients", &context.engine.waiting.sessions()),
            ("tracking_clients", &0),
            ("clients_in_timeout_table", &context.engine.waits_with_deadline()),
        ],
    );
}

fn memory(context: &Context<'_>, text: &mut String) {
    let config = &context.engine.config;
    let value = |name: &str| {
        let value = crate::config::setting(name.as_bytes()).map(|setting| config.value(setting));
        String::from_utf8_lossy(&value.unwrap_or_default()).into_owned()
    };
    fields(
        text,
        &[
            ("used_memory", &1_048_576),
            ("used_memory_human", &"1.00M"),
            ("used_memory_rss", &1_048_576),
            ("used_memory_peak", &1_048_576),
            ("used_memory_lua", &0),
            ("number_of_cached_scripts", &context.engine.scripts.len()),
            ("maxmemory", &value("maxmemory")),
            ("maxmemory_policy", &value("maxmemory-policy")),
            ("mem_fragmentation_ratio", &"1.00"),
            ("mem_allocator", &"none"),
            ("lazyfree_pending_objects", &0),
        ],
    );
}

fn persistence(context: &Context<'_>, text: &mut String) {
    let started_s = context.engine.started.unwrap_or_default().ms().div_euclid(1000);
    fields(
        text,
        &[
            ("loading", &0),
            ("async_loading", &0),
            ("rdb_changes_since_last_save", &0),
            ("rdb_bgsave_in_progress", &0),
            ("rdb_last_save_time", &started_s),
            ("rdb_last_bgsave_status", &"ok"),
            ("rdb_last_bgsave_time_sec", &-1),
            ("rdb_current_bgsave_time_sec", &-1),
            ("aof_enabled", &0),
            ("aof_rewrite_in_progress", &0),
            ("aof_rewrite_scheduled", &0),
            ("aof_last_bgrewrite_status", &"ok"),
            ("aof_last_write_status", &"ok"),
        ],
    );
}

fn stats(_: &Context<'_>, text: &mut String) {
    for name in [
        "total_connections_received",
        "total_commands_processed",
        "instantaneous_ops_per_sec",
        "rejected_connections",
        "expired_keys",
        "evicted_keys",
        "keyspace_hits",
        "keyspace_misses",
        "pubsub_channels",
        "pubsub_patterns",
        "latest_fork_usec",
        "total_error_replies",
    ] {
        fields(text, &[(name, &0)]);
    }
}

fn replication(context: &Context<'_>, text: &mut String) {
    fields(
        text,
        &[
            ("role", &"master"),
            ("connected_slaves", &0),
            ("master_failover_state", &"no-failover"),
            ("master_replid", &identity(context, 0x7265_706c_6964)),
            ("master_replid2", &"0".repeat(40)),
            ("master_repl_offset", &0),
            ("second_repl_offset", &-1),
            ("repl_backlog_active", &0),
            ("repl_backlog_size", &1_048_576),
            ("repl_backlog_first_byte_offset", &0),
            ("repl_backlog_histlen", &0),
        ],
    );
}

fn cpu(_: &Context<'_>, text: &mut String) {
    for name in ["used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children"] {
        fields(text, &[(name, &"0.000000")]);
    }
}

fn keyspace(context: &Context<'_>, text: &mut String) {
    for db in 0..context.engine.config.databases() {
        let keys = context.databases().get(db).keys.len();
        if keys > 0 {
            let expires = context.databases().deadlines(db).count();
            let _ = write!(text, "db{db}:keys={keys},expires={expires},avg_ttl=0\r\n");
        }
    }
}

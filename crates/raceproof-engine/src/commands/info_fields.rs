//! The fields of `INFO`, in the order of Redis 7.0. What only a process can know (memory, sockets, forks) is constant.

use super::info::{
    clients_memory, configured, connected, counted, human, identity, noted, peak, streamed, told, tracked,
    tracking_sessions, up_s, used, used_human,
};
use crate::{Stream, channels::Kind, context::Context, memory::AT_START, statistics::Statistics};

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    Constant(&'static str),
    Of(fn(&Context<'_>) -> String),
}

use Field::{Constant, Of};

const fn share(all: bool) -> &'static str {
    if all { "100.00%" } else { "0.00%" }
}

/// Resident memory, or what the data would take.
fn resident(context: &Context<'_>) -> String {
    told(context, &used(context), |machine| machine.resident.to_string())
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.2}%", part as f64 * 100.0 / whole.max(1) as f64)
}

fn seconds(us: i64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// How long the last time of something took that is done at once (s), or that there was none.
fn took(context: &Context<'_>, times: fn(&Statistics) -> u64) -> String {
    let any = context.engine.statistics.as_deref().is_some_and(|statistics| times(statistics) > 0);
    if any { "0".into() } else { "-1".into() }
}

/// The name of the history of writes.
fn history(context: &Context<'_>) -> String {
    let told = streamed(context, "", |stream| stream.identity.clone());
    if told.is_empty() { context.engine.history_identity(0) } else { told }
}

/// The offset of the first byte that is kept for replicas.
fn first_kept(stream: &Stream) -> String {
    stream.backlog.map_or(0, |kept| stream.offset - kept as i64 + 1).to_string()
}

type Fields = &'static [(&'static str, Field)];

pub(super) const SERVER: Fields = &[
    ("redis_version", Of(|context| super::server::version(context).into())),
    ("redis_git_sha1", Constant("00000000")),
    ("redis_git_dirty", Constant("0")),
    ("redis_build_id", Constant("0")),
    ("redis_mode", Constant("standalone")),
    ("os", Of(|context| told(context, "raceproof", |machine| machine.system.clone()))),
    ("arch_bits", Constant("64")),
    ("monotonic_clock", Of(|context| told(context, "virtual", |_| "POSIX clock_gettime".into()))),
    ("multiplexing_api", Of(|context| told(context, "none", |_| "epoll".into()))),
    ("atomicvar_api", Constant("none")),
    ("gcc_version", Constant("0.0.0")),
    ("process_id", Of(|context| told(context, "1", |machine| machine.id.to_string()))),
    ("process_supervised", Constant("no")),
    ("run_id", Of(|context| identity(context, 0x7275_6e5f_6964))),
    ("tcp_port", Of(|context| configured(context, "port"))),
    ("server_time_usec", Of(|context| context.now.unix_us.to_string())),
    ("uptime_in_seconds", Of(|context| up_s(context).to_string())),
    ("uptime_in_days", Of(|context| (up_s(context) / 86_400).to_string())),
    ("hz", Of(|context| configured(context, "hz"))),
    ("configured_hz", Of(|context| configured(context, "hz"))),
    ("lru_clock", Of(|context| ((context.now_ms() / 1000) & 0xff_ffff).to_string())),
    ("executable", Of(|context| told(context, "", |machine| machine.executable.clone()))),
    ("config_file", Constant("")),
    ("io_threads_active", Constant("0")),
];

pub(super) const CLIENTS: Fields = &[
    ("connected_clients", Of(connected)),
    ("cluster_connections", Constant("0")),
    ("maxclients", Of(|context| configured(context, "maxclients"))),
    ("client_recent_max_input_buffer", Constant("0")),
    ("client_recent_max_output_buffer", Constant("0")),
    ("blocked_clients", Of(|context| context.engine.blocked().to_string())),
    ("tracking_clients", Of(tracking_sessions)),
    ("clients_in_timeout_table", Of(|context| context.engine.waits_with_deadline().to_string())),
];

pub(super) const MEMORY: Fields = &[
    ("used_memory", Of(used)),
    ("used_memory_human", Of(used_human)),
    ("used_memory_rss", Of(resident)),
    ("used_memory_rss_human", Of(|context| human(&resident(context)))),
    ("used_memory_peak", Of(|context| peak(context).to_string())),
    ("used_memory_peak_human", Of(|context| human(&peak(context).to_string()))),
    ("used_memory_peak_perc", Of(|context| percent(context.engine.used_memory(), peak(context)))),
    ("used_memory_overhead", Constant("1048576")),
    ("used_memory_startup", Constant("1048576")),
    ("used_memory_dataset", Of(|context| (context.engine.used_memory() - AT_START).to_string())),
    ("used_memory_dataset_perc", Of(|context| share(context.engine.used_memory() > AT_START).into())),
    ("allocator_allocated", Of(used)),
    ("allocator_active", Of(used)),
    ("allocator_resident", Of(resident)),
    ("total_system_memory", Of(|context| told(context, "0", |machine| machine.memory.to_string()))),
    ("total_system_memory_human", Of(|context| told(context, "0B", |machine| human(&machine.memory.to_string())))),
    ("used_memory_lua", Constant("0")),
    ("used_memory_vm_eval", Constant("0")),
    ("used_memory_lua_human", Constant("0B")),
    ("used_memory_scripts_eval", Constant("0")),
    ("number_of_cached_scripts", Of(|context| context.engine.scripts.len().to_string())),
    ("number_of_functions", Of(|context| context.engine.libraries.functions().to_string())),
    ("number_of_libraries", Of(|context| context.engine.libraries.len().to_string())),
    ("used_memory_vm_functions", Constant("0")),
    ("used_memory_vm_total", Constant("0")),
    ("used_memory_vm_total_human", Constant("0B")),
    ("used_memory_functions", Constant("0")),
    ("used_memory_scripts", Constant("0")),
    ("used_memory_scripts_human", Constant("0B")),
    ("maxmemory", Of(|context| configured(context, "maxmemory"))),
    ("maxmemory_human", Of(|context| human(&configured(context, "maxmemory")))),
    ("maxmemory_policy", Of(|context| configured(context, "maxmemory-policy"))),
    ("allocator_frag_ratio", Constant("1.00")),
    ("allocator_frag_bytes", Constant("0")),
    ("allocator_rss_ratio", Constant("1.00")),
    ("allocator_rss_bytes", Constant("0")),
    ("rss_overhead_ratio", Constant("1.00")),
    ("rss_overhead_bytes", Constant("0")),
    ("mem_fragmentation_ratio", Constant("1.00")),
    ("mem_fragmentation_bytes", Constant("0")),
    ("mem_not_counted_for_evict", Constant("0")),
    ("mem_replication_backlog", Of(|context| streamed(context, "0", |stream| stream.backlog.unwrap_or(0).to_string()))),
    ("mem_total_replication_buffers", Constant("0")),
    ("mem_clients_slaves", Of(|context| clients_memory(context, true).to_string())),
    ("mem_clients_normal", Of(|context| clients_memory(context, false).to_string())),
    ("mem_cluster_links", Constant("0")),
    ("mem_aof_buffer", Constant("0")),
    ("mem_allocator", Constant("none")),
    ("active_defrag_running", Constant("0")),
    ("lazyfree_pending_objects", Constant("0")),
    ("lazyfreed_objects", Constant("0")),
];

pub(super) const PERSISTENCE: Fields = &[
    ("loading", Constant("0")),
    ("async_loading", Constant("0")),
    ("current_cow_peak", Constant("0")),
    ("current_cow_size", Constant("0")),
    ("current_cow_size_age", Constant("0")),
    ("current_fork_perc", Constant("0.00")),
    ("current_save_keys_processed", Constant("0")),
    ("current_save_keys_total", Constant("0")),
    ("rdb_changes_since_last_save", Of(|context| counted(context, |counts| counts.changes))),
    ("rdb_bgsave_in_progress", Constant("0")),
    ("rdb_last_save_time", Of(|context| context.engine.last_save_s().to_string())),
    ("rdb_last_bgsave_status", Constant("ok")),
    ("rdb_last_bgsave_time_sec", Of(|context| took(context, |counts| counts.saves))),
    ("rdb_current_bgsave_time_sec", Constant("-1")),
    ("rdb_saves", Of(|context| counted(context, |counts| counts.saves))),
    ("rdb_last_cow_size", Constant("0")),
    ("rdb_last_load_keys_expired", Constant("0")),
    ("rdb_last_load_keys_loaded", Constant("0")),
    ("aof_enabled", Of(|context| u8::from(configured(context, "appendonly") == "yes").to_string())),
    ("aof_rewrite_in_progress", Constant("0")),
    ("aof_rewrite_scheduled", Constant("0")),
    ("aof_last_rewrite_time_sec", Of(|context| took(context, |counts| counts.rewrites))),
    ("aof_current_rewrite_time_sec", Constant("-1")),
    ("aof_last_bgrewrite_status", Constant("ok")),
    ("aof_rewrites", Of(|context| counted(context, |counts| counts.rewrites))),
    ("aof_rewrites_consecutive_failures", Constant("0")),
    ("aof_last_write_status", Constant("ok")),
    ("aof_last_cow_size", Constant("0")),
    ("module_fork_in_progress", Constant("0")),
    ("module_fork_last_cow_size", Constant("0")),
];

/// Shown while there is an append-only file.
pub(super) const APPENDONLY: Fields = &[
    ("aof_current_size", Constant("0")),
    ("aof_base_size", Constant("0")),
    ("aof_pending_rewrite", Constant("0")),
    ("aof_buffer_length", Constant("0")),
    ("aof_pending_bio_fsync", Constant("0")),
    ("aof_delayed_fsync", Constant("0")),
];

pub(super) const STATS: Fields = &[
    ("total_connections_received", Of(|context| counted(context, |counts| counts.connections))),
    ("total_commands_processed", Of(|context| counted(context, |counts| counts.commands))),
    ("instantaneous_ops_per_sec", Constant("0")),
    ("total_net_input_bytes", Of(|context| noted(context, |counts| counts.input_bytes))),
    ("total_net_output_bytes", Of(|context| noted(context, |counts| counts.output_bytes))),
    ("total_net_repl_input_bytes", Constant("0")),
    ("total_net_repl_output_bytes", Of(|context| noted(context, |counts| counts.replica_bytes))),
    ("instantaneous_input_kbps", Constant("0.00")),
    ("instantaneous_output_kbps", Constant("0.00")),
    ("instantaneous_input_repl_kbps", Constant("0.00")),
    ("instantaneous_output_repl_kbps", Constant("0.00")),
    ("rejected_connections", Of(|context| noted(context, |counts| counts.rejected))),
    ("sync_full", Of(|context| noted(context, |counts| counts.full_syncs))),
    ("sync_partial_ok", Of(|context| noted(context, |counts| counts.partial_syncs))),
    ("sync_partial_err", Of(|context| noted(context, |counts| counts.refused_partial_syncs))),
    ("expired_keys", Of(|context| counted(context, |counts| counts.expired))),
    ("expired_stale_perc", Constant("0.00")),
    ("expired_time_cap_reached_count", Constant("0")),
    ("expire_cycle_cpu_milliseconds", Constant("0")),
    ("evicted_keys", Of(|context| counted(context, |counts| counts.evicted))),
    ("evicted_clients", Of(|context| noted(context, |counts| counts.evicted))),
    ("total_eviction_exceeded_time", Constant("0")),
    ("current_eviction_exceeded_time", Constant("0")),
    ("keyspace_hits", Of(|context| counted(context, |counts| counts.hits))),
    ("keyspace_misses", Of(|context| counted(context, |counts| counts.misses))),
    ("pubsub_channels", Of(|context| context.engine.channels.names(Kind::Channel).len().to_string())),
    ("pubsub_patterns", Of(|context| context.engine.channels.names(Kind::Pattern).len().to_string())),
    ("pubsubshard_channels", Of(|context| context.engine.channels.names(Kind::Shard).len().to_string())),
    ("latest_fork_usec", Constant("0")),
    ("total_forks", Constant("0")),
    ("migrate_cached_sockets", Constant("0")),
    ("slave_expires_tracked_keys", Constant("0")),
    ("active_defrag_hits", Constant("0")),
    ("active_defrag_misses", Constant("0")),
    ("active_defrag_key_hits", Constant("0")),
    ("active_defrag_key_misses", Constant("0")),
    ("total_active_defrag_time", Constant("0")),
    ("current_active_defrag_time", Constant("0")),
    ("tracking_total_keys", Of(|context| tracked(context, 0))),
    ("tracking_total_items", Of(|context| tracked(context, 1))),
    ("tracking_total_prefixes", Of(|context| tracked(context, 2))),
    ("unexpected_error_replies", Constant("0")),
    ("total_error_replies", Of(|context| counted(context, |counts| counts.error_replies))),
    ("dump_payload_sanitizations", Constant("0")),
    ("total_reads_processed", Of(|context| noted(context, |counts| counts.reads))),
    ("total_writes_processed", Of(|context| noted(context, |counts| counts.writes))),
    ("io_threaded_reads_processed", Constant("0")),
    ("io_threaded_writes_processed", Constant("0")),
    ("reply_buffer_shrinks", Constant("0")),
    ("reply_buffer_expands", Constant("0")),
];

/// Shown behind the name of a primary.
pub(super) const UNREACHABLE_PRIMARY: Fields = &[
    ("master_link_status", Constant("down")),
    ("master_last_io_seconds_ago", Constant("-1")),
    ("master_sync_in_progress", Constant("0")),
    ("slave_read_repl_offset", Constant("0")),
    ("slave_repl_offset", Constant("0")),
    ("master_link_down_since_seconds", Constant("-1")),
    ("slave_priority", Of(|context| configured(context, "replica-priority"))),
    ("slave_read_only", Of(|context| u8::from(configured(context, "replica-read-only") == "yes").to_string())),
    ("replica_announced", Of(|context| u8::from(configured(context, "replica-announced") == "yes").to_string())),
];

pub(super) const REPLICATION: Fields = &[
    ("master_failover_state", Constant("no-failover")),
    ("master_replid", Of(history)),
    ("master_replid2", Constant("0000000000000000000000000000000000000000")),
    ("master_repl_offset", Of(|context| streamed(context, "0", |stream| stream.offset.to_string()))),
    ("second_repl_offset", Constant("-1")),
    (
        "repl_backlog_active",
        Of(|context| streamed(context, "0", |stream| u8::from(stream.backlog.is_some()).to_string())),
    ),
    ("repl_backlog_size", Of(|context| configured(context, "repl-backlog-size"))),
    ("repl_backlog_first_byte_offset", Of(|context| streamed(context, "0", first_kept))),
    ("repl_backlog_histlen", Of(|context| streamed(context, "0", |stream| stream.backlog.unwrap_or(0).to_string()))),
];

pub(super) const CPU: Fields = &[
    ("used_cpu_sys", Of(|context| told(context, "0.000000", |machine| seconds(machine.system_us)))),
    ("used_cpu_user", Of(|context| told(context, "0.000000", |machine| seconds(machine.user_us)))),
    ("used_cpu_sys_children", Constant("0.000000")),
    ("used_cpu_user_children", Constant("0.000000")),
    ("used_cpu_sys_main_thread", Of(|context| told(context, "0.000000", |machine| seconds(machine.system_us)))),
    ("used_cpu_user_main_thread", Of(|context| told(context, "0.000000", |machine| seconds(machine.user_us)))),
];

pub(super) const CLUSTER: Fields = &[("cluster_enabled", Constant("0"))];

#!/usr/bin/env bash
# What strings take in `raceproof serve` beside redis-server: the same keys are set in both, and resident memory is read before
# and after. Prints bytes a key, and the ratio of what ours grew by to what the other one says that it uses (`used_memory`,
# which leaves out what the allocator wastes) and to what it grew by.
#
#   cargo build --release -p raceproof-cli && benches/memory.sh [KEYS] [BYTES]
#
# READS=1 gets every key once as well; RACEPROOF and REDIS_SERVER name other binaries.
set -euo pipefail
cd "$(dirname "$0")/.."

keys=${1:-1000000}
bytes=${2:-100}
reads=${READS:-}
raceproof=${RACEPROOF:-target/release/raceproof}
redis=${REDIS_SERVER:-redis-server}

folder=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT

"$raceproof" serve --port 0 --ready-file "$folder/ready" >/dev/null & pids+=($!)
for _ in $(seq 100); do [ -e "$folder/ready" ] && break; sleep 0.1; done
ours=$(sed 's/.*://' "$folder/ready")
# The kernel gives a port that is free; the other server gets the next one that answers nobody.
theirs=$((ours + 1))
while (exec 3<>"/dev/tcp/127.0.0.1/$theirs") 2>/dev/null; do theirs=$((theirs + 1)); done
"$redis" --bind 127.0.0.1 --port "$theirs" --save '' --appendonly no --dir "$folder" >/dev/null & pids+=($!)
for _ in $(seq 100); do redis-cli -p "$theirs" ping >/dev/null 2>&1 && break; sleep 0.1; done

resident() { awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$1/status"; }
used() { redis-cli -p "$theirs" info memory | tr -d '\r' | sed -n 's/^used_memory://p'; }
fill() { # port
  awk -v n="$keys" -v len="$bytes" 'BEGIN {
    value = sprintf("%" len "s", ""); gsub(/ /, "x", value)
    for (i = 0; i < n; i++) {
      key = sprintf("key:%012d", i)
      printf "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", length(key), key, len, value
    }
  }' | redis-cli -p "$1" --pipe >/dev/null
  if [ -n "$reads" ]; then
    awk -v n="$keys" 'BEGIN {
      for (i = 0; i < n; i++) { key = sprintf("key:%012d", i); printf "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", length(key), key }
    }' | redis-cli -p "$1" --pipe >/dev/null
  fi
  [ "$(redis-cli -p "$1" dbsize)" = "$keys" ] || { echo "port $1 does not hold $keys keys" >&2; exit 1; }
}

used_before=$(used); theirs_before=$(resident "${pids[1]}"); ours_before=$(resident "${pids[0]}")
fill "$theirs"; fill "$ours"
used_grown=$(($(used) - used_before))
theirs_grown=$(($(resident "${pids[1]}") - theirs_before)); ours_grown=$(($(resident "${pids[0]}") - ours_before))
awk -v n="$keys" -v used="$used_grown" -v theirs="$theirs_grown" -v ours="$ours_grown" 'BEGIN {
  printf "%-34s %12s %12s\n", "", "bytes", "bytes a key"
  printf "%-34s %12d %12.1f\n", "redis-server, used_memory grew by", used, used / n
  printf "%-34s %12d %12.1f\n", "redis-server, resident grew by", theirs, theirs / n
  printf "%-34s %12d %12.1f\n", "raceproof serve, resident grew by", ours, ours / n
  printf "ratio to used_memory %.2f, to resident %.2f\n", ours / used, ours / theirs
}'

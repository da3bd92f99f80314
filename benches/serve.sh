#!/usr/bin/env bash
# The throughput of `raceproof serve` beside that of redis-server, by redis-benchmark: both run at once, and each test is run on
# one, then on the other. Prints the median of the rounds for each, and the ratio; and the time of the processor that each server
# took for all of it (ms), which says more where the machine does much else.
#
#   cargo build --release -p raceproof-cli && benches/serve.sh [ROUNDS]
#
# REQUESTS, CLIENTS and TESTS change what is asked; RACEPROOF and REDIS_SERVER name other binaries.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3}
requests=${REQUESTS:-200000}
clients=${CLIENTS:-50}
tests=${TESTS:-set,get,incr,lpush,hset,zadd,lrange_100,mset}
raceproof=${RACEPROOF:-target/release/raceproof}
redis=${REDIS_SERVER:-redis-server}

folder=$(mktemp -d)
pids=()
other=
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT

"$raceproof" serve --port 0 --ready-file "$folder/ready" >/dev/null & pids+=($!)
for _ in $(seq 100); do [ -e "$folder/ready" ] && break; sleep 0.1; done
ours=$(sed 's/.*://' "$folder/ready")
# The kernel gives a port that is free; the other server takes the next one that it can have.
theirs=$ours
until redis-cli -p "$theirs" ping >/dev/null 2>&1 && kill -0 "$other" 2>/dev/null; do
  theirs=$((theirs + 1))
  [ "$theirs" -lt $((ours + 100)) ] || { echo "redis-server finds no free port beside $ours" >&2; exit 1; }
  "$redis" --bind 127.0.0.1 --port "$theirs" --save '' --appendonly no --dir "$folder" >/dev/null & other=$!
  for _ in $(seq 100); do
    sleep 0.1
    if ! kill -0 "$other" 2>/dev/null || redis-cli -p "$theirs" ping >/dev/null 2>&1; then break; fi
  done
done
pids+=("$other")

# Ticks of 10 ms, in the program and in the kernel.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
rate() { # port, pipeline, test
  redis-benchmark -p "$1" --csv -n "$requests" -c "$clients" -P "$2" -t "$3" 2>/dev/null |
    tail -n 1 | cut -d, -f2 | tr -d '"' | cut -d. -f1
}
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

printf '%-4s %-12s %12s %12s %7s %9s %9s %7s\n' -P test redis-server raceproof ratio redis-cpu ours-cpu ratio
for pipeline in 1 16; do
  for test in ${tests//,/ }; do
    : >"$folder/theirs"; : >"$folder/ours"
    cpu_ours=$(ticks "${pids[0]}"); cpu_theirs=$(ticks "${pids[1]}")
    for _ in $(seq "$rounds"); do
      rate "$theirs" "$pipeline" "$test" >>"$folder/theirs"
      rate "$ours" "$pipeline" "$test" >>"$folder/ours"
    done
    a=$(median <"$folder/theirs"); b=$(median <"$folder/ours")
    cpu_ours=$((($(ticks "${pids[0]}") - cpu_ours) * 10)); cpu_theirs=$((($(ticks "${pids[1]}") - cpu_theirs) * 10))
    printf '%-4s %-12s %12d %12d %7s %9d %9d %7s\n' "$pipeline" "$test" "$a" "$b" "$(awk "BEGIN { printf \"%.2f\", $b / $a }")" \
      "$cpu_theirs" "$cpu_ours" "$(awk "BEGIN { printf \"%.2f\", $cpu_ours / ($cpu_theirs + 0.001) }")"
  done
done

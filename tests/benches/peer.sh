#!/usr/bin/env bash
# The figures of another way to build such a service on one machine: Fastify takes the jobs, BullMQ
# on Redis keeps and hands them out, every write on the disk before it is answered. Needs node, npm
# and cargo, and apt-get where there is no redis-server; what it installs goes to a folder that is
# removed at the end. No part of the checks: run it beside `cargo bench -p tests`, on a quiet machine.
#
# HARVESTMAN_BENCH names a benchmark that is built already.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly FASTIFY=5.12.8
readonly BULLMQ=6.7.0
readonly IOREDIS=6.0.0
readonly REDIS_PORT=6401
readonly API_PORT=6402

scratch=$(mktemp -d)
started=()

end() {
  for process in "${started[@]}"; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap end EXIT

# Answers with a redis-server, unpacked where none is installed.
redis() {
  if command -v redis-server >/dev/null; then
    command -v redis-server
    return
  fi
  (
    cd "$scratch"
    apt-get download --quiet redis-tools libatomic1 libjemalloc2 liblzf1 libsystemd0
    for package in *.deb; do dpkg-deb --extract "$package" redis; done
  ) >&2
  # `redis-server` and `redis-check-rdb` are two names of one program, which comes with the tools.
  printf '%s' "$scratch/redis/usr/bin/redis-check-rdb"
}

# Waits until something answers on a port.
await() {
  local tries=0
  until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
    ((++tries < 200)) || { echo "nothing answers on port $1" >&2; exit 1; }
    sleep 0.05
  done
}

program=$(redis)
libraries=$(find "$scratch" -type d -name '*-linux-gnu' -path '*/lib/*' | paste -sd:)
ln -s "$program" "$scratch/redis-server"
mkdir "$scratch/data"
LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$scratch/redis-server" \
  --port "$REDIS_PORT" --bind 127.0.0.1 --dir "$scratch/data" --save '' \
  --appendonly yes --appendfsync always >"$scratch/redis.log" &
started+=($!)

cp tests/benches/peer.mjs "$scratch/"
npm install --prefix "$scratch" --no-audit --no-fund --silent \
  "fastify@$FASTIFY" "bullmq@$BULLMQ" "ioredis@$IOREDIS"
await "$REDIS_PORT"

node "$scratch/peer.mjs" times "$REDIS_PORT"
node "$scratch/peer.mjs" serve "$REDIS_PORT" "$API_PORT" &
started+=($!)
await "$API_PORT"
url="http://127.0.0.1:$API_PORT/api/jobs"
if [[ -n ${HARVESTMAN_BENCH:-} ]]; then
  "$HARVESTMAN_BENCH" --against "$url"
else
  cargo bench --quiet -p tests -- --against "$url"
fi

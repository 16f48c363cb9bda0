#!/usr/bin/env bash
# Asks a running service everything that its own OpenAPI document allows and much that it forbids,
# and compares each answer with the document (https://schemathesis.readthedocs.io): every check, in
# every phase.
#
#   tests/schemathesis.sh PROGRAM [SCHEMATHESIS]
#
# PROGRAM is a built `harvestman`; SCHEMATHESIS is the command `st`, from the path unless told.
# The questions are the same each time; HARVESTMAN_SCHEMATHESIS_SEED asks others. Fails where a
# check fails, where the run does not end, and where too few requests were made to say much.
set -euo pipefail

readonly LEAST_REQUESTS=1500
readonly LONGEST=420 # seconds
readonly SEED=${HARVESTMAN_SCHEMATHESIS_SEED:-20261121}

program=$(realpath "${1:?the path of the program harvestman}")
st=${2:-st}
folder=$(dirname "$(realpath "$0")")
scratch=$(mktemp -d)
service=''

end() {
  if [[ -n $service ]]; then
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap end EXIT

# Jobs that come of it may reach one loopback port where nobody listens, and nothing else.
# Port 0: the system chooses a free one, and the first line says which.
: >"$scratch/service"
"$program" serve --in-memory --port 0 --allow-private-targets=127.0.0.1:9 >"$scratch/service" 2>&1 &
service=$!
address=''
for ((try = 0; try < 300; try++)); do
  address=$(sed -nE '1s/^Harvestman listens on (http[^ ]+)$/\1/p' "$scratch/service")
  [[ -z $address ]] || break
  kill -0 "$service" 2>/dev/null || break
  sleep 0.1
done
if [[ -z $address ]]; then
  echo 'the service does not start' >&2
  cat "$scratch/service" >&2
  exit 1
fi

# Fewer of each operation where there are more of them: the time stays about the same.
operations=$(python3 -c 'import json, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer:
    print(sum(len(path) for path in json.load(answer)["paths"].values()))' "$address/openapi.json")
each=$((30 + 1000 / operations))

failed=0
(
  cd "$scratch"
  export SCHEMATHESIS_HOOKS=$folder/schemathesis.py PYTHONDONTWRITEBYTECODE=1
  timeout "$LONGEST" "$st" --config-file "$folder/schemathesis.toml" --no-color run "$address/openapi.json" \
    --phases examples,coverage,fuzzing,stateful --mode all \
    --max-examples "$each" --seed "$SEED" --generation-database none \
    --no-shrink --request-timeout 10 --report json --report-json-path report.json
) || failed=$?
if ((failed == 124)); then
  echo "it took longer than $LONGEST s" >&2
fi
if ! kill -0 "$service" 2>/dev/null; then
  echo 'the service has ended' >&2
  cat "$scratch/service" >&2
  exit 1
fi
((failed == 0)) || exit "$failed"

requests=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["test_cases"]["generated"])' "$scratch/report.json")
echo "$requests requests, no failure"
if ((requests < LEAST_REQUESTS)); then
  echo "fewer than $LEAST_REQUESTS requests say little" >&2
  exit 1
fi

#!/bin/sh
# Runs schemathesis over the documents named, or all of them: run.sh EMULATOR [API…]
# With RAW set, the documents are taken as they are; without, hooks.py closes what they leave open.
# EMULATOR is the built binary; `st` (pip install schemathesis) has to be in the PATH. The emulator takes a free port.
set -u
here=$(cd "$(dirname "$0")" && pwd)
emulator=$1
shift
[ $# -gt 0 ] || set -- media live templates fleets infrastructure management channels
failed=0
hooks=$here/hooks.py
[ -z "${RAW-}" ] || hooks=
# schemathesis leaves a folder with its cache where it runs.
work=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Starts the emulator and waits, at most half a minute, for the line that says where it listens.
start() {
    : >"$work/out"
    "$emulator" --listen 127.0.0.1:0 --token T --rate-limit off --seed 5 --seed-file "$here/seed.json" >"$work/out" &
    pid=$!
    for _ in $(seq 300); do
        url=$(sed -n '1s/^listening on //p' "$work/out")
        [ -z "$url" ] || return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "run.sh: $emulator does not start" >&2
    exit 1
}

check() {
    (
        cd "$work" || exit 1
        SCHEMATHESIS_HOOKS="$hooks" st --config-file "$here/schemathesis.toml" run "$here/../../../../spec/$api.json" \
            --url "$url" -H "Authorization: Bearer T" --seed 1 --continue-on-failure \
            --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
            --phases examples,coverage,fuzzing --max-examples "${MAX_EXAMPLES:-20}" "$@"
    ) || failed=1
}

for api in "$@"; do
    start
    # Ending every token of the user leaves nothing to test with, so that comes last.
    logout='[delete]_/api/v1/user/tokens'
    check --exclude-operation-id "$logout"
    [ "$api" != management ] || check --include-operation-id "$logout"
    kill "$pid"
    wait "$pid" 2>/dev/null
    pid=
done
exit $failed

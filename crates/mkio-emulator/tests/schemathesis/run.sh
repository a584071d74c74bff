#!/bin/sh
# Runs schemathesis over the documents named, or all of them: run.sh EMULATOR [API…]
# With RAW set, the documents are taken as they are; without, hooks.py closes what they leave open.
# EMULATOR is the built binary; `st` (pip install schemathesis) has to be in the PATH.
set -u
here=$(cd "$(dirname "$0")" && pwd)
emulator=$1
shift
[ $# -gt 0 ] || set -- media live templates fleets infrastructure management channels
failed=0
hooks=$here/hooks.py
[ -z "${RAW-}" ] || hooks=
for api in "$@"; do
    "$emulator" --listen 127.0.0.1:4099 --token T --rate-limit off --seed 5 --seed-file "$here/seed.json" >/dev/null &
    pid=$!
    until curl -s -o /dev/null http://127.0.0.1:4099/api/ready; do sleep 0.1; done
    check() {
        SCHEMATHESIS_HOOKS="$hooks" st --config-file "$here/schemathesis.toml" run "$here/../../../../spec/$api.json" \
            --url http://127.0.0.1:4099 -H "Authorization: Bearer T" --seed 1 --continue-on-failure \
            --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
            --phases examples,coverage,fuzzing --max-examples "${MAX_EXAMPLES:-20}" "$@" || failed=1
    }
    # Ending every token of the user leaves nothing to test with, so that comes last.
    logout='[delete]_/api/v1/user/tokens'
    check --exclude-operation-id "$logout"
    [ "$api" != management ] || check --include-operation-id "$logout"
    kill "$pid"
    wait "$pid" 2>/dev/null
done
exit $failed

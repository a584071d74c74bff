#!/bin/sh
# Steers an emulator with curl: pauses it, injects a fault and sees it in the log, saves, restarts, and finds the same list.
#
#     examples/steer.sh [program]        the program is mkio-emulator unless one is named
set -eu

program=${1:-mkio-emulator}
folder=$(mktemp -d)
trap 'kill "$process" 2>/dev/null && wait "$process"; rm -rf "$folder"' EXIT

# Starts the emulator with a state that is kept in a file, and waits until it listens.
start() {
    : >"$folder/out"
    "$program" --listen 127.0.0.1:0 --token secret --state "$folder/state.json" "$@" >"$folder/out" &
    process=$!
    for try in $(seq 200); do
        host=$(sed -n 's/^listening on //p' "$folder/out")
        [ -n "$host" ] && break
        sleep 0.05
    done
    steer=$host/_emulator
    assets=$host/api/v1/projects/demo/media/assets
}
mk() { curl -sS -H "Authorization: Bearer secret" "$@"; }
# The value of a field of a JSON text, the first of that name.
field() { grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'; }
# The same, of one that holds a URL; the origin is left out, as the port is another one after the restart.
link() { grep -o '"@odata.nextLink":"[^"]*"' | cut -d '"' -f 4 | sed 's|^http://[^/]*||'; }
check() { [ "$2" = "$3" ] || { echo "$1: '$2' instead of '$3'" >&2; exit 1; }; }

start --seed 5

# The clock stands, and moves when told to.
curl -sS -X PATCH "$steer/clock" -d '{"paused": true}'; echo
before=$(curl -sS "$steer/clock" | field now)
check "a paused clock" "$(curl -sS "$steer/clock" | field now)" "$before"
curl -sS "$steer/clock/step" -d '{"seconds": 3600}'; echo

# A fault meets one request, and the log tells so.
curl -sS "$steer/faults" -d 'GET */media/assets status=503 times=1'; echo
check "the first response" "$(mk -o /dev/null -w '%{http_code}' "$assets")" 503
check "the second response" "$(mk -o /dev/null -w '%{http_code}' "$assets")" 200
curl -sS "$steer/requests?last=2" >"$folder/requests"
check "the operation in the log" "$(field operation <"$folder/requests")" "$(curl -sS "$steer/requests?last=1" | field operation)"
check "the fault in the log" "$(grep -o '"fault":{' "$folder/requests" | wc -l | tr -d ' ')" 1
curl -sS -X DELETE "$steer/faults"

# What a list says, and where it goes on.
mk "$assets?\$top=2" >"$folder/first"
next=$(link <"$folder/first")
mk "$host$next" >"$folder/second"

# The state is written at the end, and taken up at the start.
kill "$process"
wait "$process"
start

check "the clock after the restart" "$(curl -sS "$steer/clock" | field paused)" true
mk "$assets?\$top=2" >"$folder/again"
check "the link of the list" "$(link <"$folder/again")" "$next"
mk "$host$next" >"$folder/followed"
without_origin() { sed 's|http://[^/]*/|/|g' "$1"; }
check "the first page" "$(without_origin "$folder/again")" "$(without_origin "$folder/first")"
check "the second page" "$(without_origin "$folder/followed")" "$(without_origin "$folder/second")"

# It can be read and written by hand, too, and begin anew.
curl -sS "$steer/state" >"$folder/by-hand.json"
mk -o /dev/null -X DELETE "$assets/asset-1"
curl -sS -X PUT "$steer/state" --data-binary "@$folder/by-hand.json"
check "what was deleted is back" "$(mk -o /dev/null -w '%{http_code}' "$assets/asset-1")" 200
curl -sS -X POST "$steer/reset"
check "a new beginning has no assets" "$(mk "$assets" | field total)" 0
echo "all as it should be"

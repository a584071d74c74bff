#!/usr/bin/env bash
# The emulator in a browser: its page, and what is published with hls.js; then manifests and segments with ffprobe. Needs chromium, ffprobe,
# curl, Node.js and a registry of npm; `cargo test` needs none of them.
#
#     tests/browser/run.sh [emulator] [quickstart] [folder]      screenshots go to the folder, which is kept when it is named
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${1:-mkio-emulator}")
quickstart=$(realpath "${2:-quickstart}")
work=$(mktemp -d)
pictures=${3:-$work/pictures}
processes=()
trap '[ ${#processes[@]} = 0 ] || kill "${processes[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$pictures"

for tool in chromium ffprobe node npm curl; do
    command -v "$tool" >/dev/null || { echo "'$tool' is missing" >&2; exit 1; }
done
cp "$here"/package.json "$here"/*.mjs "$work"
(cd "$work" && npm install --silent --no-audit --no-fund --no-package-lock)

# What a program that runs in the background wrote behind some words.
written() {
    local try found
    for try in $(seq 400); do
        found=$(sed -n "s/^ *$2 *//p" "$1" | awk 'NR == 1')
        [ -n "$found" ] && break
        sleep 0.05
    done
    [ -n "$found" ] || { echo "'$2' is missing in:" >&2; cat "$1" >&2; return 1; }
    echo "$found"
}

# It may take a while until a program opens them.
: >"$work/out"
: >"$work/quickstart"
"$program" --listen 127.0.0.1:0 --token secret --time-scale 60 >"$work/out" &
processes+=($!)
host=$(written "$work/out" "listening on")

mk() { curl -sS --fail-with-body -H "Authorization: Bearer secret" -H "Content-Type: application/json" "$@"; }
base=$host/api/v1/projects/demo
mk -o /dev/null "$host/_emulator/seed" -d @"$here/seed.json"
mk "$host/_emulator/clock/step" -d '{"seconds": 600}' >/dev/null
published() { mk -X POST "$base/media/streamingLocators/$1/listPaths" | grep -o '"/[^"]*'"$2"'[^"]*"' | awk 'NR == 1' | tr -d '"'; }

# What ffprobe reads of a presentation: a picture and a tone, the length of all of it, and every packet of a rendition.
check() { [ "$2" = "$3" ] || { echo "$1: '$2' instead of '$3'" >&2; exit 1; }; }
for form in m3u8 mpd; do
    url=$host$(published film "$form")
    streams=$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$url" | tr -d ',' | grep . | sort -u | tr '\n' ' ')
    check "streams of $form" "$streams" "aac h264 "
    # Of DASH, ffprobe counts whole seconds.
    check "length of $form" "$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$url" | cut -c 1)" 7
    packets=$(ffprobe -v error -select_streams v:0 -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "$url" | awk 'NR == 1' | tr -d ',')
    check "pictures of $form" "$packets" 192
    echo "ffprobe: $form has a picture and a tone of 7.68 s, 192 pictures"
done

# The addresses that the quickstart prints play while it waits; then it cleans up.
env -u MKIO_TOKEN MKIO_KEEP=1 "$quickstart" >"$work/quickstart" &
quick=$!
processes+=("$quick")
for protocol in Hls Dash; do
    url=$(written "$work/quickstart" "$protocol:")
    streams=$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$url" | tr -d ',' | grep . | sort -u | tr '\n' ' ')
    check "streams of the quickstart's $protocol" "$streams" "aac h264 "
    echo "ffprobe: $url of the quickstart has a picture and a tone"
done
plays=$(written "$work/quickstart" "Hls:")
(cd "$work" && node play.mjs "the quickstart" 1 "$plays")
kill -INT "$quick"
wait "$quick"
grep -qx "cleaned up" "$work/quickstart"

film=$host$(published film m3u8) show=$host$(published show m3u8) secret=$host$(published secret m3u8)
(cd "$work" && node play.mjs "the finished output" 6 "$film" "the live event" 6 "$show" "the encrypted output" 6 "$secret")
(cd "$work" && node page.mjs "$host" "$pictures")

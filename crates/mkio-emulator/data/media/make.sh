#!/bin/sh
# Makes the media that plays: video.mp4, small.mp4, audio.mp4, each of four fragments of 1.92 s; and picture.jpg. Needs ffmpeg; its version decides
# about the bytes, so the files are checked in. `cargo test -p mkio-emulator sample` says whether they fit the code.
set -eu
cd "$(dirname "$0")"

fragments="+empty_moov+default_base_moof+skip_trailer+frag_keyframe"
picture() {
    ffmpeg -v error -y -f lavfi -i "testsrc2=size=$1:rate=25:duration=7.68" -an \
        -threads 1 -c:v libx264 -profile:v baseline -level 1.3 -pix_fmt yuv420p -preset veryslow -b:v "$2" -maxrate "$2" -bufsize "$2" \
        -g 48 -keyint_min 48 -sc_threshold 0 -bf 0 -video_track_timescale 12800 \
        -map_metadata -1 -fflags +bitexact -flags:v +bitexact -movflags "$fragments" "$3"
}
picture 320x180 100k video.mp4
picture 160x90 40k small.mp4
ffmpeg -v error -y -f lavfi -i "sine=frequency=440:beep_factor=4:sample_rate=48000:duration=7.68" -vn \
    -c:a aac -ac 1 -b:a 32k -frames:a 360 \
    -map_metadata -1 -fflags +bitexact -flags:a +bitexact -movflags "$fragments" -frag_duration 1920000 audio.mp4
ffmpeg -v error -y -ss 3 -i video.mp4 -frames:v 1 -q:v 9 -map_metadata -1 -fflags +bitexact -flags:v +bitexact picture.jpg
ls -l picture.jpg video.mp4 small.mp4 audio.mp4

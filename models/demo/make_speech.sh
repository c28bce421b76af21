#!/usr/bin/env bash
# Makes speech.wav, the clip of `cargo demo`: three sentences by a speech synthesiser, no human voice.
# Needs espeak-ng (1.51) and sox.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { # number, then espeak-ng's options and the text
    local number=$1
    shift
    espeak-ng -w "$work/raw$number.wav" "$@"
    sox -D "$work/raw$number.wav" -r 16000 -b 16 "$work/$number.wav" norm -6 pad 0.6 0.6
}
say 1 -v en-gb -s 135 -p 30 -a 90 "The dogs are sitting by the door, and nobody comes."
say 2 -v en-us+f3 -s 185 -p 80 -a 180 "Look at that! It works, it really works!"
say 3 -v en-us+m3 -s 200 -p 60 -a 200 "How often do I have to tell you? Leave it alone!"
sox -D "$work/1.wav" "$work/2.wav" "$work/3.wav" speech.wav

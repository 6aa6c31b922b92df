#!/usr/bin/env bash
# Writes the files beside it with zstd 1.5, its pzstd, and xz 5.4: text of tests/suite/compressed.rs as other programs compress it.
set -euo pipefail
cd "$(dirname "$0")"

# The rows from number $1 on and before number $2.
rows() {
  seq "$1" "$(($2 - 1))" | awk '{ print ($1 % 3 ? "+1" : "-1") " " 1 + $1 % 7 ":1 " 10 + $1 % 11 ":0.5 " 30 + int($1 / 30000) ":2" }'
}
skippable() { printf '\x5a\x2a\x4d\x18\x03\x00\x00\x00\x28\xb5\x2f'; }

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
rows 0 90000 >"$folder/text"
# The length and a checksum are stated.
zstd -q -15 -c "$folder/text" >whole.zst
# Neither is, and matches reach back by all of the text.
zstd -q -19 --long=27 --no-check -c <"$folder/text" >long.zst
# Frames with and without a checksum, what holds no text between and after them, and an empty frame.
{
  skippable
  rows 0 40000 | zstd -q -15 -c
  skippable
  rows 40000 90000 | zstd -q -12 --no-check -c
  zstd -q -15 -c </dev/null
  skippable
} >frames.zst
pzstd -q -15 -p 3 -c "$folder/text" >pzstd.zst
xz -c "$folder/text" >crc64.xz
xz --check=sha256 -c "$folder/text" >sha256.xz
# Blocks whose headers state lengths.
xz -T2 --block-size=500000 --check=crc32 -c "$folder/text" >blocks.xz
# Two streams, with padding between and after them.
{
  rows 0 40000 | xz -c
  printf '\0\0\0\0\0\0\0\0'
  rows 40000 90000 | xz --delta --lzma2 --check=none -c
  printf '\0\0\0\0'
} >streams.xz

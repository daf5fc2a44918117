#!/usr/bin/env bash
# Pictures of the optimizer race as a browser shows it, on a desk and on a phone, to be looked at.
#
# usage: scripts/screenshots.sh [FOLDER]
#
# FOLDER is a new one in /tmp, unless it is given. It needs Debian's chromium, which it installs with apt-get
# if there is none (as root). The page is put in a frame of the wanted width, because chromium's own window is
# never narrower than about 500 pixels.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "screenshots.sh: unknown option $1" >&2; exit 2 ;;
esac
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

if ! command -v chromium >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq chromium
fi
cargo run --release --quiet --locked --example optimizer_race -- --out "$folder/race.html"

# picture NAME WIDTH HEIGHT ADDRESS [OPTION...]: the page at the place that the address names.
picture() {
    local name=$1 width=$2 height=$3 address=$4
    shift 4
    cat >"$folder/$name.html" <<EOF
<!DOCTYPE html><title>$name</title>
<style>body { margin: 0 } iframe { display: block; border: 0; width: ${width}px; height: ${height}px }</style>
<iframe src="race.html$address"></iframe>
EOF
    local window=$((width < 500 ? 500 : width))
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
        --virtual-time-budget=15000 --window-size="$window,$height" "$@" \
        --screenshot="$folder/$name.png" "file://$folder/$name.html" 2>/dev/null
    echo "$folder/$name.png"
}

dark=--blink-settings=preferredColorScheme=0
picture desktop 1440 900 ''
# docs/images/optimizer-race.png
picture book 1300 840 '#step=150' --force-device-scale-factor=0.75
picture desktop-dark 1440 900 '' $dark
picture desktop-whole 1440 6600 '#tables=1'
picture desktop-step 1440 2600 '#step=25&front=adam'
picture desktop-all 1440 2600 '#show=all'
picture desktop-play 1440 900 '#play=1' --virtual-time-budget=4000
picture phone 390 844 ''
picture phone-step 390 4000 '#step=120&front=adam'
picture phone-tables 390 9000 '#tables=1' $dark

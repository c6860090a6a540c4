#!/usr/bin/env bash
# Opens pages of `sluice report --html` in headless Chromium, from file:// and with no network, and fails on any line in the
# browser's console. Without Chromium it says so and ends well.
#   check_html.sh BINARY             the page of the small pipeline
#   check_html.sh BINARY PAGE…       pages that are there
# SHOTS=FOLDER keeps a picture of each page, in light and in dark.
set -euo pipefail
cd "$(dirname "$0")/../.."
sluice=$1
shift
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo "skipped: no Chromium, so pages were not opened"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the console's lines of a page; `--dump-dom` waits until it is loaded.
console() {
  "$browser" --headless=new --no-sandbox --user-data-dir="$work/profile" --host-resolver-rules='MAP * ~NOTFOUND' \
    --enable-logging=stderr --v=0 "${@:2}" "file://$1" 2>&1 >/dev/null | grep -F ':CONSOLE' || true
}

# A check that cannot fail proves nothing: this page logs an error, and asks for a picture that its policy forbids.
cat >"$work/bad.html" <<'HTML'
<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="img-src 'none'">
<img src="https://example.org/a.png"><script>console.error("planted")</script>
HTML
if [ "$(console "$work/bad.html" --dump-dom | grep -cE 'planted|Content Security Policy')" -lt 2 ]; then
  echo "check_html: the console of $browser cannot be read; nothing was checked" >&2
  exit 1
fi

if [ $# -eq 0 ]; then
  "$sluice" run pipelines/small.yaml --input fixtures/crawl -o "$work/small" --gpus 64 --quiet
  "$sluice" report "$work/small" --html "$work/small.html"
  set -- "$work/small.html"
fi
for page in "$@"; do
  page=$(realpath "$page")
  lines=$(console "$page" --dump-dom)
  if [ -n "$lines" ]; then
    printf '%s\n' "$lines" >&2
    echo "check_html: $page: the console is not empty" >&2
    exit 1
  fi
  if [ -n "${SHOTS:-}" ]; then
    mkdir -p "$SHOTS"
    name=$SHOTS/$(basename "$page" .html)
    for scheme in 1 0; do
      "$browser" --headless=new --no-sandbox --user-data-dir="$work/profile" --hide-scrollbars --window-size=1280,5000 \
        --blink-settings=preferredColorScheme=$scheme --screenshot="$name-$([ $scheme = 1 ] && echo light || echo dark).png" \
        "file://$page" >/dev/null 2>&1
    done
  fi
  echo "check_html: $(basename "$page"): opened, the console is empty"
done

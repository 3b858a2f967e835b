set -u
WAIT=${WAIT:-20}    # seconds that Stripe and its queue may take for what they do by themselves
RACES=${RACES:-10}  # how often a race is run, since it does not show each time
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "this script needs $tool" >&2; exit 2; }
done

cannot_tell() { # keeps why, and ends the breach's function
  echo "$*" >"$work/why"
  exit 2
}

ask() { # ask NUMBER OPTIONS-OF-CURL…: sends a request, and keeps its answer under that number
  number=$1
  shift
  tries=6 pause=1
  while :; do
    : >"$work/$number.body"
    about=$(curl -sS --max-time 30 -o "$work/$number.body" -w '%{http_code} %{content_type}' "$@" 2>"$work/$number.error")
    tries=$((tries - 1))
    [ "${about%% *}" = 429 ] && [ "$tries" -gt 0 ] || break
    sleep "$pause"
  done
  status=${about%% *} kind=${about#* }
  [ "$status" = 000 ] && status=null
  content=$(jq -c -s 'if length == 1 then .[0] else error("no JSON") end' "$work/$number.body" 2>/dev/null) &&
    is_json=$(printf '%s' "$kind" | grep -qi json && echo true || echo false) || { content=null is_json=false; }
  printf '{"status": %s, "is_json": %s, "json": %s}\n' "$status" "$is_json" "$content" >"$work/$number"
}

recorded() { # recorded NUMBER STATUS: goes on only if the answer is of the class that was recorded
  now=$(jq -r '.status // 0' "$work/$1")
  [ "$((now / 100))" = "$(($2 / 100))" ] || cannot_tell "request $1 got $now; recorded was $2"
}

from() { # from PATH NUMBER…: what stands at that path in the first of these answers that has it
  path=$1
  shift
  for number in "$@"; do
    found=$(jq -r "(try (.json | $path) catch null) // empty | tostring" "$work/$number")
    [ -n "$found" ] && printf '%s' "$found" && return
  done
  return 2
}

judge() { # judge LAST PROGRAM: true while the rule holds, of the answers up to that number
  each=1
  while [ "$each" -le "$1" ]; do
    cat "$work/$each"
    each=$((each + 1))
  done | jq -s "$DEFINITIONS $2" 2>"$work/why"
}

poll() { # poll LAST SECONDS PROGRAM COMMAND…: runs the command again until that is true, or the time is over
  until_last=$1 left=$2 program=$3
  shift 3
  "$@"
  while [ "$(judge "$until_last" "$program")" != true ] && [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
    "$@"
  done
}

may_charge() { # a collect charges a card: it is sent to this machine alone, unless ALLOW_CHARGES=1 is set
  [ "${ALLOW_CHARGES:-}" = 1 ] && return
  host=${BASE_URL#*://}
  host=${host%%/*}
  case $host in '[::1]' | '[::1]:'* | localhost | localhost:*[0-9]) return ;; esac
  host=${host%:*}
  case $host in *[!0-9.]*) ;; 127.*) return ;; esac
  cannot_tell "a collect charges a card: set ALLOW_CHARGES=1 to send it to $BASE_URL"
}

run() { # run NUMBER TRIES WHAT: runs breach_NUMBER until it shows, and tells whether it is there
  tries_left=$2 state=gone
  while [ "$tries_left" -gt 0 ] && [ "$state" = gone ]; do
    tries_left=$((tries_left - 1))
    rm -f "$work"/[0-9]* "$work/why"
    case $("breach_$1") in
      true) ;;
      false) state='STILL THERE' ;;
      *) state="cannot tell: $(head -c 300 "$work/why" 2>/dev/null)" ;;
    esac
  done
  echo "$1. $3: $state"
  case $state in
    gone) ;;
    STILL*)
      there=1
      number=1
      while [ -e "$work/$number" ]; do
        echo "   $number. $(jq -r '.status // "no answer"' "$work/$number") $(head -c 300 "$work/$number.body")"
        number=$((number + 1))
      done
      ;;
    *) unknown=1 ;;
  esac
}

#!/usr/bin/env bash
# A user's commands with curl: program.sh SCENARIO. Each step is printed as "step<TAB>answer".
set -uo pipefail

base="http://localhost:$DAPR_HTTP_PORT/v1.0-alpha1"
socket=()
[ -z "${DAPR_HTTP_SOCKET:-}" ] || socket=(--unix-socket "$DAPR_HTTP_SOCKET")
token=()
[ -z "${DAPR_API_TOKEN:-}" ] || token=(-H "dapr-api-token: $DAPR_API_TOKEN")

say() { printf '%s\t%s\n' "$1" "$2"; }
call() { curl -s "${socket[@]}" "${token[@]}" -w ' %{http_code}' "$@" || echo "error: curl ended with $?"; }

# {"success":true} 200 -> true; anything that is no success is an error to the user.
answer() {
  case "$1" in
    '{"success":true} 200') echo true ;;
    '{"success":false} 200') echo false ;;
    '{"status":0} 200') echo success ;;
    '{"status":1} 200') echo 'does not exist' ;;
    '{"status":2} 200') echo 'belongs to others' ;;
    *) printf 'error: %s\n' "$1" | tr '\n' ' ' ;;
  esac
}

# As Dapr's how-to writes them.
lock() { # RESOURCE OWNER SECONDS [STORE]
  answer "$(call -X POST "$base/lock/${4:-lockstore}" -H 'Content-Type: application/json' \
    -d "{\"resourceId\":\"$1\", \"lockOwner\":\"$2\", \"expiryInSeconds\":$3}")"
}
unlock() { # RESOURCE OWNER
  answer "$(call -X POST "$base/unlock/lockstore" -H 'Content-Type: application/json' \
    -d "{\"resourceId\":\"$1\", \"lockOwner\":\"$2\"}")"
}

wait_for() { say waiting "$1" && read -r _; }

until_answer() { # WANTED COMMAND...
  local wanted=$1 got
  shift
  for _ in $(seq 300); do
    got=$("$@")
    [ "$got" = "$wanted" ] && break
    sleep 0.1
  done
  echo "$got"
}

source "$(dirname "$0")/../locked-scenarios.sh"

scenario_lock() {
  say 'lock a free resource' "$(lock report alice 60)"
  say 'lock it again as its owner' "$(lock report alice 60)"
  say 'lock it as another owner' "$(lock report bob 60)"
  say 'unlock it as another owner' "$(unlock report bob)"
  say 'unlock it' "$(unlock report alice)"
  say 'unlock it again' "$(unlock report alice)"
  say 'lock it for 1 s' "$(lock report alice 1)"
  say 'lock it as another owner before that' "$(lock report bob 60)"
  say 'lock it as another owner after that' "$(until_answer true lock report bob 60)"
  unlock report bob >/dev/null
}

scenario_errors() {
  say 'an unknown store' "$(lock r o 60 nope)"
  say 'an empty resource' "$(lock '' o 60)"
  say 'an empty owner' "$(lock r '' 60)"
  say 'expiry 0' "$(lock r o 0)"
  say 'two pipes in the resource' "$(lock 'a||b' o 60)"
}

scenario_contend() { # FILE OWNER
  local refused=0
  wait_for ready
  until [ "$(lock my_file_name "$2" 60)" = true ]; do
    refused=$((refused + 1))
    sleep 0.05
  done
  echo "begin $$" >>"$1"
  sleep 2
  echo "end $$" >>"$1"
  say 'unlock after the work' "$(unlock my_file_name "$2")"
  say 'refused before it' "$refused"
}

scenario_token() {
  say 'lock with a token' "$(lock guarded "owner-$$" 1)"
  say_exit_code_with_token
}

scenario_restart() {
  say 'lock before the stop' "$(lock kept alice 60)"
  wait_for stop
  say 'call while it is stopped' "$(unlock kept alice)"
  wait_for start
  say 'unlock after the start' "$(until_answer success unlock kept alice)"
}

scenario_sidecar() {
  local v1="http://localhost:$DAPR_HTTP_PORT/v1.0"
  code() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
  say 'healthz/outbound' "$(code "$v1/healthz/outbound")"
  say healthz "$(code "$v1/healthz")"
  say 'metadata id' "$(curl -s "$v1/metadata" | sed -E 's/^\{"id":"([^"]*)".*/\1/')"
  say 'set metadata' "$(code -X PUT "$v1/metadata/team" -d storage)"
  say shutdown "$(code -X POST "$v1/shutdown")"
}

"scenario_$1" "${@:2}"

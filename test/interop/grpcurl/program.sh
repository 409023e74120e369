#!/usr/bin/env bash
# A user's commands with grpcurl: program.sh SCENARIO. Each step is printed as "step<TAB>answer".
set -uo pipefail

service=dapr.proto.runtime.v1.Dapr
at=("localhost:$DAPR_GRPC_PORT")
# Its -unix flag takes the path for a TCP address.
[ -z "${DAPR_GRPC_SOCKET:-}" ] || at=("unix:$DAPR_GRPC_SOCKET")
token=()
[ -z "${DAPR_API_TOKEN:-}" ] || token=(-H "dapr-api-token: $DAPR_API_TOKEN")

say() { printf '%s\t%s\n' "$1" "$2"; }
grpc() { # [-d JSON] METHOD
  "$GRPCURL" -plaintext "${token[@]}" "${@:1:$#-1}" "${at[@]}" "$service/${*: -1}" 2>&1
}

# grpcurl leaves out what is false or zero, as JSON of protobuf does.
answer() { # KIND OUTPUT
  case "$1 $(tr -d ' \n' <<<"$2")" in
    'lock {"success":true}') echo true ;;
    'lock {}') echo false ;;
    'unlock {}') echo success ;;
    'unlock {"status":"LOCK_DOES_NOT_EXIST"}') echo 'does not exist' ;;
    'unlock {"status":"LOCK_BELONGS_TO_OTHERS"}') echo 'belongs to others' ;;
    *) printf 'error: %s\n' "$2" | tr -s '\n ' ' ' ;;
  esac
}

lock() { # RESOURCE OWNER SECONDS [STORE]
  answer lock "$(grpc -d "{\"storeName\":\"${4:-lockstore}\",\"resourceId\":\"$1\",\"lockOwner\":\"$2\",\"expiryInSeconds\":$3}" TryLockAlpha1)"
}
unlock() { # RESOURCE OWNER
  answer unlock "$(grpc -d "{\"storeName\":\"lockstore\",\"resourceId\":\"$1\",\"lockOwner\":\"$2\"}" UnlockAlpha1)"
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

PATH="$(dirname "$GRPCURL"):$PATH"
source "$(dirname "$0")/../locked-scenarios.sh"

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
  has() { if grep -q -- "$1"; then echo yes; else echo no; fi; }
  say 'the Dapr service is listed' "$(grpcurl -plaintext "${at[@]}" list | has "^$service$")"
  say 'its methods are listed' "$(grpcurl -plaintext "${at[@]}" list $service | has UnlockAlpha1)"
  say 'TryLockAlpha1 is described' \
    "$(grpcurl -plaintext "${at[@]}" describe $service.TryLockAlpha1 | has 'rpc TryLockAlpha1')"
  say 'its request is described' \
    "$(grpcurl -plaintext "${at[@]}" describe dapr.proto.runtime.v1.TryLockRequest | has 'int32 expiry_in_seconds = 4')"
  say health "$(grpcurl -plaintext "${at[@]}" grpc.health.v1.Health/Check | sed -nE 's/.*"status": "(.*)".*/\1/p')"
  say 'metadata id' "$(grpc GetMetadata | sed -nE 's/^  "id": "(.*)",$/\1/p')"
  say shutdown "$(grpc Shutdown | tr -d '\n ')"
}

"scenario_$1" "${@:2}"

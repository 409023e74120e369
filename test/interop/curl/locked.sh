#!/usr/bin/env bash
# locked.sh COMMAND...: runs COMMAND under the lock. Exit code: COMMAND's own; if that is 0, or it was not run:
#   75  somebody else has the lock: not run      76  the lease was over first: others may have run meanwhile
#   69  no lock from the sidecar: not run        74  not released: the lock stays until its lease is over
set -euo pipefail
: "${1:?usage: locked.sh COMMAND...}"
resource=my_file_name owner=$HOSTNAME-$$-$RANDOM$RANDOM$RANDOM
child='' code=0 signal=''

json() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }
ask() { # lock|unlock: prints the answer and its HTTP status
  curl -sS --max-time 20 --noproxy localhost -w ' %{http_code}' -H @- \
    -d "{\"resourceId\":$(json "$resource"),\"lockOwner\":$(json "$owner"),\"expiryInSeconds\":60}" \
    "http://localhost:${DAPR_HTTP_PORT:-3500}/v1.0-alpha1/$1/lockstore" \
    <<<"${DAPR_API_TOKEN:+dapr-api-token: $DAPR_API_TOKEN}" 2>&1 || :
}
tell() { echo "lock $resource of $owner: $1" >&2; }
on_signal() { signal=$1 && { [ -z "$child" ] || kill "$child" || :; } 2>/dev/null; }
for name in HUP INT TERM; do trap "on_signal $name" "$name"; done

answer=$(ask lock)
case ${answer//[[:space:]]/} in
  '{"success":true}200')
    "$@" <&0 & # in the background: else a signal would have to wait for its end
    child=$!
    [ -z "$signal" ] || on_signal "$signal"
    while kill -0 $child 2>/dev/null; do wait $child || :; done
    wait $child || code=$?
    trap '' HUP INT TERM
    answer=$(ask unlock)
    case ${answer//[[:space:]]/} in
      '{"status":0}200') late=0 ;;
      '{"status":1}200' | '{"status":2}200') late=76 && tell "LEASE OVERRAN: the lease was over before $1 had ended: $answer" ;;
      *) late=74 && tell "not released, it stays until its lease is over: $answer" ;;
    esac
    [ $code != 0 ] || code=$late ;;
  '{"success":false}200') code=75 && tell "somebody else has it, $1 was not run" ;;
  *)
    code=69 && tell "no answer that grants it, $1 was not run: $answer"
    answer=$(ask unlock) ;; # it was taken where only the answer was lost
esac
[ -z "$signal" ] || { trap - "$signal" && kill -s "$signal" $$; }
exit $code

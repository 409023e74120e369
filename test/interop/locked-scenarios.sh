# What docs/clients.md shows for a shell, tried as cron would run it: shared by the programs of curl and
# of grpcurl, whose functions `say`, `lock` and `unlock` it uses.

locked="$(dirname "$0")/locked.sh"
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

code_of() { # COMMAND...: sets `code`, and `errors` has what was said
  code=0
  bash "$locked" "$@" 2>"$errors" || code=$?
}

work_of() { # STEP COMMAND...
  code_of "${@:2}"
  case $code in
    0) say "$1" 'done' ;;
    75) say "$1" 'not done' ;;
    *) say "$1" "error: exit code $code, $(tr '\n' ' ' <"$errors")" ;;
  esac
}

no_space() { echo no space left >&2 && exit 28; }
overrun() { printf 'waiting\tlease over\n' && read -r _; }
export -f no_space overrun

scenario_snippet() {
  work_of 'work while the lock is free' true
  say 'lock as another owner after it' "$(lock my_file_name bob 60)"
  work_of 'work while that owner holds it' true
  say 'unlock as that owner' "$(unlock my_file_name bob)"
  work_of 'work that fails' no_space
  say 'lock as another owner after that' "$(lock my_file_name bob 60)"
  say 'unlock as that owner again' "$(unlock my_file_name bob)"
  work_of 'work that is longer than its lease' overrun
}

say_code() { # STEP [TEXT]: the code, and the text where it is among what was said
  say "$1" "$code${2:+, $(grep -o -m 1 "$2" "$errors")}"
}

scenario_exit_codes() {
  code_of true
  say_code 'exit code of a command that went well'
  code_of no_space
  say_code 'exit code of a command that failed'
  lock my_file_name bob 60 >/dev/null
  code_of true
  say_code 'exit code while another has the lock' 'somebody else has it'
  unlock my_file_name bob >/dev/null
  DAPR_HTTP_PORT=1 DAPR_GRPC_PORT=1 code_of true
  say_code 'exit code without a sidecar' 'no answer that grants it'
  code_of overrun
  say_code 'exit code where the lease was over first' 'LEASE OVERRAN'
  code_of bash -c 'overrun; exit 28'
  say_code 'exit code of a failed command where the lease was over first' 'LEASE OVERRAN'
  code=0
  code_without_unlock || code=$?
  say_code 'exit code where it could not be released' 'not released'
  code=0
  code_of_resource "'a\"b\\\\c'" true || code=$?
  say_code 'exit code with a quote and a backslash in the name'
  code_of
  say_code 'exit code without a command' usage
  code_at_sigterm
  say_code 'exit code at SIGTERM'
  say 'lock as another owner after SIGTERM' "$(lock my_file_name bob 60)"
  unlock my_file_name bob >/dev/null
}

say_exit_code_with_token() {
  code_of true
  if [ "$code" = 0 ]; then
    say_code 'exit code with a token'
  else
    say_code 'exit code with a token' 'no answer that grants it'
  fi
}

# Runs a copy of the script with another resource.
code_of_resource() ( # RESOURCE COMMAND...
  locked=$errors.sh
  sed "s/resource=my_file_name/resource=$1/" "$(dirname "$0")/locked.sh" >"$locked"
  code_of "${@:2}"
  rm "$locked"
  exit "$code"
)

# The lock stays, under a name that nobody else wants.
code_without_unlock() (
  fail_to_unlock() { if [[ $* = *[Uu]nlock* ]]; then return 7; else command "${FUNCNAME[1]}" "$@"; fi; }
  curl() { fail_to_unlock "$@"; }
  grpcurl() { fail_to_unlock "$@"; }
  export -f fail_to_unlock curl grpcurl
  code_of_resource not_released true
)

code_at_sigterm() {
  local started child
  started=$(mktemp -u)
  bash "$locked" bash -c "touch $started && exec sleep 60" 2>"$errors" &
  child=$!
  until [ -e "$started" ]; do sleep 0.05; done
  kill "$child"
  code=0
  wait "$child" || code=$?
  rm "$started"
}

write_report() { # COMMAND...
  dapr=dapr.proto.runtime.v1.Dapr
  lock="{\"storeName\":\"lockstore\",\"resourceId\":\"my_file_name\",\"lockOwner\":\"$RANDOM-$$\""
  grpcurl -plaintext -d "$lock,\"expiryInSeconds\":60}" "localhost:$DAPR_GRPC_PORT" $dapr/TryLockAlpha1 |
    grep -q '"success": true' || return # {} means that somebody else has it
  "$@"
  grpcurl -plaintext -d "$lock}" "localhost:$DAPR_GRPC_PORT" $dapr/UnlockAlpha1 # {}: released
}

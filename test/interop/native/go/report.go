package main

import (
	"context"
	"os"

	"example/locks"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// writeReport waits for up to a minute for the lock, and writes while it has it.
func writeReport(ctx context.Context, write func(ctx context.Context, token int64) error) error {
	address := "127.0.0.1:" + os.Getenv("DAPR_GRPC_PORT")
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	request := &locks.HoldRequest{StoreName: "lockstore", ResourceId: "my_file_name", TtlMs: 10_000, WaitMs: 60_000}
	return hold(ctx, locks.NewLocksClient(connection), request, write)
}

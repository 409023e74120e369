package main

import (
	"context"
	"errors"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/google/uuid"
)

func writeReport(ctx context.Context, client dapr.Client, work func()) (err error) {
	owner := uuid.NewString() // a name of its own for each lock that is taken
	got, err := client.TryLockAlpha1(ctx, "lockstore", &dapr.LockRequest{
		ResourceID: "my_file_name", LockOwner: owner, ExpiryInSeconds: 60,
	})
	if err != nil || !got.Success { // not having got it is an answer, not an error
		return err
	}
	defer func() { // also where ctx has ended by then
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_, failed := client.UnlockAlpha1(ctx, "lockstore", &dapr.UnlockRequest{
			ResourceID: "my_file_name", LockOwner: owner,
		})
		err = errors.Join(err, failed)
	}()
	work()
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/google/uuid"
)

// writeReport does the work and says whether it did: false without an error means that somebody else has the
// lock. An error beside true is the work's, or says that the lock did not last until its end.
func writeReport(ctx context.Context, client dapr.Client, work func(context.Context) error) (ran bool, err error) {
	host, _ := os.Hostname()
	owner := fmt.Sprintf("%s-%d-%s", host, os.Getpid(), uuid.NewString())
	got, err := client.TryLockAlpha1(ctx, "lockstore", &dapr.LockRequest{
		ResourceID: "my_file_name", LockOwner: owner, ExpiryInSeconds: 60,
	})
	if err != nil || !got.Success {
		return false, err
	}
	defer func() { // also where ctx has ended by then, or the work panics
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		released, failed := client.UnlockAlpha1(ctx, "lockstore", &dapr.UnlockRequest{
			ResourceID: "my_file_name", LockOwner: owner,
		})
		if failed == nil && released.StatusCode != 0 {
			failed = fmt.Errorf("the lease was over before the work: unlock answered %s", released.Status)
		}
		err = errors.Join(err, failed)
	}()
	return true, work(ctx)
}

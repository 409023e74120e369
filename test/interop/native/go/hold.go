package main

import (
	"context"
	"errors"
	"time"

	"example/locks"
)

// hold waits for a lock, does the work with it, and releases it. The context of the work ends as soon as the lock may
// be lost; then hold returns an error, too. Pass the token along with each write.
func hold(ctx context.Context, client locks.LocksClient, request *locks.HoldRequest, work func(context.Context, int64) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil) // ends the call, and so releases the lock
	sent := time.Now()
	left := func(validMs int64) time.Duration { // each valid_ms counts from the call
		return time.Until(sent.Add(time.Duration(validMs) * time.Millisecond))
	}
	events, err := client.Hold(ctx, request)
	if err != nil {
		return err
	}
	event, err := events.Recv()
	if event.GetQueued() != nil {
		event, err = events.Recv()
	}
	lease := event.GetHeld().GetLease()
	if lease == nil {
		return errors.Join(errors.New("somebody else has the lock, or it could not be asked for"), err)
	}
	watch := time.AfterFunc(left(lease.ValidMs), func() { end(errors.New("the lock was lost")) })
	defer watch.Stop()
	go func() { // where the call fails, the lease still lasts for as long as was said
		for event, err := events.Recv(); err == nil; event, err = events.Recv() {
			if renewed := event.GetRenewed(); renewed != nil {
				watch.Reset(left(renewed.ValidMs))
			} else if lost := event.GetLost(); lost != nil {
				end(errors.New("the lock was lost: " + lost.Reason.String()))
			}
		}
	}()
	return errors.Join(work(ctx, lease.FencingToken), context.Cause(ctx))
}

// A user's program on Dapr's Go SDK: `program SCENARIO`. Each step is printed as "step<TAB>answer".
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/google/uuid"
)

var (
	ctx    = context.Background()
	stdin  = bufio.NewReader(os.Stdin)
	client dapr.Client
)

func say(step string, answer any) {
	fmt.Printf("%s\t%s\n", step, strings.ReplaceAll(fmt.Sprint(answer), "\n", " "))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func waitFor(what string) {
	say("waiting", what)
	must(stdin.ReadString('\n'))
}

func lock(store, resource, owner string, seconds int32) string {
	request := &dapr.LockRequest{ResourceID: resource, LockOwner: owner, ExpiryInSeconds: seconds}
	response, err := client.TryLockAlpha1(ctx, store, request)
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprint(response.Success)
}

func unlock(resource, owner string) string {
	request := &dapr.UnlockRequest{ResourceID: resource, LockOwner: owner}
	response, err := client.UnlockAlpha1(ctx, "lockstore", request)
	if err != nil {
		return "error: " + err.Error()
	}
	switch response.Status {
	case "SUCCESS":
		return "success"
	case "LOCK_DOES_NOT_EXIST":
		return "does not exist"
	case "LOCK_BELONGS_TO_OTHERS":
		return "belongs to others"
	}
	return response.Status
}

func until(wanted string, call func() string) string {
	answer := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if answer = call(); answer == wanted {
			break
		}
	}
	return answer
}

// The caller's context ends during the work, as at a shutdown: the lock has to be given back all the same.
func workOf(work func() error) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ran, err := writeReport(ctx, client, func(context.Context) error {
		cancel()
		return work()
	})
	if err != nil {
		return "error: " + err.Error()
	}
	if ran {
		return "done"
	}
	return "not done"
}

func fine() error { return nil }

func main() {
	switch socket := os.Getenv("DAPR_GRPC_SOCKET"); socket {
	case "":
		client = must(dapr.NewClient())
	default:
		client = must(dapr.NewClientWithSocket(socket))
	}
	defer client.Close()

	switch os.Args[1] {
	case "lock":
		say("lock a free resource", lock("lockstore", "report", "alice", 60))
		say("lock it again as its owner", lock("lockstore", "report", "alice", 60))
		say("lock it as another owner", lock("lockstore", "report", "bob", 60))
		say("unlock it as another owner", unlock("report", "bob"))
		say("unlock it", unlock("report", "alice"))
		say("unlock it again", unlock("report", "alice"))
		say("lock it for 1 s", lock("lockstore", "report", "alice", 1))
		say("lock it as another owner before that", lock("lockstore", "report", "bob", 60))
		say("lock it as another owner after that", until("true", func() string {
			return lock("lockstore", "report", "bob", 60)
		}))
		unlock("report", "bob")

	case "snippet":
		say("work while the lock is free", workOf(fine))
		say("lock as another owner after it", lock("lockstore", "my_file_name", "bob", 60))
		say("work while that owner holds it", workOf(fine))
		say("unlock as that owner", unlock("my_file_name", "bob"))
		say("work that fails", workOf(func() error { return errors.New("no space left") }))
		say("lock as another owner after that", lock("lockstore", "my_file_name", "bob", 60))
		say("unlock as that owner again", unlock("my_file_name", "bob"))
		say("work that is longer than its lease", workOf(func() error {
			waitFor("lease over")
			return nil
		}))

	case "errors":
		say("an unknown store", lock("nope", "r", "o", 60))
		say("an empty resource", lock("lockstore", "", "o", 60))
		say("an empty owner", lock("lockstore", "r", "", 60))
		say("expiry 0", lock("lockstore", "r", "o", 0))
		say("two pipes in the resource", lock("lockstore", "a||b", "o", 60))

	case "contend":
		file, owner := os.Args[2], os.Args[3]
		waitFor("ready")
		refused := 0
		for ; lock("lockstore", "my_file_name", owner, 60) != "true"; refused++ {
			time.Sleep(50 * time.Millisecond)
		}
		report(file, "begin")
		time.Sleep(time.Second)
		report(file, "end")
		say("unlock after the work", unlock("my_file_name", owner))
		say("refused before it", refused)

	case "token":
		say("lock with a token", lock("lockstore", "guarded", uuid.NewString(), 1))

	case "restart":
		say("lock before the stop", lock("lockstore", "kept", "alice", 60))
		waitFor("stop")
		say("call while it is stopped", unlock("kept", "alice"))
		waitFor("start")
		say("unlock after the start", until("success", func() string { return unlock("kept", "alice") }))

	case "sidecar":
		if err := client.Wait(ctx, 5*time.Second); err != nil {
			log.Fatal(err)
		}
		say("wait", "ok")
		say("metadata id", must(client.GetMetadata(ctx)).ID)
		if err := client.SetMetadata(ctx, "team", "storage"); err != nil {
			log.Fatal(err)
		}
		say("set metadata", "ok")
		if err := client.Shutdown(ctx); err != nil {
			log.Fatal(err)
		}
		say("shutdown", "ok")
	}
}

func report(file, what string) {
	f := must(os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644))
	defer f.Close()
	must(fmt.Fprintf(f, "%s %d\n", what, os.Getpid()))
}

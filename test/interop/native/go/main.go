// A user's program on stubs of the native API: `program first|second`. Each step is printed as "step<TAB>answer".
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"example/locks"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	store    = "lockstore"
	resource = "my_file_name"
	ttlMs    = 2000
)

var (
	ctx    = context.Background()
	stdin  = bufio.NewReader(os.Stdin)
	client locks.LocksClient
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

// write sends the token along: the store refuses one that is lower than one it has seen.
func write(token int64, what string) string {
	request := must(http.NewRequest(http.MethodPut, os.Getenv("STORE_URL"), strings.NewReader(what)))
	request.Header.Set("fencing-token", strconv.FormatInt(token, 10))
	response := must(http.DefaultClient.Do(request))
	response.Body.Close()
	if response.StatusCode == http.StatusConflict {
		return "refused"
	}
	return "written"
}

func requestFor(resource string) *locks.HoldRequest {
	return &locks.HoldRequest{StoreName: store, ResourceId: resource, TtlMs: ttlMs, WaitMs: 60_000}
}

func tellEvents(told chan<- string) {
	events := must(client.Hold(ctx, requestFor("watched")))
	var names []string
	for event, err := events.Recv(); err == nil; event, err = events.Recv() {
		name := nameOf(event)
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	told <- strings.Join(names, " ")
}

func nameOf(event *locks.HoldEvent) string {
	switch event := event.Event.(type) {
	case *locks.HoldEvent_Queued_:
		return "queued"
	case *locks.HoldEvent_Held_:
		return "held"
	case *locks.HoldEvent_Renewed_:
		return "renewed"
	case *locks.HoldEvent_AtRisk_:
		return "at_risk"
	case *locks.HoldEvent_Lost_:
		return "lost:" + event.Lost.Reason.String()
	}
	return "refused"
}

func first() {
	acquired := must(client.Acquire(ctx, &locks.AcquireRequest{StoreName: store, ResourceId: resource, TtlMs: ttlMs}))
	say("acquire it while another has it", acquired.Holder.GetLockOwner()+" has it")
	told := make(chan string, 1)
	go tellEvents(told)
	var own int64
	err := hold(ctx, client, requestFor(resource), func(ctx context.Context, token int64) error {
		own = token
		say("its token is higher than the one before", token > acquired.Holder.FencingToken)
		say("write with its token", write(token, "first"))
		time.Sleep(ttlMs * 3 / 2 * time.Millisecond)
		say("it is held for longer than one lease", ctx.Err() == nil)
		waitFor("Redis is gone")
		<-ctx.Done()
		say("it is told that the lock is lost", true)
		return nil
	})
	say("its hold ends with an error", fmt.Sprint("error: ", err))
	say("events of a hold", <-told)
	waitFor("the second holds the lock")
	answer := must(client.Get(ctx, &locks.GetRequest{StoreName: store, ResourceId: resource}))
	say("the second has the lock, with a higher token", answer.Lock.GetFencingToken() > own)
	say("write with the old token", write(own, "first again"))
}

func second() {
	err := writeReport(ctx, func(_ context.Context, token int64) error {
		say("write with its token", write(token, "second"))
		waitFor("the first has ended")
		return nil
	})
	say("its hold ends well", err == nil)
}

func main() {
	address := "127.0.0.1:" + os.Getenv("DAPR_GRPC_PORT")
	connection := must(grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer connection.Close()
	client = locks.NewLocksClient(connection)
	switch os.Args[1] {
	case "first":
		first()
	case "second":
		second()
	}
}

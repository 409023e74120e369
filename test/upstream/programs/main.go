// A user's program on Dapr's Go SDK, which uses state, a streaming subscription and locks at one address.
// Each step is printed as "step<TAB>answer".
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/status"
)

// More than a daprd takes unless it is told otherwise, and more than any window or buffer on the way.
const tooLarge = 6_000_000

func say(step string, answer any) { fmt.Printf("%s\t%v\n", step, answer) }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client := must(dapr.NewClient())
	defer client.Close()

	request := &dapr.LockRequest{ResourceID: "go", LockOwner: "a", ExpiryInSeconds: 60}
	say("lock", must(client.TryLockAlpha1(ctx, "lockstore", request)).Success)
	if err := client.SaveState(ctx, "statestore", "go", []byte("value"), nil); err != nil {
		log.Fatal(err)
	}
	say("state", string(must(client.GetState(ctx, "statestore", "go", nil)).Value))
	say("large state", len(must(client.GetState(ctx, "statestore", "big-3000000", nil)).Value))

	subscription := must(client.Subscribe(ctx, dapr.SubscriptionOptions{PubsubName: "pubsub", Topic: "go"}))
	for count := range 3 {
		if err := client.PublishEvent(ctx, "pubsub", "go", fmt.Sprint("event ", count)); err != nil {
			log.Fatal(err)
		}
		message := must(subscription.Receive())
		say(fmt.Sprint("event ", count), string(message.RawData))
		if err := message.Success(); err != nil {
			log.Fatal(err)
		}
	}
	say("lock again while subscribed", must(client.TryLockAlpha1(ctx, "lockstore", request)).Success)
	if err := subscription.Close(); err != nil {
		log.Fatal(err)
	}
	metadata := must(client.GetMetadata(ctx))
	say("id", metadata.ID)
	for _, component := range metadata.RegisteredComponents {
		say("component "+component.Name, component.Type)
	}
	unlock := &dapr.UnlockRequest{ResourceID: "go", LockOwner: "a"}
	say("unlock", must(client.UnlockAlpha1(ctx, "lockstore", unlock)).Status)

	short, end := context.WithTimeout(ctx, 300*time.Millisecond)
	defer end()
	_, err := client.GetState(short, "statestore", "slow-5000", nil)
	say("deadline", err != nil && short.Err() != nil)

	// The limit is the daprd's, and so is the answer.
	err = client.SaveState(ctx, "statestore", "large", make([]byte, tooLarge), nil)
	var size, limit int
	_, sizes, _ := strings.Cut(status.Convert(err).Message(), "grpc: received message larger than max ")
	fmt.Sscanf(sizes, "(%d vs. %d)", &size, &limit)
	say("too large a message", fmt.Sprint(status.Code(err), " ", size > tooLarge, " ", limit))
	text := fmt.Sprintf(`[{"key":"large","value":"%s"}]`, bytes.Repeat([]byte("x"), tooLarge))
	url := fmt.Sprintf("http://127.0.0.1:%s/v1.0/state/statestore", os.Getenv("DAPR_HTTP_PORT"))
	answer := must(http.Post(url, "application/json", bytes.NewReader([]byte(text))))
	say("too large a body", answer.StatusCode)
	say("state after it", string(must(client.GetState(ctx, "statestore", "go", nil)).Value))
}

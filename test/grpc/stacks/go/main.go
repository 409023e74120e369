// Calls the test service by grpc-go: PORT STREAMS BYTES.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testing "google.golang.org/grpc/interop/grpc_testing"
)

func main() {
	streams, size := number(2), number(3)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	connection, err := grpc.NewClient("127.0.0.1:"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	client := testing.NewTestServiceClient(connection)

	var open []testing.TestService_FullDuplexCallClient
	for range streams {
		stream, err := client.FullDuplexCall(ctx)
		check(err)
		parameters := []*testing.ResponseParameters{{Size: 100}}
		check(stream.Send(&testing.StreamingOutputCallRequest{ResponseParameters: parameters}))
		open = append(open, stream)
	}
	for _, stream := range open {
		answer, err := stream.Recv()
		check(err)
		expect(len(answer.Payload.Body), 100)
	}
	for _, stream := range open {
		check(stream.CloseSend())
		_, err := stream.Recv()
		expect(fmt.Sprint(err), "EOF")
	}

	request := &testing.SimpleRequest{ResponseSize: int32(size), Payload: &testing.Payload{Body: make([]byte, size)}}
	answer, err := client.UnaryCall(ctx, request)
	check(err)
	expect(len(answer.Payload.Body), size)
	fmt.Println("ok")
}

func number(index int) int {
	value, err := strconv.Atoi(os.Args[index])
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func expect[T comparable](got, want T) {
	if got != want {
		log.Fatalf("got %v, want %v", got, want)
	}
}

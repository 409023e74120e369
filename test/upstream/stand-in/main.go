// A stand-in for a daprd: Dapr's full gRPC API as the Go SDK's module generates it, of which it serves
// state, publishing, streaming subscriptions, metadata and shutdown from memory, and the same state over
// HTTP. A key "slow-MS" takes as long, and a key "big-BYTES" has a value of that length. It fails the
// calls of locks: none of them may arrive here.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	runtime "github.com/dapr/dapr/pkg/proto/runtime/v1"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// What it takes is limited as in daprd, unless --max-body-size says otherwise there. What it sends is not, for
// the large values of the benchmark.
const (
	maxBodyBytes   = 4 << 20
	maxAnswerBytes = 64 << 20
)

// A subscriber is one open stream.
type subscriber struct {
	topic  string
	events chan *runtime.TopicEventRequest
}

type sidecar struct {
	runtime.UnimplementedDaprServer
	mutex       sync.Mutex
	values      map[string][]byte
	extended    map[string]string
	subscribers map[*subscriber]bool
	processed   int
	stop        chan struct{}
	once        sync.Once
}

func (s *sidecar) read(ctx context.Context, key string) ([]byte, error) {
	if text, found := strings.CutPrefix(key, "slow-"); found {
		pause, _ := strconv.Atoi(text)
		select {
		case <-time.After(time.Duration(pause) * time.Millisecond):
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	if text, found := strings.CutPrefix(key, "big-"); found {
		count, _ := strconv.Atoi(text)
		return bytes.Repeat([]byte("x"), count), nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.values[key], nil
}

func (s *sidecar) write(key string, value []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.values[key] = value
}

func (s *sidecar) GetState(ctx context.Context, request *runtime.GetStateRequest) (*runtime.GetStateResponse, error) {
	grpc.SetHeader(ctx, metadata.Pairs("header", "h", "header-bin", "\x00\xff"))
	grpc.SetTrailer(ctx, metadata.Pairs("trailer", "1", "trailer", "2", "trailer-bin", "\x01"))
	value, err := s.read(ctx, request.Key)
	return &runtime.GetStateResponse{Data: value, Etag: "1"}, err
}

func (s *sidecar) SaveState(_ context.Context, request *runtime.SaveStateRequest) (*emptypb.Empty, error) {
	for _, item := range request.States {
		s.write(item.Key, item.Value)
	}
	return &emptypb.Empty{}, nil
}

func (s *sidecar) DeleteState(_ context.Context, request *runtime.DeleteStateRequest) (*emptypb.Empty, error) {
	s.write(request.Key, nil)
	return &emptypb.Empty{}, nil
}

func (s *sidecar) PublishEvent(_ context.Context, request *runtime.PublishEventRequest) (*emptypb.Empty, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for each := range s.subscribers {
		if each.topic == request.Topic {
			each.events <- &runtime.TopicEventRequest{
				Id: uuid.NewString(), Source: "stand-in", Type: "event", SpecVersion: "1.0", Data: request.Data,
				DataContentType: request.DataContentType, Topic: request.Topic, PubsubName: request.PubsubName,
			}
		}
	}
	return &emptypb.Empty{}, nil
}

func (s *sidecar) SubscribeTopicEventsAlpha1(stream runtime.Dapr_SubscribeTopicEventsAlpha1Server) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	initial := first.GetInitialRequest()
	if initial == nil {
		return status.Error(codes.InvalidArgument, "the first message must be the initial request")
	}
	subscriber := &subscriber{topic: initial.Topic, events: make(chan *runtime.TopicEventRequest, 1000)}
	s.mutex.Lock()
	s.subscribers[subscriber] = true
	s.mutex.Unlock()
	defer func() {
		s.mutex.Lock()
		delete(s.subscribers, subscriber)
		s.mutex.Unlock()
	}()
	begun := &runtime.SubscribeTopicEventsResponseAlpha1_InitialResponse{
		InitialResponse: &runtime.SubscribeTopicEventsResponseInitialAlpha1{},
	}
	if err := stream.Send(&runtime.SubscribeTopicEventsResponseAlpha1{SubscribeTopicEventsResponseType: begun}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		for {
			answer, err := stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			if answer.GetEventProcessed() != nil {
				s.mutex.Lock()
				s.processed++
				s.mutex.Unlock()
			}
		}
	}()
	for {
		select {
		case event := <-subscriber.events:
			message := &runtime.SubscribeTopicEventsResponseAlpha1_EventMessage{EventMessage: event}
			if err := stream.Send(&runtime.SubscribeTopicEventsResponseAlpha1{SubscribeTopicEventsResponseType: message}); err != nil {
				return err
			}
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-s.stop:
			return status.Error(codes.Unavailable, "the stand-in is stopping")
		}
	}
}

func (s *sidecar) GetMetadata(context.Context, *runtime.GetMetadataRequest) (*runtime.GetMetadataResponse, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	extended := map[string]string{"processed": strconv.Itoa(s.processed)}
	for key, value := range s.extended {
		extended[key] = value
	}
	component := &runtime.RegisteredComponents{Name: "statestore", Type: "state.in-memory", Version: "v1"}
	return &runtime.GetMetadataResponse{
		Id: "stand-in", RuntimeVersion: "1.18.3", RegisteredComponents: []*runtime.RegisteredComponents{component},
		ExtendedMetadata: extended,
	}, nil
}

func (s *sidecar) SetMetadata(_ context.Context, request *runtime.SetMetadataRequest) (*emptypb.Empty, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.extended[request.Key] = request.Value
	return &emptypb.Empty{}, nil
}

func (s *sidecar) Shutdown(context.Context, *runtime.ShutdownRequest) (*emptypb.Empty, error) {
	s.shutDown()
	return &emptypb.Empty{}, nil
}

func (s *sidecar) shutDown() { s.once.Do(func() { close(s.stop) }) }

// The part of daprd's HTTP API that the JavaScript SDK uses.
func (s *sidecar) serve(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1.0/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /v1.0/healthz/outbound", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /v1.0/metadata", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, `{"id":"stand-in","runtimeVersion":"1.18.3","components":[{"name":"statestore","type":"state.in-memory","version":"v1"}],"extended":{}}`)
	})
	mux.HandleFunc("POST /v1.0/shutdown", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		s.shutDown()
	})
	mux.HandleFunc("POST /v1.0/state/{store}", func(w http.ResponseWriter, r *http.Request) {
		var items []struct {
			Key   string
			Value json.RawMessage
		}
		body := http.MaxBytesReader(w, r.Body, maxBodyBytes)
		if err := json.NewDecoder(body).Decode(&items); err != nil {
			code := http.StatusBadRequest
			if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
				code = http.StatusRequestEntityTooLarge
			}
			http.Error(w, err.Error(), code)
			return
		}
		for _, item := range items {
			s.write(item.Key, item.Value)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /v1.0/state/{store}/{key}", func(w http.ResponseWriter, r *http.Request) {
		value, _ := s.read(r.Context(), r.PathValue("key"))
		if value == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(value)
	})
}

func main() {
	grpcAddress := flag.String("grpc", "127.0.0.1:0", "address of the gRPC API")
	httpAddress := flag.String("http", "127.0.0.1:0", "address of the HTTP API")
	flag.Parse()
	s := &sidecar{
		values: map[string][]byte{}, extended: map[string]string{},
		subscribers: map[*subscriber]bool{}, stop: make(chan struct{}),
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxBodyBytes), grpc.MaxSendMsgSize(maxAnswerBytes))
	runtime.RegisterDaprServer(server, s)
	reflection.Register(server)
	grpcListener, err := net.Listen("tcp", *grpcAddress)
	if err != nil {
		log.Fatal(err)
	}
	httpListener, err := net.Listen("tcp", *httpAddress)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	s.serve(mux)
	web := &http.Server{Handler: mux}
	go func() {
		if err := server.Serve(grpcListener); err != nil {
			log.Fatal(err)
		}
	}()
	go web.Serve(httpListener)
	fmt.Printf("stand-in listens on %s (gRPC) and %s (HTTP)\n", grpcListener.Addr(), httpListener.Addr())
	<-s.stop
	server.GracefulStop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	web.Shutdown(ctx)
	os.Exit(0)
}

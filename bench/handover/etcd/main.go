// Hands one lock of an etcd on again and again, by etcd's own client, and prints the time of each
// hand-over in milliseconds, as a JSON array: from the answer to the unlock until the next holder has
// its answer.
//
// Usage: hand-over ENDPOINT LOCK WAITERS HAND_OVERS SPREAD_MS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// settle is the time before the first hand-over: connections open and everybody waits.
const settle = 300 * time.Millisecond

// A locker is a client with a connection and a session of its own.
type locker struct {
	mutex *concurrency.Mutex
}

// taken says who got the lock, and when.
type taken struct {
	by  *locker
	at  time.Time
	err error
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("usage: hand-over ENDPOINT LOCK WAITERS HAND_OVERS SPREAD_MS")
	}
	numbers := make([]int, 3)
	for i := range numbers {
		number, err := strconv.Atoi(args[2+i])
		if err != nil {
			return err
		}
		numbers[i] = number
	}
	times, err := measure(args[0], args[1], numbers[0], numbers[1], time.Duration(numbers[2])*time.Millisecond)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(times)
}

func measure(endpoint, lock string, waiters, handOvers int, spread time.Duration) ([]float64, error) {
	next := make(chan taken, waiters+1)
	for i := 0; i <= waiters; i++ {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 5 * time.Second})
		if err != nil {
			return nil, err
		}
		defer client.Close()
		session, err := concurrency.NewSession(client, concurrency.WithTTL(60))
		if err != nil {
			return nil, err
		}
		wait(&locker{concurrency.NewMutex(session, "/"+lock)}, next)
	}
	holder := <-next
	if holder.err != nil {
		return nil, holder.err
	}
	time.Sleep(settle + spread)
	times := make([]float64, 0, handOvers)
	for len(times) < handOvers {
		if err := holder.by.mutex.Unlock(context.Background()); err != nil {
			return nil, err
		}
		released := time.Now()
		follower := <-next
		if follower.err != nil {
			return nil, follower.err
		}
		times = append(times, float64(follower.at.Sub(released).Nanoseconds())/1e6)
		wait(holder.by, next)
		holder = follower
		time.Sleep(time.Duration(rand.Float64() * float64(spread)))
	}
	return times, nil
}

func wait(by *locker, next chan<- taken) {
	go func() {
		err := by.mutex.Lock(context.Background())
		next <- taken{by, time.Now(), err}
	}()
}

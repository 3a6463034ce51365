package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// floors are what the machine itself takes, in microseconds.
type floors struct {
	roundTrip, fsync []float64
}

func (f *floors) add(o floors) {
	f.roundTrip = append(f.roundTrip, o.roundTrip...)
	f.fsync = append(f.fsync, o.fsync...)
}

// Sizes are those of an order's request and reply, and of an order's entry in the journal.
const (
	floorRounds  = 1000
	floorRequest = 400
	floorReply   = 40
	floorEntry   = 256
)

func floorsRound(s settings) (floors, error) {
	var f floors
	var err error
	if f.roundTrip, err = zmqFloor(); err != nil {
		return f, fmt.Errorf("floor of ZeroMQ: %w", err)
	}
	if f.fsync, err = fsyncFloor(s.dir); err != nil {
		return f, fmt.Errorf("floor of the disk: %w", err)
	}
	return f, nil
}

// zmqFloor is a REQ and a ROUTER, each in a thread that does nothing else.
func zmqFloor() (times []float64, err error) {
	ctx, err := zmq.NewContext()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ctx.Term() }()
	router, err := ctx.NewSocket(zmq.ROUTER)
	if err != nil {
		return nil, err
	}
	if err := router.Bind("tcp://127.0.0.1:*"); err != nil {
		return nil, err
	}
	endpoint, err := router.GetLastEndpoint()
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- echo(router) }()
	req, err := ctx.NewSocket(zmq.REQ)
	if err != nil {
		return nil, err
	}
	defer func() { _ = req.Close() }()
	if err := req.Connect(endpoint); err != nil {
		return nil, err
	}
	request := make([]byte, floorRequest)
	for n := range floorRounds + floorRounds/10 {
		began := time.Now()
		if _, err := req.SendBytes(request, 0); err != nil {
			return nil, err
		}
		if _, err := req.RecvBytes(0); err != nil {
			return nil, err
		}
		if n >= floorRounds/10 {
			times = append(times, micros(time.Since(began)))
		}
	}
	if _, err := req.SendBytes(nil, 0); err != nil {
		return nil, err
	}
	return times, <-ended
}

// echo answers until an empty request comes. It owns the socket.
func echo(router *zmq.Socket) error {
	defer func() { _ = router.Close() }()
	if err := router.SetLinger(0); err != nil {
		return err
	}
	reply := make([]byte, floorReply)
	for {
		frames, err := router.RecvMessageBytes(0)
		if err != nil {
			return err
		}
		if len(frames) == 3 && len(frames[2]) == 0 {
			return nil
		}
		if _, err := router.SendMessage(frames[0], "", reply); err != nil {
			return err
		}
	}
}

// fsyncFloor writes and syncs.
func fsyncFloor(dir string) (times []float64, err error) {
	file, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	entry := make([]byte, floorEntry)
	for range floorRounds {
		began := time.Now()
		if _, err := file.Write(entry); err != nil {
			return nil, err
		}
		if err := file.Sync(); err != nil {
			return nil, err
		}
		times = append(times, micros(time.Since(began)))
	}
	return times, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

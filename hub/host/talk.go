package host

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tradehub/plugins/pluginpb"
)

// brokenError is a stream that broke: most likely the process died, and how it died says more.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "its stream broke: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// talk is a session with a process: one goroutine sends, one receives, and the caller of run watches.
type talk struct {
	process *process
	busyMax time.Duration
	// send sends what waits; false when nothing more is to be sent.
	send func() (bool, error)
	// receive waits for a message from the plugin; handle handles it.
	receive func() (handle func() error, err error)
	// ping sends a Ping, closing sends Close, tick is called now and then, cancel breaks the stream off.
	ping    func(id uint64)
	closing func()
	tick    func(now time.Time)
	cancel  func()

	closed     atomic.Bool           // the plugin said Closed
	pong       atomic.Uint64         // the last ping that was answered
	broken     atomic.Pointer[error] // see breakOff
	brokenChan chan struct{}         //
	startBy    atomic.Int64          // when the plugin must have started; 0: no matter
	handling   atomic.Int64          // since when the receiver is not receiving but handling, which may mean waiting for the hub; 0: it receives
	handled    atomic.Int64          // nanoseconds spent with handling, all in all
}

func newTalk(p *process, busyMax time.Duration) *talk {
	return &talk{process: p, busyMax: busyMax, brokenChan: make(chan struct{})}
}

// breakOff ends the session because of err. It may be called from anywhere, several times.
func (t *talk) breakOff(err error) {
	if t.broken.CompareAndSwap(nil, &err) {
		close(t.brokenChan)
	}
}

// startWithin gives the plugin a time in which to say Started; 0 when it has.
func (t *talk) startWithin(d time.Duration) {
	if d == 0 {
		t.startBy.Store(0)
		return
	}
	t.startBy.Store(time.Now().Add(d).UnixNano())
}

// onPong notes an answer to a ping, and ends the session when the plugin's code hangs.
func (t *talk) onPong(p *pluginpb.Pong) error {
	t.pong.Store(p.GetId())
	if busy := time.Duration(p.GetBusyNanos()); busy > t.busyMax {
		return fmt.Errorf("its %s has not returned for %s", clip(oneLine(p.GetBusyIn()), 40), busy.Round(time.Millisecond))
	}
	return nil
}

// run returns nil when the session ended in good order.
func (t *talk) run() error {
	ends := make(chan error, 2)
	var group sync.WaitGroup
	group.Go(func() { t.sender(ends) })
	group.Go(func() { t.receiver(ends) })
	err := t.watch(ends)
	t.cancel()
	group.Wait()
	return err
}

func (t *talk) sender(ends chan<- error) {
	for {
		more, err := t.send()
		if err != nil {
			if !errors.Is(err, io.EOF) { // EOF: the receiver knows why
				ends <- &brokenError{err}
			}
			return
		}
		if !more {
			return
		}
	}
}

func (t *talk) receiver(ends chan<- error) {
	for {
		handle, err := t.receive()
		switch {
		case errors.Is(err, io.EOF) && t.closed.Load():
			ends <- nil
			return
		case status.Code(err) == codes.Unimplemented:
			ends <- fmt.Errorf("it is no %s, but a plugin of another kind", t.process.unit.kind)
			return
		case status.Code(err) == codes.ResourceExhausted:
			ends <- fmt.Errorf("it sent a message that is too large: %w", err)
			return
		case err != nil:
			ends <- &brokenError{err}
			return
		}
		began := time.Now()
		t.handling.Store(began.UnixNano())
		err = handle()
		t.handled.Add(int64(time.Since(began)))
		t.handling.Store(0)
		if err != nil {
			ends <- err
			return
		}
	}
}

// watch waits for the end of the session, and brings it about when the host stops or the plugin shows no life.
func (t *talk) watch(ends <-chan error) error {
	times := t.process.unit.host.options.Times
	ticker := time.NewTicker(min(times.PingEvery, times.AskRetry))
	defer ticker.Stop()
	stop := t.process.unit.host.stop
	var patience <-chan time.Time
	var ping lifeSign
	for {
		select {
		case err := <-ends:
			return err
		case <-t.brokenChan:
			return *t.broken.Load()
		case <-stop:
			stop = nil
			patience = time.After(times.Stop)
			t.closing()
		case <-patience:
			return fmt.Errorf("it did not close within %s and was killed", times.Stop)
		case <-t.process.unit.host.hurry:
			return errors.New("it was killed, since the hub could not wait")
		case now := <-ticker.C:
			if err := t.check(now, &ping, times); err != nil {
				return err
			}
			t.tick(now)
		}
	}
}

// lifeSign is the ping that is under way, if any.
type lifeSign struct {
	id      uint64
	at      time.Time
	handled int64
}

// check sends pings and misses answers. Time in which the receiver waits for the hub does not count: the answer may be right behind.
func (t *talk) check(now time.Time, ping *lifeSign, times Times) error {
	if by := t.startBy.Load(); by != 0 && now.UnixNano() > by {
		return errors.New("it has not said that it started, for too long")
	}
	handled := t.handled.Load()
	if since := t.handling.Load(); since != 0 {
		handled += max(0, now.UnixNano()-max(since, ping.at.UnixNano()))
	}
	if ping.id != t.pong.Load() {
		if silent := now.Sub(ping.at) - time.Duration(handled-ping.handled); silent > times.PongWithin {
			return fmt.Errorf("no sign of life for %s", silent.Round(time.Millisecond))
		}
		return nil
	}
	if now.Sub(ping.at) >= times.PingEvery {
		ping.id++
		ping.at = now
		ping.handled = t.handled.Load()
		t.ping(ping.id)
	}
	return nil
}

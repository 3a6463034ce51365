package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"

	zmq "github.com/pebbe/zmq4"

	"tradehub/rpc/veighna"
)

// ClientOptions say what a Client connects to.
type ClientOptions struct {
	// Request and Publish are the addresses of a trader's line; Publish may be "".
	Request, Publish string
	// Version is the framing of events to listen to, as a VeighNa of that version would; "" is "4.5".
	Version string
	// Events gets every event, heartbeats not. It is called by the client's own goroutine, and must not call Close.
	Events func(e veighna.Event)
	// Messages gets every message of the publish address as it came, of either framing, before Events. May be nil.
	Messages func(m veighna.Message)
	// InFlight is how many requests may be unanswered; 0 is 65536.
	InFlight int
}

// Client speaks VeighNa's protocol to a hub, or to a stock server: for tests, load generators and programs in Go. It has any number of
// requests in flight at once; a server answers them in order. Its methods may be called from any goroutine.
type Client struct {
	opts    ClientOptions
	framing veighna.Framing
	zmq     *zmq.Context
	dealer  *zmq.Socket
	sub     *zmq.Socket // nil without a publish address
	watch   *watch
	kick    chan struct{}
	stop    chan struct{}
	stopped sync.Once
	exited  sync.WaitGroup

	mu      sync.Mutex // guards all below
	unsent  []outgoing
	waiting int // unsent ones and those that are sent and not answered
	closed  bool

	// sent are the requests whose answers are to come, in order: the goroutine's.
	sent []func(reply []byte, err error)
}

type outgoing struct {
	request []byte
	done    func(reply []byte, err error)
}

// ErrClosed is what requests end with that are unanswered when their Client is closed.
var ErrClosed = errors.New("rpc: client is closed")

// Dial makes a client. It does not wait for the connection: ZeroMQ connects when the other side is there.
func Dial(opts ClientOptions) (_ *Client, err error) {
	if opts.Version == "" {
		opts.Version = "4.5"
	}
	if opts.InFlight == 0 {
		opts.InFlight = 64 << 10
	}
	c := &Client{opts: opts, kick: make(chan struct{}, 1), stop: make(chan struct{})}
	if c.framing, err = veighna.ParseVersion(opts.Version); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("rpc: dial %s: %w", opts.Request, errors.Join(err, c.closeSockets()))
		}
	}()
	if c.zmq, err = zmq.NewContext(); err != nil {
		return nil, err
	}
	sockets := make([]*zmq.Socket, 0, 2)
	if c.dealer, err = c.zmq.NewSocket(zmq.DEALER); err != nil {
		return nil, err
	}
	var set setter
	set.do("linger", c.dealer.SetLinger(0))
	set.do("send HWM", c.dealer.SetSndhwm(0)) // InFlight is the bound
	set.do("receive HWM", c.dealer.SetRcvhwm(0))
	set.do("IPv6", c.dealer.SetIpv6(true))
	set.do("connect", c.dealer.Connect(opts.Request))
	sockets = append(sockets, c.dealer)
	if opts.Publish != "" {
		if c.sub, err = c.zmq.NewSocket(zmq.SUB); err != nil {
			return nil, err
		}
		set.do("linger", c.sub.SetLinger(0))
		set.do("IPv6", c.sub.SetIpv6(true))
		set.do("subscribe", c.sub.SetSubscribe(""))
		set.do("connect", c.sub.Connect(opts.Publish))
		sockets = append(sockets, c.sub)
	}
	if set.err != nil {
		return nil, set.err
	}
	if c.watch, err = newWatch(sockets...); err != nil {
		return nil, err
	}
	c.exited.Go(c.run)
	return c, nil
}

// Go sends a request, as veighna.AppendRequest writes it, and returns at once. done gets the reply in the client's own goroutine, and must not block.
// An error means that the request was not sent and done will not be called.
func (c *Client) Go(request []byte, done func(reply []byte, err error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.waiting >= c.opts.InFlight {
		return fmt.Errorf("rpc: %d requests are unanswered", c.waiting)
	}
	c.waiting++
	c.unsent = append(c.unsent, outgoing{request, done})
	if len(c.unsent) == 1 {
		select {
		case c.kick <- struct{}{}:
		default: // it knows already
		}
	}
	return nil
}

// Call asks and waits for the answer, as veighna.DecodeReply returns it. What the other side refuses is a *veighna.RemoteError. When ctx ends
// first the answer is thrown away; what was asked may be done all the same.
func (c *Client) Call(ctx context.Context, call veighna.Call) (any, error) {
	type answer struct {
		reply []byte
		err   error
	}
	got := make(chan answer, 1)
	request := veighna.AppendRequest(nil, call, nil, veighna.Chinese)
	if err := c.Go(request, func(reply []byte, err error) { got <- answer{reply, err} }); err != nil {
		return nil, err
	}
	select {
	case a := <-got:
		if a.err != nil {
			return nil, a.err
		}
		return veighna.DecodeReply(a.reply, nil)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the client. Requests that are unanswered end with ErrClosed.
func (c *Client) Close() error {
	var err error
	c.stopped.Do(func() {
		close(c.stop)
		c.exited.Wait()
		c.mu.Lock()
		c.closed = true
		unsent := c.unsent
		c.unsent = nil
		c.mu.Unlock()
		for _, done := range c.sent {
			done(nil, ErrClosed)
		}
		for _, o := range unsent {
			o.done(nil, ErrClosed)
		}
		err = c.closeSockets()
	})
	return err
}

func (c *Client) closeSockets() error {
	if c.watch != nil {
		c.watch.close()
	}
	var errs []error
	for _, s := range []*zmq.Socket{c.dealer, c.sub} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if c.zmq != nil {
		errs = append(errs, c.zmq.Term())
	}
	return errors.Join(errs...)
}

func (c *Client) run() {
	woken := false
	for {
		for c.work() {
		}
		if woken {
			c.watch.rearm()
			woken = false
		}
		select {
		case <-c.watch.ready:
			woken = true
		case <-c.kick:
		case <-c.stop:
			return
		}
	}
}

// work reports whether it did anything; when not, both sockets were found empty and not touched since.
func (c *Client) work() bool {
	did := false
	for {
		frames, err := receive(c.dealer)
		if err != nil {
			break
		}
		did = true
		if len(c.sent) == 0 || len(frames) != 2 {
			continue // a rescue, or junk
		}
		done := c.sent[0]
		c.sent[0] = nil
		c.sent = c.sent[1:]
		c.mu.Lock()
		c.waiting--
		c.mu.Unlock()
		done(frames[1], nil)
	}
	for c.sub != nil {
		frames, err := receive(c.sub)
		if err != nil {
			break
		}
		did = true
		c.heard(frames)
	}
	c.mu.Lock()
	unsent := c.unsent
	c.unsent = nil
	c.mu.Unlock()
	for _, o := range unsent {
		if err := send(c.dealer, nil, o.request); err != nil {
			c.mu.Lock()
			c.waiting--
			c.mu.Unlock()
			o.done(nil, err)
			continue
		}
		c.sent = append(c.sent, o.done)
		did = true
	}
	return did
}

// heard takes a message as a VeighNa of the client's version does.
func (c *Client) heard(frames veighna.Message) {
	if c.opts.Messages != nil {
		c.opts.Messages(frames)
	}
	if c.opts.Events == nil || (len(frames) == 2) != (c.framing == veighna.From45) {
		return
	}
	e, err := veighna.DecodeEvent(frames, nil)
	if err != nil {
		return
	}
	if _, beat := e.Data.(veighna.Heartbeat); !beat && e.Data != nil {
		c.opts.Events(e)
	}
}

package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// line is a trader's pair of sockets while it is bound, and the goroutine that owns them. Fields without another word are that goroutine's.
type line struct {
	server  *Server
	trader  *trader
	limits  *Limits
	framing veighna.Framing
	log     hclog.Logger
	quiet   *quiet
	inbox   *inbox

	zmq      *zmq.Context
	requests *zmq.Socket // ROUTER
	publish  *zmq.Socket // XPUB
	zap      *zmq.Socket // REP: libzmq asks it whether a connection may be taken
	asking   *peers      // of requests
	hearing  *peers      // of publish
	watch    *watch
	// boundRequest and boundPublish are the endpoints as bound; written before the goroutine starts.
	boundRequest, boundPublish string

	clients  map[string]*client // by routing id
	byFd     map[int]*client
	slow     pool // history
	lists    pool
	rescue   *rescue
	delivery delivery
	last     batch
	now      time.Time
	scanAt   time.Time // when to look for requests that are overdue

	context context.Context //nolint:containedctx // of History; it ends with the line
	cancel  context.CancelFunc
	stop    chan struct{}
	exited  sync.WaitGroup // the goroutine, and those of slow queries
	served  served
	status  status
}

// scanEvery is how exact ReplyWithin is.
const scanEvery = 250 * time.Millisecond

// requestsAtOnce is how many requests are taken before the answers and events that wait are sent.
const requestsAtOnce = 256

// openLine binds both sockets of a trader. The error holds all that is wrong, each with the place in the configuration.
func openLine(s *Server, t *trader) (_ *line, err error) {
	l := &line{
		server: s, trader: t, limits: &s.limits, framing: t.framing,
		log: s.log.With("trader", string(t.Name)), inbox: newInbox(&s.limits),
		clients: make(map[string]*client), byFd: make(map[int]*client),
		slow:  pool{max: s.limits.Histories, waitingMax: s.limits.HistoriesWaiting},
		lists: pool{max: s.limits.Lists, waitingMax: s.limits.ListsWaiting},
		stop:  make(chan struct{}), now: time.Now(),
	}
	l.quiet = newQuiet(l.log, s.limits.LogPerMinute)
	l.context, l.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, l.closeSockets(0))
		}
	}()
	if err := l.openSockets(); err != nil {
		return nil, fmt.Errorf("traders.%s: %w", t.Name, err)
	}
	if !s.opts.NoRescue && !s.stopped { // who waited at a stop was answered
		if l.rescue, err = newRescue(l.zmq, l.requests, l.now, s.limits.RescueAfter); err != nil {
			return nil, fmt.Errorf("traders.%s: %w", t.Name, err)
		}
	}
	var wrong []error
	if l.boundRequest, err = bind(l.requests, t.Request); err != nil {
		wrong = append(wrong, fmt.Errorf("traders.%s.veighna.request: %w", t.Name, err))
	}
	if l.boundPublish, err = bind(l.publish, t.Publish); err != nil {
		wrong = append(wrong, fmt.Errorf("traders.%s.veighna.publish: %w", t.Name, err))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	l.asking.local, l.hearing.local = l.boundRequest, l.boundPublish
	if l.watch, err = newWatch(l.zap, l.asking.monitor, l.hearing.monitor, l.requests, l.publish); err != nil {
		return nil, fmt.Errorf("traders.%s: %w", t.Name, err)
	}
	l.delivery.init(l)
	return l, nil
}

func (l *line) openSockets() (err error) {
	if l.zmq, err = zmq.NewContext(); err != nil {
		return err
	}
	// The handler must be there before anybody can connect: without one libzmq lets everybody in.
	if l.zap, err = l.zmq.NewSocket(zmq.REP); err != nil {
		return err
	}
	var set setter
	set.do("linger", l.zap.SetLinger(0))
	set.do("bind", l.zap.Bind("inproc://zeromq.zap.01"))
	if set.err != nil {
		return set.err
	}
	if l.requests, err = newSocket(l.zmq, zmq.ROUTER, l.limits, "request"); err != nil {
		return err
	}
	if l.publish, err = newSocket(l.zmq, zmq.XPUB, l.limits, "publish"); err != nil {
		return err
	}
	// A reply to a client that is gone, or that has no room, must not vanish without a word. ROUTER_HANDOVER stays off: nobody takes the
	// routing id of a client that is connected.
	set.do("ROUTER_MANDATORY", l.requests.SetRouterMandatory(1))
	set.do("receive HWM", l.requests.SetRcvhwm(min(l.limits.InFlight, requestsInPipe)))
	set.do("send HWM", l.requests.SetSndhwm(l.limits.ReplyMessages))
	set.do("largest message", l.requests.SetMaxmsgsize(2*int64(l.limits.RequestBytes)))
	// NODROP makes a full subscriber known (EAGAIN) instead of silently poorer; see delivery. ZMQ_XPUB_MANUAL, with which each subscriber could be
	// addressed alone, is no way: in libzmq 4.3.4 a subscription of a peer that has just gone leaves a dangling pointer in the socket.
	set.do("XPUB_VERBOSE", l.publish.SetXpubVerbose(1))
	set.do("XPUB_NODROP", l.publish.SetXpubNodrop(true))
	set.do("send HWM", l.publish.SetSndhwm(l.limits.SubscriberMessages))
	set.do("largest message", l.publish.SetMaxmsgsize(subscriptionBytes))
	if set.err != nil {
		return set.err
	}
	if l.asking, err = watchPeers(l.zmq, l.requests, "request"); err != nil {
		return err
	}
	l.hearing, err = watchPeers(l.zmq, l.publish, "publish")
	return err
}

// requestsInPipe is how many requests of one connection libzmq reads ahead. What does not fit stays in the kernel, and then with the client.
const requestsInPipe = 128

// subscriptionBytes is the longest topic that a subscriber may name. Topics live in a tree with a node for each byte.
const subscriptionBytes = 1024

// What a token of the watch says, by the order in which the sockets were given to it.
const (
	lookZAP uint32 = 1 << iota
	lookAsking
	lookHearing
	allSockets uint32 = 1<<5 - 1
)

// run owns the sockets until stop is closed.
func (l *line) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	look, woken := allSockets, false // woken: a token was taken, so rearm
	for {
		for did := true; did; {
			l.now = time.Now()
			did = l.work(look)
			look = 0
			if woken { // even when there is more to do: events without end must not keep out who connects
				l.watch.rearm()
				woken = false
			}
			select {
			case look = <-l.watch.ready:
				did, woken = true, true
			default:
			}
		}
		l.publishStatus()
		timer.Reset(time.Until(l.nextDue()))
		select {
		case look = <-l.watch.ready:
			woken = true
		case <-l.inbox.kick:
		case <-timer.C:
		case <-l.stop:
			return
		}
	}
}

// work does what there is to do and reports whether it did anything. When it did nothing, every socket was found empty and not touched since.
// look says which of the sockets are to be looked at that speak seldom; the others always are.
func (l *line) work(look uint32) bool {
	did := false
	if look&lookZAP != 0 {
		did = l.admit()
	}
	if look&lookAsking != 0 {
		did = l.watchAsking() || did
	}
	if look&lookHearing != 0 {
		did = l.watchHearing() || did
	}
	did = l.hearSubscriptions() || did
	did = l.hearRequests() || did
	l.inbox.take(&l.last)
	for _, f := range l.last.ended {
		f()
		did = true
	}
	for _, a := range l.last.answers {
		l.settle(a)
		did = true
	}
	did = l.delivery.deliver(&l.last) || did
	return l.onTime() || did
}

// onTime does what is due now.
func (l *line) onTime() bool {
	did := false
	if !l.now.Before(l.scanAt) {
		l.scanAt = l.now.Add(scanEvery)
		did = l.scan()
	}
	if l.rescue != nil {
		did = l.rescueDue() || did
	}
	return l.delivery.onTime() || did
}

func (l *line) nextDue() time.Time {
	due := l.delivery.nextDue()
	if len(l.clients) > 0 && l.scanAt.Before(due) && l.waiting() {
		due = l.scanAt
	}
	if l.rescue != nil {
		if at, ok := l.rescue.nextDue(); ok && at.Before(due) {
			due = at
		}
	}
	return due
}

func (l *line) waiting() bool {
	for _, c := range l.clients {
		if len(c.queue) > 0 {
			return true
		}
	}
	return false
}

// start runs the line.
func (l *line) start() {
	l.publishStatus()
	l.exited.Go(l.run)
}

// close ends the line: every request that waits is answered, so that no stock client is stuck, and the last messages have a moment to get out.
func (l *line) close(farewell string) error {
	l.cancel()
	close(l.stop)
	l.exited.Wait() // for slow queries too: a Desk honours the context
	l.now = time.Now()
	l.inbox.close()
	l.inbox.take(&l.last)
	for _, a := range l.last.answers {
		l.settle(a)
	}
	for l.delivery.deliver(&l.last) {
		l.inbox.take(&l.last)
	}
	sorry := veighna.AppendReplyError(nil, "ConnectionError: "+farewell)
	for _, c := range l.clients {
		for a := range c.loose {
			a.reply = sorry // nobody else will: the inbox is closed
			c.unsent = append(c.unsent, a)
		}
		for _, a := range c.queue {
			if !a.ready {
				a.reply, a.ready = sorry, true
			}
		}
		l.flush(c)
	}
	l.delivery.farewell(farewell)
	return l.closeSockets(l.limits.Flush)
}

// closeSockets closes what is open, the watch first.
func (l *line) closeSockets(linger time.Duration) error {
	l.cancel()
	if l.watch != nil {
		l.watch.close()
	}
	var errs []error
	for _, s := range []*zmq.Socket{l.requests, l.publish} {
		if s != nil {
			// The monitor first: libzmq's own threads wait for ever where one has no reader.
			errs = append(errs, s.Monitor("", 0), s.SetLinger(linger), s.Close())
		}
	}
	for _, p := range []*peers{l.asking, l.hearing} {
		if p != nil {
			errs = append(errs, p.close())
		}
	}
	if l.zap != nil {
		errs = append(errs, l.zap.Close())
	}
	if l.zmq != nil {
		errs = append(errs, l.zmq.Term())
	}
	if l.boundRequest != "" {
		unlinkSocket(l.boundRequest)
	}
	if l.boundPublish != "" {
		unlinkSocket(l.boundPublish)
	}
	return errors.Join(errs...)
}

func (l *line) hubNow() hub.Time { return hub.TimeOf(l.now) }

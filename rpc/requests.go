package rpc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// An envelope of more or longer frames than a chain of proxies makes is junk.
const (
	envelopeFrames     = 8
	envelopeFrameBytes = 255
)

// hearRequests takes requests until there are none, or enough for now.
func (l *line) hearRequests() bool {
	for n := range requestsAtOnce {
		id, err := l.requests.RecvBytes(zmq.DONTWAIT)
		if err != nil {
			return n > 0
		}
		if err := l.hearRequest(id); err != nil {
			l.quiet.warn(l.now, "a request could not be read", "error", err)
		}
	}
	return true
}

func (l *line) hearRequest(id []byte) error {
	c := l.clients[string(id)]
	var first []byte
	var err error
	if c != nil && id[0] == 0 { // an id of libzmq's own making, which is never used again
		first, err = l.requests.RecvBytes(zmq.DONTWAIT)
	} else {
		var of map[string]string
		first, of, err = l.requests.RecvBytesWithMetadata(zmq.DONTWAIT, "__fd", "Peer-Address")
		if err == nil {
			c = l.meet(id, of)
		}
	}
	if err != nil {
		return err
	}
	frames, err := receiveRest(l.requests, first)
	if err != nil {
		return err
	}
	empty := slices.IndexFunc(frames, func(f []byte) bool { return len(f) == 0 })
	if empty < 0 {
		l.quiet.warn(l.now, "a message to the request address of "+string(l.trader.Name)+" is no request and was thrown away: the empty frame is missing",
			"peer", c.addr, "frames", len(frames), "hint", "a DEALER sends an empty frame, then the request")
		return nil
	}
	envelope, body := frames[:empty], frames[empty+1:]
	if len(envelope) > envelopeFrames || slices.ContainsFunc(envelope, func(f []byte) bool { return len(f) > envelopeFrameBytes }) {
		l.quiet.warn(l.now, "a message to the request address of "+string(l.trader.Name)+" was thrown away: too much before its empty frame", "peer", c.addr)
		return nil
	}
	a := &ask{client: c, inbox: l.inbox, since: l.now}
	if empty > 0 {
		a.envelope = envelope
	}
	l.handle(a, body)
	return nil
}

// meet finds or makes the client that a message came from.
func (l *line) meet(id []byte, of map[string]string) *client {
	fd, err := strconv.Atoi(of["__fd"])
	if err != nil {
		fd = -1
	}
	if c := l.clients[string(id)]; c != nil {
		if c.fd == fd {
			return c
		}
		l.lose(c) // it named itself, and came back by another connection
	}
	l.watchAsking() // the events of a connection come before its messages
	if old := l.byFd[fd]; old != nil && fd >= 0 {
		l.lose(old)
	}
	c := &client{id: id, fd: fd, addr: of["Peer-Address"]}
	if p := l.asking.prove(fd); p != nil && p.addr != "" {
		c.addr = p.addr
	}
	l.log.Debug("a client asks", "peer", c.addr)
	l.clients[string(id)] = c
	l.byFd[fd] = c
	if l.rescue != nil {
		c.retryUntil = l.rescue.meet(id, fd)
	}
	return c
}

// lose forgets a client that is gone. What is answered for it later is thrown away.
func (l *line) lose(c *client) {
	c.gone = true
	c.queue, c.loose, c.unsent = nil, nil, nil
	delete(l.clients, string(c.id))
	if l.byFd[c.fd] == c {
		delete(l.byFd, c.fd)
	}
}

// handle carries out a request.
func (l *line) handle(a *ask, body [][]byte) {
	c := a.client
	l.served.requests++
	inFlight := len(c.queue) + len(c.loose)
	tooMany := inFlight >= l.limits.InFlight
	deaf := inFlight >= 4*l.limits.InFlight // it sends on and on and reads nothing
	if deaf {
		a.answered.Store(true)
		l.quiet.warn(l.now, "a client asks and asks, and reads no answers: its requests are thrown away, but for cancels", "peer", c.addr, "unanswered", inFlight)
	} else {
		c.put(a)
	}
	call, err := l.read(a, body)
	if err != nil {
		l.quiet.info(l.now, "a request was not understood", "peer", c.addr, "function", a.name, "error", err)
		a.fail(traceback(a.name, err))
		return
	}
	if cancel, ok := call.(veighna.CancelOrder); ok {
		l.cancelOrder(a, cancel)
		return
	}
	switch {
	case deaf:
	case tooMany:
		a.fail(traceback(a.name, busy("%d requests of this client are unanswered; wait for their answers", inFlight)))
	case l.now.Before(c.retryUntil):
		a.fail(traceback(a.name, errRescue))
	default:
		l.carryOut(a, call)
	}
}

// read makes a call of the frames of a request.
func (l *line) read(a *ask, body [][]byte) (veighna.Call, error) {
	if len(body) != 1 {
		return nil, &veighna.CallError{Kind: "ValueError", Text: fmt.Sprintf("a request is one frame after the empty one, not %d", len(body))}
	}
	if n := len(body[0]); n > l.limits.RequestBytes {
		return nil, &veighna.CallError{Kind: "ValueError", Text: fmt.Sprintf("a request of %d bytes; %d are the most", n, l.limits.RequestBytes)}
	}
	req, err := veighna.DecodeRequest(body[0])
	if err != nil {
		return nil, err
	}
	a.name = req.Name
	return req.Bind(nil)
}

func (l *line) cancelOrder(a *ask, call veighna.CancelOrder) {
	l.server.opts.Desk.Cancel(l.trader.Name, call.Gateway, call.CancelRequest, func(err error) {
		if err != nil {
			a.fail(traceback("cancel_order", err))
			return
		}
		a.answer(none)
	})
}

// none is the reply [True, None].
var none = veighna.AppendReplyEnd(veighna.AppendNone(veighna.AppendReplyStart(nil)))

// carryOut does what was asked: at once when the Desk answers from memory, in a goroutine when it is slow or the answer is long.
func (l *line) carryOut(a *ask, call veighna.Call) {
	desk, who := l.server.opts.Desk, l.trader.Name
	switch call := call.(type) {
	case veighna.SendOrder:
		desk.Submit(who, call.Gateway, call.OrderRequest, func(gateway hub.GatewayName, id hub.OrderID, err error) {
			switch {
			case err != nil:
				a.fail(traceback("send_order", err))
			case gateway == "" || id == "":
				a.answer(reply(func(dst []byte) []byte { return veighna.AppendString(dst, "") }))
			default:
				a.answer(reply(func(dst []byte) []byte { return veighna.AppendString(dst, veighna.OrderID(gateway, id)) }))
			}
		})
	case veighna.CancelOrder:
		l.cancelOrder(a, call)
	case veighna.Subscribe:
		if err := desk.Subscribe(who, call.Gateway, call.Instrument); err != nil {
			a.fail(traceback("subscribe", err))
			return
		}
		l.trader.subscribe(call.Instrument)
		a.answer(none)
	case veighna.QueryHistory:
		l.history(a, call)
	case veighna.GetTick, veighna.GetContract, veighna.GetOrder, veighna.GetTrade, veighna.GetPosition, veighna.GetAccount:
		a.answer(reply(func(dst []byte) []byte { return l.one(dst, call) }))
	case veighna.GetAllTicks, veighna.GetAllOrders, veighna.GetAllActiveOrders, veighna.GetAllTrades, veighna.GetAllPositions,
		veighna.GetAllAccounts, veighna.GetAllContracts:
		if _, ok := call.(veighna.GetAllOrders); ok {
			l.delivery.queried()
		}
		l.list(a, call)
	}
}

func reply(result func(dst []byte) []byte) []byte {
	return veighna.AppendReplyEnd(result(veighna.AppendReplyStart(nil)))
}

func (l *line) history(a *ask, call veighna.QueryHistory) {
	c := a.client
	if c.histories >= l.limits.HistoriesPerClient {
		a.fail(traceback(a.name, busy("%d queries of history of this client are running; wait for their answers", c.histories)))
		return
	}
	ok := l.slow.start(func() {
		l.exited.Go(func() {
			defer l.inbox.putEnded(func() {
				c.histories--
				l.slow.done()
			})
			if a.answered.Load() {
				return // waited too long for its turn
			}
			ctx, cancel := context.WithDeadline(l.context, a.since.Add(l.limits.ReplyWithin))
			defer cancel()
			bars, err := l.server.opts.Desk.History(ctx, l.trader.Name, call.Gateway, call.HistoryRequest)
			if errors.Is(err, context.DeadlineExceeded) {
				err = l.tooLate()
			}
			if err != nil {
				a.fail(traceback("query_history", err))
				return
			}
			zone := l.server.zone(l.trader.Name, call.Instrument)
			a.answer(reply(func(dst []byte) []byte {
				return veighna.AppendList(dst, bars, func(dst []byte, b *hub.Bar) []byte { return veighna.AppendBar(dst, b, zone) })
			}))
		})
	})
	if !ok {
		a.fail(traceback(a.name, busy("%d queries of history are running and %d wait; try again later", l.slow.running, len(l.slow.waiting))))
		return
	}
	c.histories++
}

func (l *line) list(a *ask, call veighna.Call) {
	ok := l.lists.start(func() {
		l.exited.Go(func() {
			defer l.inbox.putEnded(l.lists.done)
			if !a.answered.Load() {
				a.answer(reply(func(dst []byte) []byte { return l.all(dst, call) }))
			}
		})
	})
	if !ok {
		a.fail(traceback(a.name, busy("%d lists are asked for at once; try again later", l.lists.running+len(l.lists.waiting))))
	}
}

// busy is a refusal that has nothing to do with what was asked.
func busy(format string, args ...any) error {
	return &veighna.CallError{Kind: "BusyError", Text: fmt.Sprintf(format, args...)}
}

// traceback is the text of an error as a Python programmer expects it, the reason in its last line.
func traceback(function string, err error) string {
	reason := "RuntimeError: " + err.Error()
	if call := (*veighna.CallError)(nil); errors.As(err, &call) {
		reason = call.Error()
	} else if function == "" {
		reason = "UnpicklingError: " + err.Error()
	}
	if len(function) > 64 {
		function = "request"
	}
	return "Traceback (most recent call last):\n  hub, in " + function + "\n" + reason + "\n"
}

// put adds a request to those that wait for their answers.
func (c *client) put(a *ask) {
	if a.envelope == nil {
		c.queue = append(c.queue, a)
		return
	}
	if c.loose == nil {
		c.loose = make(map[*ask]struct{})
	}
	c.loose[a] = struct{}{}
}

// settle sends the answer of a request, when it is its turn.
func (l *line) settle(a *ask) {
	c := a.client
	if c.gone {
		return
	}
	a.ready = true
	if c.held > l.limits.HeldBytes {
		a.reply = veighna.AppendReplyError(nil, traceback(a.name, busy("%d bytes of answers wait for this client", c.held)))
	}
	c.held += len(a.reply)
	if a.envelope != nil {
		if _, ok := c.loose[a]; !ok {
			return
		}
		delete(c.loose, a)
		c.unsent = append(c.unsent, a)
	}
	if !c.full {
		l.flush(c)
	}
}

// flush sends the answers whose turn it is: those with an envelope as they come, the others in the order of the requests.
func (l *line) flush(c *client) {
	c.full = false
	for len(c.unsent) > 0 {
		if !l.sendAnswer(c, c.unsent[0]) {
			return
		}
		c.unsent[0] = nil
		c.unsent = c.unsent[1:]
	}
	for len(c.queue) > 0 && c.queue[0].ready {
		if !l.sendAnswer(c, c.queue[0]) {
			return
		}
		c.queue[0] = nil
		c.queue = c.queue[1:]
	}
}

// sendAnswer reports whether there is no more to do for a.
func (l *line) sendAnswer(c *client, a *ask) bool {
	frames := make([][]byte, 0, 3+envelopeFrames)
	frames = append(append(append(frames, c.id), a.envelope...), nil, a.reply)
	err := send(l.requests, frames...)
	switch {
	case err == nil:
		c.held -= len(a.reply)
		return true
	case again(err):
		c.full = true
		l.quiet.info(l.now, "a client does not read its answers", "peer", c.addr, "waiting", len(c.queue)+len(c.unsent))
		return false
	case unreachable(err):
		l.lose(c)
		return false
	default:
		l.quiet.warn(l.now, "an answer could not be sent", "peer", c.addr, "error", err)
		c.held -= len(a.reply)
		return true
	}
}

// scan answers what is overdue, and tries again where there was no room.
func (l *line) scan() bool {
	overdue := l.now.Add(-l.limits.ReplyWithin)
	did := false
	expire := func(a *ask) {
		if a.since.Before(overdue) && !a.answered.Load() {
			a.fail(traceback(a.name, l.tooLate()))
			l.quiet.warn(l.now, "a request was not answered in time", "peer", a.client.addr, "function", a.name)
			did = true
		}
	}
	for _, c := range l.clients {
		for _, a := range c.queue {
			expire(a)
		}
		for a := range c.loose {
			expire(a)
		}
		if c.full {
			l.flush(c)
			did = true
		}
	}
	return did
}

func (l *line) tooLate() error {
	return &veighna.CallError{Kind: "TimeoutError", Text: "the hub did not answer within " + l.limits.ReplyWithin.String()}
}

// counter reads the number in a routing id that libzmq made.
func counter(id []byte) (uint32, bool) {
	if len(id) != 5 || id[0] != 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(id[1:]), true
}

func routingID(n uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0}, n)
}

// rescueWindow is how long requests may cross a rescue.
const rescueWindow = 200 * time.Millisecond

package rpc

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// delivery sends what is published on a line to its subscribers. Only the owner of the line uses it.
//
// Private events (orders, trades, positions, account, contracts, log lines) must not get lost without a word; ticks may, since the next one says
// it all. A subscriber that does not read first fills its machine's buffers, then the hub's kernel's: ticks are then sent at most once per
// contract and ConflateEvery. If it reads on, nothing is lost but ticks between. If it reads nothing at all for PingTimeout, libzmq ends the connection,
// because the answers to its pings do not come. If before that its queue in libzmq is full, events pass it by: that is counted, logged,
// alerted, and told to the trader as soon as it reads again. Other subscribers of the line are not held up by any of this.
type delivery struct {
	line        *line
	subscribers map[int]*subscriber // by descriptor

	beatAt, hintAt, sampleAt, conflateAt time.Time
	sent                                 bool // something, since the last sample
	// account is what is still to be told of the trader's account, not before accountAt.
	account   func() veighna.Publication
	accountAt time.Time
	// held are the ticks that wait while somebody is slow.
	held       []*tick
	conflating bool
	full       *overflow
	// private counts private events, so that who was away can be told how many went by.
	private       uint64
	interruptions []interruption
	doubts        []doubt
	queriedAt     time.Time
	greeted       bool
}

// subscriber is a connection to the publish address that has subscribed.
type subscriber struct {
	*peer
	behindSince time.Time
	behind      bool
}

// overflow is the time in which libzmq has no room for a subscriber.
type overflow struct {
	since time.Time
	lost  uint64
}

// interruption is a subscriber that left.
type interruption struct {
	ip      string
	at      time.Time
	private uint64
}

// doubt is a subscriber that may be one that was interrupted.
type doubt struct {
	fd     int
	due    time.Time
	since  time.Time
	events uint64
	away   time.Duration
}

const (
	sampleEvery = 250 * time.Millisecond
	// interruptionsMax and interruptedFor bound what is remembered of subscribers that left.
	interruptionsMax = 64
	interruptedFor   = 15 * time.Minute
)

func (d *delivery) init(l *line) {
	d.line = l
	d.subscribers = make(map[int]*subscriber)
	d.beatAt = l.now.Add(l.limits.Heartbeat)
	d.hintAt = l.now.Add(l.limits.HintEvery)
	d.welcome()
}

// welcome makes the hint the first thing that a subscriber gets. That is needed where a 4.4 is taken for a 4.5: it dies of the first event.
func (d *delivery) welcome() {
	l := d.line
	if l.framing != veighna.From45 {
		return
	}
	if hint := d.hint(); len(hint) == 1 && len(hint[0]) == 1 {
		if err := l.publish.SetXpubWelcomeMsg(string(hint[0][0])); err != nil {
			l.quiet.warn(l.now, "the hint of a wrong version cannot be set", "error", err)
		}
	}
}

func (d *delivery) hint() []veighna.Message {
	l := d.line
	return l.framing.Hint(&veighna.Log{
		Gateway: serviceName, Text: veighna.HintText(l.trader.Version, l.trader.Language), Level: veighna.LevelError, Time: l.hubNow(),
	}, nil, l.hubNow())
}

// serviceName is what VeighNa's service calls itself in its log lines.
const serviceName = "RpcService"

// hearSubscriptions takes what subscribers say.
func (l *line) hearSubscriptions() bool {
	did := false
	for {
		state, err := l.publish.GetEvents() // cheaper than a receive that fails
		if err != nil || state&zmq.POLLIN == 0 {
			return did
		}
		did = true
		topic, of, err := l.publish.RecvBytesWithMetadata(zmq.DONTWAIT, "__fd")
		if err != nil {
			return did
		}
		if rest, err := receiveRest(l.publish, topic); err != nil || len(rest) > 1 || len(topic) == 0 || topic[0] > 1 {
			l.quiet.warn(l.now, "a message to the publish address of "+string(l.trader.Name)+" was thrown away: nothing but subscriptions is heard there")
			continue
		}
		if fd, err := strconv.Atoi(of["__fd"]); err == nil && topic[0] == 1 {
			l.delivery.joined(fd, string(topic[1:]))
		}
	}
}

// joined notes a subscription.
func (d *delivery) joined(fd int, topic string) {
	l := d.line
	if d.subscribers[fd] == nil {
		l.watchHearing() // the events of a connection come before its messages
	}
	p := l.hearing.prove(fd)
	if p == nil {
		return // gone
	}
	if topic != "" {
		l.quiet.info(l.now, "a subscriber of "+string(l.trader.Name)+" asked for a topic; events have the topic \"\", and only who subscribes to that gets them",
			"peer", p.addr, "topic", fmt.Sprintf("%q", topic))
	}
	if d.subscribers[fd] != nil {
		return
	}
	d.subscribers[fd] = &subscriber{peer: p}
	l.log.Debug("a client subscribed", "peer", p.addr)
	if l.framing == veighna.UpTo44 {
		d.sendAll(d.hint(), false)
	}
	if !d.greeted {
		d.greeted = true
		d.sendLine(textStarted(l.trader.Language))
	}
	d.missed(p)
}

// missed sees whether a new subscriber may be one that was away.
func (d *delivery) missed(p *peer) {
	l := d.line
	for i, was := range d.interruptions {
		if was.ip != p.ip() {
			continue
		}
		d.interruptions = append(d.interruptions[:i], d.interruptions[i+1:]...)
		if events := d.private - was.private; events > 0 && l.now.Sub(was.at) < interruptedFor {
			d.doubts = append(d.doubts, doubt{p.fd, l.now.Add(l.limits.QueryWithin), l.now, events, l.now.Sub(was.at)})
		}
		return
	}
}

// queried notes that a program on this line asked for its orders.
func (d *delivery) queried() { d.queriedAt = d.line.now }

// left notes that a connection ended.
func (d *delivery) left(end *ending) {
	if d.subscribers[end.fd] == nil {
		return
	}
	delete(d.subscribers, end.fd)
	if len(d.interruptions) >= interruptionsMax {
		d.interruptions = d.interruptions[1:]
	}
	d.interruptions = append(d.interruptions, interruption{end.ip(), d.line.now, d.private})
}

// deliver sends a batch.
func (d *delivery) deliver(b *batch) bool {
	l := d.line
	if b.eventsLost > 0 {
		l.log.Error("events were dropped: more came than could be sent", "events", b.eventsLost)
		l.server.alert(fmt.Sprintf("%d events of %s were dropped: more came than could be sent", b.eventsLost, l.trader.Name))
		d.private += b.eventsLost
		d.sendLine(textOverflow(l.trader.Language, b.eventsLost))
	}
	l.served.ticksMerged += b.ticksMerged
	events, ticks := b.nextEvents(eventsAtOnce), b.nextTicks(eventsAtOnce)
	d.private += uint64(len(events))
	l.served.events += uint64(len(events))
	l.served.ticks += uint64(len(ticks))
	heard := len(l.hearing.byFd) > 0
	if heard {
		for _, e := range events {
			d.sendAll(l.framing.Publish(e.encode(), l.hubNow()), true)
		}
	}
	if b.account != nil {
		d.account, b.account = b.account, nil
		d.deliverAccount()
	}
	if heard {
		for _, p := range b.lines {
			d.sendAll(l.framing.Publish(p, l.hubNow()), false)
		}
		d.deliverTicks(ticks)
	}
	return len(events)+len(b.lines)+len(ticks) > 0 || b.eventsLost > 0
}

// eventsAtOnce is how many events and ticks are sent before requests and answers have their turn again.
const eventsAtOnce = 64

// deliverAccount sends the newest account when its time has come.
func (d *delivery) deliverAccount() bool {
	l := d.line
	if d.account == nil || l.now.Before(d.accountAt) {
		return false
	}
	encode := d.account
	d.account, d.accountAt = nil, l.now.Add(l.limits.AccountEvery)
	d.private++
	l.served.events++
	if len(l.hearing.byFd) == 0 {
		return false
	}
	d.sendAll(l.framing.Publish(encode(), l.hubNow()), true)
	return true
}

func (d *delivery) deliverTicks(ticks []*tick) {
	if d.conflating {
		before := len(d.held) + len(ticks)
		d.held = newest(append(d.held, ticks...))
		d.line.served.ticksMerged += uint64(before - len(d.held))
		return
	}
	for _, t := range ticks {
		d.sendAll(t.messages(d.line.framing), false)
	}
}

// sendAll sends the messages of one thing. private: it is an event that is counted when it passes somebody by.
func (d *delivery) sendAll(messages []veighna.Message, private bool) {
	for _, m := range messages {
		d.send(m)
	}
	d.sent = true
	if d.full != nil && private {
		d.full.lost++
		d.line.served.eventsMissed++
	}
}

// send sends one message to all who have room for it.
func (d *delivery) send(m veighna.Message) {
	l := d.line
	missed := false
	for i, frame := range m {
		flags := zmq.DONTWAIT
		if i < len(m)-1 {
			flags |= zmq.SNDMORE
		}
		_, err := l.publish.SendBytes(frame, flags)
		if again(err) && !missed {
			// NODROP refuses the message to all, since one has no room. Without it that one is passed by, and stays so until it has read half.
			missed = true
			d.overflowed()
			err = l.publish.SetXpubNodrop(false)
			if err == nil {
				_, err = l.publish.SendBytes(frame, flags)
			}
		}
		if err != nil {
			l.quiet.say(hclog.Error, l.now, "an event could not be sent", "error", err)
			break
		}
	}
	if missed {
		if err := l.publish.SetXpubNodrop(true); err != nil {
			l.quiet.say(hclog.Error, l.now, "an event could not be sent", "error", err)
		}
	}
}

// overflowed notes that somebody is full.
func (d *delivery) overflowed() {
	l := d.line
	if d.full != nil {
		return
	}
	d.full = &overflow{since: l.now}
	slowest := ""
	for _, s := range d.subscribers {
		if s.behind || s.backlogBytes() > 0 {
			slowest = s.addr
		}
	}
	text := fmt.Sprintf("a subscriber of %s does not read: its queue is full, and events pass it by", l.trader.Name)
	if l.quiet.say(hclog.Error, l.now, text, "peer", slowest, "messages", l.limits.SubscriberMessages) {
		l.server.alert(text)
	}
}

// onTime does what is due.
func (d *delivery) onTime() bool {
	l := d.line
	did := false
	did = d.deliverAccount()
	if !l.now.Before(d.beatAt) {
		d.beatAt = l.now.Add(l.limits.Heartbeat)
		did = d.broadcast(l.framing.Heartbeat(l.hubNow())) || did
	}
	if !l.now.Before(d.hintAt) {
		d.hintAt = l.now.Add(l.limits.HintEvery)
		d.welcome()
		did = d.broadcast(d.hint()) || did
	}
	if d.sampling() && !l.now.Before(d.sampleAt) {
		d.sampleAt = l.now.Add(sampleEvery)
		did = d.sample() || did
	}
	if len(d.held) > 0 && (!d.conflating || !l.now.Before(d.conflateAt)) {
		d.conflateAt = l.now.Add(l.limits.ConflateEvery)
		for _, t := range d.held {
			d.sendAll(t.messages(l.framing), false)
		}
		clear(d.held)
		d.held = d.held[:0]
		did = true
	}
	for len(d.doubts) > 0 && !l.now.Before(d.doubts[0].due) {
		did = d.settleDoubt(d.doubts[0]) || did
		d.doubts = d.doubts[1:]
	}
	return did
}

// broadcast sends what is for whoever is there.
func (d *delivery) broadcast(messages []veighna.Message) bool {
	if len(d.line.hearing.byFd) == 0 || len(messages) == 0 {
		return false
	}
	d.sendAll(messages, false)
	return true
}

func (d *delivery) settleDoubt(q doubt) bool {
	l := d.line
	if d.subscribers[q.fd] == nil {
		return false
	}
	if !d.queriedAt.Before(q.since) {
		l.log.Debug("a subscriber came back, or was just started, and queried its orders", "peer", d.subscribers[q.fd].addr)
		return false
	}
	l.quiet.info(l.now, "a subscriber came back and did not query again; it was told that it may have missed events", "peer", d.subscribers[q.fd].addr,
		"events", q.events, "away", q.away)
	return d.broadcast(l.framing.Publish(veighna.LogEvent(&veighna.Log{
		Gateway: serviceName, Text: textInterrupted(l.trader.Language, q.events, q.away), Level: veighna.LevelWarning, Time: l.hubNow(),
	}, nil), l.hubNow()))
}

// sampling reports whether the subscribers' backlog is to be looked at.
func (d *delivery) sampling() bool {
	return len(d.subscribers) > 0 && (d.sent || d.conflating) || d.full != nil
}

// sample sees who is slow.
func (d *delivery) sample() bool {
	l := d.line
	d.sent = false
	slow, waiting := false, false
	for _, s := range d.subscribers {
		n := s.backlogBytes()
		waiting = waiting || n > 0
		if n < l.limits.BehindBytes {
			s.behindSince, s.behind = time.Time{}, false
			continue
		}
		if s.behindSince.IsZero() {
			s.behindSince = l.now
		}
		if !s.behind && l.now.Sub(s.behindSince) >= l.limits.BehindFor {
			s.behind = true
			l.quiet.warn(l.now, "a subscriber of "+string(l.trader.Name)+" reads too slowly: ticks are thinned out", "peer", s.addr, "bytes_behind", n,
				"hint", "its program is busy or stopped, or the network is slow")
		}
		slow = slow || s.behind
		d.sent = true // look again
	}
	did := false
	if d.conflating != slow {
		d.conflating = slow
		did = true
	}
	if d.full != nil && !waiting {
		did = d.recovered() || did
	}
	return did
}

// recovered tells what passed by whom, now that nothing waits for anybody any more.
func (d *delivery) recovered() bool {
	l := d.line
	over := d.full
	d.full = nil
	away := l.now.Sub(over.since)
	l.log.Warn("no subscriber's queue is full any more", "for", away.Round(time.Millisecond), "events_passed_by", over.lost)
	if over.lost == 0 {
		return false
	}
	return d.broadcast(l.framing.Publish(veighna.LogEvent(&veighna.Log{
		Gateway: serviceName, Text: textLost(l.trader.Language, over.lost, away), Level: veighna.LevelError, Time: l.hubNow(),
	}, nil), l.hubNow()))
}

func (d *delivery) nextDue() time.Time {
	due := d.beatAt
	earlier := func(at time.Time) {
		if at.Before(due) {
			due = at
		}
	}
	earlier(d.hintAt)
	if d.account != nil {
		earlier(d.accountAt)
	}
	if d.sampling() {
		earlier(d.sampleAt)
	}
	if len(d.held) > 0 {
		earlier(d.conflateAt)
	}
	if len(d.doubts) > 0 {
		earlier(d.doubts[0].due)
	}
	return due
}

// sendLine sends one of the service's own lines, as stock does.
func (d *delivery) sendLine(text string) {
	d.broadcast(d.line.framing.Publish(serviceLine(text, d.line.hubNow()), d.line.hubNow()))
}

func serviceLine(text string, now hub.Time) veighna.Publication {
	line := veighna.Log{Gateway: serviceName, Text: text, Level: veighna.LevelInfo, Time: now}
	return veighna.Publication{Types: []string{veighna.EventRpcLog}, Body: veighna.AppendLog(nil, &line, nil)}
}

// farewell is the last line of a service that is stopped.
func (d *delivery) farewell(text string) {
	d.accountAt = time.Time{}
	d.deliverAccount()
	d.sendLine(text)
}

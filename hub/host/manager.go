package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/pluginpb"
)

// judgement is one candidate with all managers.
type judgement struct {
	verdicts []hub.Verdict
	left     atomic.Int32
	done     func([]hub.Verdict)
}

func newJudgement(managers int, done func([]hub.Verdict)) *judgement {
	j := &judgement{verdicts: make([]hub.Verdict, managers), done: done}
	j.left.Store(int32(managers))
	return j
}

// settle takes the verdict of one manager; the last one calls done.
func (j *judgement) settle(i int, v hub.Verdict) {
	j.verdicts[i] = v
	if j.left.Add(-1) == 0 {
		j.done(j.verdicts)
	}
}

// asked is a candidate with one manager.
type asked struct {
	candidate *hub.Candidate
	judgement *judgement
	index     int // of the manager in the judgement
	at        time.Time
	settled   bool // the manager's mu
}

// managerCommand is one thing to be sent to a manager.
type managerCommand struct {
	candidate *hub.Candidate
	event     *hub.RiskEvent
	book      *hub.RiskBook
	more      bool // another part of the book follows
	other     *pluginpb.RiskCommand
}

// phase is how far a manager's process has come.
type phase uint8

const (
	phaseDown  phase = iota
	phaseBook        // it waits for its book
	phaseBegun       // it has its book and is told what happens; it does not judge yet
	phaseUp          // it judges
)

// manager is one risk manager through all its processes.
type manager struct {
	*unit
	name     string
	deadline time.Duration

	mu       sync.Mutex // guards what follows; taken before the lane's own
	lane     *lane[managerCommand]
	talk     *talk
	phase    phase
	reason   string // why it does not judge
	toldDown string // the reason that the hub was told last
	pending  map[uint64]*asked
	line     []*asked // as asked: the deadline of the first is the next one
	timer    *time.Timer
	armed    bool
	life     uint64 // counts processes, so that an old one's book is told from the new one's
}

func newManager(h *Host, config PluginConfig) *manager {
	if config.Deadline == 0 {
		config.Deadline = DeadlineDefault
	}
	m := &manager{
		unit:     newUnit(h, plugins.KindRiskManager, config),
		name:     config.Name,
		deadline: config.Deadline,
		reason:   "it is starting",
		pending:  map[uint64]*asked{},
	}
	m.timer = time.AfterFunc(time.Hour, m.expire)
	m.timer.Stop()
	m.session = m
	return m
}

func weighManager(c managerCommand) int {
	switch {
	case c.candidate != nil:
		return 1 + len(c.candidate.Request.Reference)/1024
	case c.book != nil:
		return batchMax / 4
	case c.event != nil && (len(c.event.Contracts) > 0 || len(c.event.Marks) > 0):
		return batchMax / 4
	default:
		return 1
	}
}

func (c managerCommand) wire() *pluginpb.RiskCommand {
	switch {
	case c.candidate != nil:
		return &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Judge{Judge: pluginpb.CandidateOf(*c.candidate)}}
	case c.event != nil:
		return &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Observe{Observe: pluginpb.EventOf(*c.event)}}
	case c.book != nil:
		return &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Book{Book: pluginpb.BookOf(*c.book, c.more)}}
	default:
		return c.other
	}
}

// judge asks the manager, or says no in its name.
func (m *manager) judge(candidate *hub.Candidate, j *judgement, index int) {
	a := &asked{candidate: candidate, judgement: j, index: index, at: time.Now()}
	if no := m.ask(a); no != "" {
		m.settle(a, false, no)
	}
}

// ask puts a candidate into the queue; what it returns is why not.
func (m *manager) ask(a *asked) (no string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.phase != phaseUp:
		return m.isDown()
	case m.pending[a.candidate.Ask] != nil:
		return "it was asked the same twice"
	case !m.lane.put(managerCommand{candidate: a.candidate}):
		return fmt.Sprintf("it is too slow: %d orders and events wait for it", ManagerQueueMax)
	}
	m.pending[a.candidate.Ask] = a
	m.line = append(m.line, a)
	if !m.armed {
		m.armed = true
		m.timer.Reset(m.deadline)
	}
	return ""
}

func (m *manager) isDown() string {
	if m.phase == phaseBook || m.phase == phaseBegun {
		return "is starting"
	}
	return "is down: " + m.reason
}

// settle ends a candidate's wait. It is called without the lock, once for each.
func (m *manager) settle(a *asked, pass bool, reason string) {
	a.judgement.settle(a.index, hub.Verdict{Manager: m.name, Pass: pass, Reason: reason, Took: time.Since(a.at)})
}

// expire says no to everyone who has waited for too long. Deadlines are all of one length, so the first in line is the next to expire.
// An answer may still come; it is then no longer wanted, and only forgotten.
func (m *manager) expire() {
	m.mu.Lock()
	now := time.Now()
	var late []*asked
	n := 0
	for ; n < len(m.line); n++ {
		a := m.line[n]
		if a.settled {
			continue
		}
		if left := m.deadline - now.Sub(a.at); left > 0 {
			m.timer.Reset(left)
			break
		}
		a.settled = true
		late = append(late, a)
	}
	m.line = remaining(m.line, n)
	m.armed = len(m.line) > 0
	m.mu.Unlock()
	for _, a := range late {
		m.settle(a, false, fmt.Sprintf("no answer within %s", m.deadline))
	}
}

// observe tells the manager what happened.
func (m *manager) observe(event hub.RiskEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.phase < phaseBegun { // the book will have it
		return
	}
	for _, part := range pluginpb.SplitEvent(event) {
		if !m.lane.put(managerCommand{event: &part}) {
			m.loseTheWay(fmt.Errorf("it is too slow: %d orders and events waited for it", ManagerQueueMax))
			return
		}
	}
}

// loseTheWay ends a session in which the manager no longer knows what happened.
func (m *manager) loseTheWay(err error) {
	m.phase, m.reason = phaseDown, err.Error()
	m.talk.breakOff(err)
}

// deliver gives a process its book. Everything observed before is in it, and everything observed after it is told.
func (m *manager) deliver(life uint64, book hub.RiskBook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life != life || m.phase != phaseBook {
		return // another process's, or twice
	}
	m.phase = phaseBegun
	m.talk.startWithin(2 * m.host.options.Times.GatewayBusy)
	parts := pluginpb.SplitBook(book)
	commands := make([]managerCommand, len(parts))
	for i := range parts {
		commands[i] = managerCommand{book: &parts[i], more: i < len(parts)-1}
	}
	m.lane.putFirst(commands...)
}

// run is one session.
func (m *manager) run(p *process) error {
	remote, is := p.remote.(pluginpb.RiskServiceClient)
	if !is {
		return fmt.Errorf("go-plugin gave a %T", p.remote)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := remote.Session(ctx)
	if err != nil {
		return &brokenError{err}
	}
	l := newLane(ManagerQueueMax, managerWindow, weighManager)
	t := newTalk(p, m.host.options.Times.ManagerBusy)
	var batch []managerCommand
	t.send = func() (bool, error) {
		var more bool
		if batch, more = l.take(batch[:0]); !more {
			return false, nil
		}
		wire := &pluginpb.RiskCommands{Commands: make([]*pluginpb.RiskCommand, len(batch))}
		for i, command := range batch {
			wire.Commands[i] = command.wire()
		}
		clear(batch)
		return true, stream.Send(wire)
	}
	t.receive = func() (func() error, error) {
		answers, err := stream.Recv()
		return func() error { return m.handle(t, l, answers) }, err
	}
	t.ping = func(id uint64) {
		l.putFirst(managerCommand{other: &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Ping{Ping: &pluginpb.Ping{Id: id}}}})
	}
	t.closing = func() {
		m.goDown("the hub is stopping", true)
		l.end(managerCommand{other: &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Close{Close: &pluginpb.Close{}}}})
	}
	t.tick = func(time.Time) {}
	t.cancel = func() { m.leave(l); cancel() }
	m.enter(l, t, p)
	return t.run()
}

// enter begins a session: the plugin hears who it is, and the hub is asked for the book.
func (m *manager) enter(l *lane[managerCommand], t *talk, p *process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lane, m.talk, m.phase = l, t, phaseBook
	m.life++
	life := m.life
	l.putFirst(managerCommand{other: &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Start{Start: p.startOf(managerWindow)}}})
	m.inbox.own(func(e Events) {
		e.ManagerNeedsBook(m.name, func(book hub.RiskBook) { m.deliver(life, book) })
	})
}

// leave ends a session: who waits for a verdict hears no.
func (m *manager) leave(l *lane[managerCommand]) {
	reason := "its process is gone"
	if m.unit.stopping() {
		reason = "the hub is stopping"
	}
	m.goDown(reason, true)
	l.close()
}

// down is told by the supervisor, with the best words for the reason.
func (m *manager) down(reason string) { m.goDown(reason, m.unit.stopping()) }

// goDown says no to everyone who waits, and from now on. The hub is told, unless quietly.
func (m *manager) goDown(reason string, quietly bool) {
	m.mu.Lock()
	if m.phase != phaseDown || !quietly { // else a better reason is there already
		m.reason = reason
	}
	m.phase = phaseDown
	waiting := slices.Collect(func(yield func(*asked) bool) {
		for _, a := range m.line {
			if !a.settled && !yield(a) {
				return
			}
		}
	})
	for _, a := range waiting {
		a.settled = true
	}
	m.line = nil
	clear(m.pending)
	no := m.isDown()
	if !quietly && m.toldDown != reason {
		m.toldDown = reason
		m.inbox.own(func(e Events) { e.ManagerDown(m.name, reason) })
	}
	m.mu.Unlock()
	for _, a := range waiting {
		m.settle(a, false, no)
	}
}

// handle takes what a manager said. Any error ends the session: a manager that speaks nonsense is not to be believed.
func (m *manager) handle(t *talk, l *lane[managerCommand], answers *pluginpb.RiskAnswers) error {
	if err := l.acknowledge(answers.GetTaken()); err != nil {
		return garbage(err)
	}
	for _, answer := range answers.GetAnswers() {
		if err := m.answer(t, answer); err != nil {
			return err
		}
	}
	return nil
}

func (m *manager) answer(t *talk, answer *pluginpb.RiskAnswer) error {
	switch a := answer.GetAnswer().(type) {
	case *pluginpb.RiskAnswer_Verdict:
		return m.onVerdict(a.Verdict)
	case *pluginpb.RiskAnswer_Numbers:
		return m.onNumbers(a.Numbers)
	case *pluginpb.RiskAnswer_Pong:
		return t.onPong(a.Pong)
	case *pluginpb.RiskAnswer_Started:
		t.startWithin(0)
		m.unit.began(a.Started.GetVersion())
		return m.onStarted()
	case *pluginpb.RiskAnswer_Failed:
		return errors.New(a.Failed.GetReason())
	case *pluginpb.RiskAnswer_Closed:
		t.closed.Store(true)
		m.unit.ended(a.Closed.GetError())
		return nil
	default:
		return garbage(errors.New("an answer without content"))
	}
}

func (m *manager) onVerdict(v *pluginpb.Verdict) error {
	m.mu.Lock()
	a := m.pending[v.GetAsk()]
	if a == nil {
		down := m.phase != phaseUp
		m.mu.Unlock()
		if down { // it went down meanwhile: everyone has heard no
			return nil
		}
		return garbage(fmt.Errorf("a verdict about candidate %d, which it was not asked about or has answered before", v.GetAsk()))
	}
	delete(m.pending, v.GetAsk())
	late := a.settled
	a.settled = true
	m.mu.Unlock()
	if late {
		return nil
	}
	reason := v.GetReason()
	if !v.GetPass() && reason == "" {
		reason = "refused without a reason"
	}
	m.settle(a, v.GetPass(), reason)
	return nil
}

func (m *manager) onNumbers(wire *pluginpb.Numbers) error {
	numbers, err := wire.Hub()
	if err != nil {
		return garbage(err)
	}
	m.inbox.push(func(e Events) { e.Numbers(m.name, numbers) })
	return nil
}

func (m *manager) onStarted() error {
	m.mu.Lock()
	if m.phase != phaseBegun {
		begun := m.phase
		m.mu.Unlock()
		if begun == phaseDown {
			return nil
		}
		return garbage(errors.New("it said that it started before it had its book, or twice"))
	}
	m.phase, m.reason, m.toldDown = phaseUp, "", ""
	m.mu.Unlock()
	m.unit.is(Up, "")
	m.log.Info("risk manager is up")
	m.inbox.own(func(e Events) { e.ManagerUp(m.name) })
	return nil
}

func (m *manager) lengths() (waiting, underway int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lane == nil {
		return 0, 0
	}
	return m.lane.lengths()
}

package plugins

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"tradehub/hub"
	"tradehub/plugins/pluginpb"
)

// numbersEvery is how often a manager is asked for its numbers, when something happened since; numbersAtLeast when nothing did.
const (
	numbersEvery   = 250 * time.Millisecond
	numbersAtLeast = 5 * time.Second
)

// riskServer turns the hub's stream into calls of a RiskManager.
type riskServer struct {
	pluginpb.UnimplementedRiskServiceServer
	manager RiskManager
	process process
	once    once
}

// Session is the life of the manager: this goroutine reads, one calls the author in order, one sends.
func (s *riskServer) Session(stream riskStream) error {
	if err := s.once.take(); err != nil {
		return err
	}
	r := &riskRun{manager: s.manager, process: s.process, closed: make(chan struct{})}
	return r.run(stream)
}

type riskStream = grpc.BidiStreamingServer[pluginpb.RiskCommands, pluginpb.RiskAnswers]

// riskRun is one session.
type riskRun struct {
	manager  RiskManager
	process  process
	env      Env
	book     hub.RiskBook
	out      *outbox[*pluginpb.RiskAnswer]
	commands chan *pluginpb.RiskCommand // counted commands, in order, after the whole book
	begun    bool                       // the book is whole, and work has begun; read's own
	busy     busy
	gone     atomic.Bool
	closed   chan struct{} // the author's Close has returned

	told   []hub.Number // the numbers that the hub knows; work's own, like those below
	toldAt time.Time
	news   bool // something happened since
}

func (r *riskRun) run(stream riskStream) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if len(first.GetCommands()) == 0 || first.GetCommands()[0].GetStart() == nil {
		return errors.New("the first command must be Start")
	}
	start := first.GetCommands()[0].GetStart()
	if r.env, err = r.process.env(start); err != nil {
		return err
	}
	r.out = newOutbox(start.GetWindow(), func(*pluginpb.RiskAnswer) int { return 1 })
	r.commands = make(chan *pluginpb.RiskCommand, start.GetWindow())
	sent := make(chan error, 1)
	go func() { sent <- r.send(stream) }()

	err = r.read(stream, first.GetCommands()[1:])
	if !r.begun {
		r.out.put(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Closed{Closed: &pluginpb.Closed{}}})
		r.out.end()
		close(r.closed)
	}
	close(r.commands)
	if err != nil { // the hub is gone, or speaks nonsense
		r.gone.Store(true)
		r.out.drop()
		r.process.gone(r.closed)
		return err
	}
	return <-sent
}

// read takes commands until Close (nil) or the end of the stream (an error).
func (r *riskRun) read(stream riskStream, commands []*pluginpb.RiskCommand) error {
	for {
		for _, command := range commands {
			if command.GetClose() != nil {
				return nil
			}
			if err := r.route(command); err != nil {
				return err
			}
		}
		next, err := stream.Recv()
		if err != nil {
			return err
		}
		commands = next.GetCommands()
	}
}

func (r *riskRun) route(command *pluginpb.RiskCommand) error {
	switch c := command.GetCommand().(type) {
	case *pluginpb.RiskCommand_Ping:
		r.out.putFirst(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Pong{Pong: r.busy.pong(c.Ping.GetId())}})
		return nil
	case *pluginpb.RiskCommand_Book:
		if err := c.Book.AppendTo(&r.book); err != nil || c.Book.GetMore() {
			return err
		}
		r.begun = true
		go r.work()
		return nil
	}
	select {
	case r.commands <- command:
		return nil
	default:
		return fmt.Errorf("the hub sent more than %d commands ahead", cap(r.commands))
	}
}

// work calls the author in order, from Start to Close.
func (r *riskRun) work() {
	defer close(r.closed)
	r.busy.in(callStart)
	if err := r.manager.Start(r.env, r.book); err != nil {
		r.fail(err)
		r.out.end()
		return
	}
	r.out.put(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Started{Started: &pluginpb.Started{Version: version()}}})
	r.numbers()
	r.busy.idle()
	r.follow()
	r.busy.in(callClose)
	closed := &pluginpb.Closed{}
	if err := r.manager.Close(); err != nil {
		closed.Error = valid(err.Error())
	}
	r.out.put(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Closed{Closed: closed}})
	r.out.end()
}

func (r *riskRun) fail(err error) {
	r.out.put(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Failed{Failed: &pluginpb.Failed{Reason: valid(err.Error())}}})
}

// follow does what the hub says until there is nothing more.
func (r *riskRun) follow() {
	ticker := time.NewTicker(numbersEvery)
	defer ticker.Stop()
	for {
		select {
		case command, ok := <-r.commands:
			if !ok {
				return
			}
			if r.gone.Load() {
				continue
			}
			if err := r.do(command); err != nil {
				r.fail(err)
			}
			r.out.done()
		case now := <-ticker.C:
			if r.news || now.Sub(r.toldAt) >= numbersAtLeast {
				r.numbers()
			}
		}
		r.busy.idle()
	}
}

func (r *riskRun) do(command *pluginpb.RiskCommand) error {
	switch c := command.GetCommand().(type) {
	case *pluginpb.RiskCommand_Judge:
		candidate, err := c.Judge.Hub()
		if err != nil {
			return err
		}
		r.busy.in(callJudge)
		verdict := r.manager.Judge(candidate)
		verdict.Reason = valid(verdict.Reason)
		r.out.put(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Verdict{Verdict: pluginpb.VerdictOf(candidate.Ask, verdict)}})
		r.news = true
	case *pluginpb.RiskCommand_Observe:
		event, err := c.Observe.Hub()
		if err != nil {
			return err
		}
		r.busy.in(callObserve)
		r.manager.Observe(event)
		r.news = true
	default:
		return fmt.Errorf("unknown command %T from the hub", c)
	}
	return nil
}

// numbers tells the hub the manager's figures when they are not those that it knows.
func (r *riskRun) numbers() {
	r.busy.in(callNumbers)
	now := r.manager.Numbers()
	r.news, r.toldAt = false, time.Now()
	if slices.Equal(now, r.told) {
		return
	}
	r.told = slices.Clone(now)
	r.out.put(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Numbers{Numbers: pluginpb.NumbersOf(now)}})
}

// send sends what waits until there is nothing more.
func (r *riskRun) send(stream riskStream) error {
	for {
		batch, taken, ok := r.out.take()
		if !ok {
			return nil
		}
		if err := stream.Send(&pluginpb.RiskAnswers{Answers: batch, Taken: taken}); err != nil {
			r.out.drop()
			return err
		}
	}
}

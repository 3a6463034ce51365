package rpc

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// ErrRunning is what Start answers when the service runs, ErrNotRunning what Stop answers when it does not.
var (
	ErrRunning    = errors.New("the RPC service is running")
	ErrNotRunning = errors.New("the RPC service is not running")
)

// Server serves all traders. Its methods may be called from any goroutine.
type Server struct {
	opts    Options
	limits  Limits
	log     hclog.Logger
	traders []*trader
	byName  map[hub.TraderName]*trader
	zones   sync.Map // hub.Instrument -> *time.Location, of contracts seen

	mu      sync.Mutex // guards running and stopped, and keeps Start and Stop apart
	running bool
	stopped bool // it was, once
}

// trader is what outlives a stop: who it is, and which ticks it gets.
type trader struct {
	Trader
	framing veighna.Framing
	line    atomic.Pointer[line] // nil while stopped

	mu         sync.RWMutex // guards subscribed
	subscribed map[hub.Instrument]struct{}
}

func (t *trader) subscribe(i hub.Instrument) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subscribed[i] = struct{}{}
}

func (t *trader) gets(i hub.Instrument) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, ok := t.subscribed[i]
	return ok
}

// NewServer returns a server that is not started. The error names every trader whose entry cannot be served.
func NewServer(opts Options) (*Server, error) {
	s := &Server{opts: opts, limits: opts.Limits.withDefaults(), log: opts.Log, byName: make(map[hub.TraderName]*trader)}
	if s.log == nil {
		s.log = hclog.NewNullLogger()
	}
	var wrong []error
	if opts.Desk == nil {
		wrong = append(wrong, errors.New("rpc: no desk"))
	}
	for _, entry := range opts.Traders {
		framing, err := veighna.ParseVersion(entry.Version)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("traders.%s.veighna.version: %w", entry.Name, err))
		}
		if s.byName[entry.Name] != nil {
			wrong = append(wrong, fmt.Errorf("traders.%s: there are two of that name", entry.Name))
			continue
		}
		t := &trader{Trader: entry, framing: framing, subscribed: make(map[hub.Instrument]struct{})}
		s.byName[entry.Name] = t
		s.traders = append(s.traders, t)
	}
	return s, errors.Join(wrong...)
}

// Start binds every trader's addresses and serves them. What is said is what stock VeighNa would log, for whoever asked: RPC服务启动成功,
// RPC服务运行中, or RPC服务启动失败 with every address that could not be had. All traders are served or, with an error, none.
func (s *Server) Start() (said string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	language := s.opts.Language
	if s.running {
		s.tellAll(textRunning)
		s.log.Info(textRunning(language))
		return textRunning(language), ErrRunning
	}
	var lines []*line
	var wrong []error
	for _, t := range s.traders {
		l, err := openLine(s, t)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		lines = append(lines, l)
	}
	if err := errors.Join(wrong...); err != nil {
		for _, l := range lines {
			err = errors.Join(err, l.closeSockets(0))
		}
		s.log.Error(textStartFailed(language, err))
		return textStartFailed(language, err), err
	}
	for _, l := range lines {
		l.start()
		l.trader.line.Store(l)
		l.log.Info("line open", "request", l.boundRequest, "publish", l.boundPublish)
	}
	s.running = true
	s.log.Info(textStarted(language))
	return textStarted(language), nil
}

// Stop closes the sockets of all traders. Requests that wait are answered with an error first, so that no client waits for ever. The server can be
// started again; subscriptions to ticks are kept.
func (s *Server) Stop() (said string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	language := s.opts.Language
	if !s.running {
		s.log.Info(textNotRunning(language))
		return textNotRunning(language), ErrNotRunning
	}
	errs := make([]error, len(s.traders))
	var closing sync.WaitGroup
	for i, t := range s.traders {
		closing.Go(func() {
			if l := t.line.Swap(nil); l != nil {
				errs[i] = l.close(textStopped(t.Language))
			}
		})
	}
	closing.Wait()
	s.running, s.stopped = false, true
	s.log.Info(textStopped(language))
	return textStopped(language), errors.Join(errs...)
}

// tellAll publishes one of the service's own lines on every line.
func (s *Server) tellAll(text func(veighna.Language) string) {
	now := hub.TimeOf(time.Now())
	for _, t := range s.traders {
		if l := t.line.Load(); l != nil {
			l.inbox.putLine(serviceLine(text(t.Language), now))
		}
	}
}

// inboxOf returns where to put what is for a trader; nil when the service is stopped or there is no such trader.
func (s *Server) inboxOf(name hub.TraderName) *inbox {
	t := s.byName[name]
	if t == nil {
		return nil
	}
	if l := t.line.Load(); l != nil {
		return l.inbox
	}
	return nil
}

// The Publish methods never block and may be called in any number; what one goroutine publishes of a trader's keeps its order, but ticks may be
// overtaken by what is private. Nothing is kept for a service that is stopped: clients query when they connect.

// PublishOrder tells the order's trader how it stands.
func (s *Server) PublishOrder(o hub.Order) {
	if in := s.inboxOf(o.Trader); in != nil {
		in.putEvent(func() veighna.Publication { return veighna.OrderEvent(&o, s.zone(o.Trader, o.Instrument)) })
	}
}

// PublishTrade tells the trade's trader of it.
func (s *Server) PublishTrade(t hub.Trade) {
	if in := s.inboxOf(t.Trader); in != nil {
		in.putEvent(func() veighna.Publication { return veighna.TradeEvent(&t, s.zone(t.Trader, t.Instrument)) })
	}
}

// PublishPosition tells the position's trader of it.
func (s *Server) PublishPosition(p hub.Position) {
	if in := s.inboxOf(p.Trader); in != nil {
		in.putEvent(func() veighna.Publication { return veighna.PositionEvent(&p, s.byName[p.Trader].Language) })
	}
}

// PublishAccount tells the account's trader of it, at once or when AccountEvery has passed since the last time; only the newest is told.
func (s *Server) PublishAccount(a hub.Account) {
	if in := s.inboxOf(a.Trader); in != nil {
		in.putAccount(func() veighna.Publication {
			return veighna.AccountEvent(&veighna.Account{Gateway: s.opts.Gateway, Account: a})
		})
	}
}

// PublishContract tells all traders of a new or changed contract.
func (s *Server) PublishContract(c hub.Contract) {
	s.learnZone(c)
	for _, t := range s.traders {
		if l := t.line.Load(); l != nil {
			l.inbox.putEvent(func() veighna.Publication { return veighna.ContractEvent(&c) })
		}
	}
}

// PublishLog puts a line into a trader's log window. level is one of package veighna's; gateway is where the line says it comes from.
func (s *Server) PublishLog(trader hub.TraderName, gateway hub.GatewayName, level int, text string) {
	if in := s.inboxOf(trader); in != nil {
		line := veighna.Log{Gateway: gateway, Text: text, Level: level, Time: hub.TimeOf(time.Now())}
		in.putEvent(func() veighna.Publication { return veighna.LogEvent(&line, nil) })
	}
}

// PublishTick sends a tick to every trader who subscribed to it. It is encoded once, by whichever line sends it first.
func (s *Server) PublishTick(t hub.Tick) {
	var shared *tick
	for _, to := range s.traders {
		l := to.line.Load()
		if l == nil || !to.gets(t.Instrument) {
			continue
		}
		if shared == nil {
			shared = &tick{Tick: t, now: hub.TimeOf(time.Now()), zone: func() *time.Location { return s.zone(to.Name, t.Instrument) }}
		}
		l.inbox.putTick(shared)
	}
}

// Subscribe makes a trader get the ticks of an instrument, as if a client had asked: for subscriptions that are to outlive the process.
func (s *Server) Subscribe(trader hub.TraderName, instrument hub.Instrument) {
	if t := s.byName[trader]; t != nil {
		t.subscribe(instrument)
	}
}

// Subscriptions returns which ticks a trader gets, sorted.
func (s *Server) Subscriptions(trader hub.TraderName) []hub.Instrument {
	t := s.byName[trader]
	if t == nil {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.SortedFunc(maps.Keys(t.subscribed), func(a, b hub.Instrument) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
}

// zone is where a contract's times are shown; nil is VeighNa's own.
func (s *Server) zone(trader hub.TraderName, i hub.Instrument) *time.Location {
	if z, ok := s.zones.Load(i); ok {
		return z.(*time.Location)
	}
	c, ok := s.opts.Desk.Contract(trader, i)
	if !ok {
		return nil
	}
	return s.learnZone(c)
}

func (s *Server) learnZone(c hub.Contract) *time.Location {
	z, err := veighna.Zone(c.Zone)
	if err != nil {
		s.log.Warn("a contract has a time zone that nobody knows; its times are shown in "+veighna.DefaultZone,
			"contract", c.Instrument.String(), "zone", c.Zone, "error", err)
		z, _ = veighna.Zone("") // the embedded database has it
	}
	s.zones.Store(c.Instrument, z)
	return z
}

func (s *Server) alert(text string) {
	if s.opts.Alert != nil {
		s.opts.Alert(text)
	}
}

// Running reports whether the service is started.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

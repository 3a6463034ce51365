package host_test

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"tradehub/hub"
	"tradehub/hub/host"
	"tradehub/plugins"
)

// counter is a hub that only counts.
type counter struct {
	*recorder
	report func()
	tick   func()
}

func (c *counter) Report(hub.VenueReport)       { c.report() }
func (c *counter) Statement(hub.VenueStatement) {}
func (c *counter) Tick(hub.Tick)                { c.tick() }

func startBench(b *testing.B, c *counter, gateways, managers []host.PluginConfig) *host.Host {
	b.Helper()
	c.recorder = newRecorder()
	h := host.New(host.Options{Gateways: gateways, Managers: managers, Events: c, Times: calm(), Log: hclog.NewNullLogger()})
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Stop(b.Context()) })
	up := &testing.T{}
	if len(gateways) > 0 {
		c.awaitLine(up, "SIM up", 1)
	}
	if len(managers) > 0 {
		c.awaitLine(up, "margin up", 1)
	}
	return h
}

// BenchmarkPing is the floor: go-plugin's own unary ping to the same program.
func BenchmarkPing(b *testing.B) {
	config := program(b, "SIM", "gateway-echo", nil)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: plugins.Handshake(), Plugins: plugins.Plugins(), AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS: true, SkipHostEnv: true, GRPCDialOptions: plugins.DialOptions(), Logger: hclog.NewNullLogger(),
		Cmd: exec.CommandContext(b.Context(), os.Args[0], config.Args...),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := protocol.Ping(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOrderOne is one order at a time to a gateway and its report back.
func BenchmarkOrderOne(b *testing.B) {
	back := make(chan struct{}, 1)
	h := startBench(b, &counter{report: func() { back <- struct{}{} }}, sim(b, "gateway-echo", nil), nil)
	p := permit(order(1, ""))
	for b.Loop() {
		h.Send(p)
		<-back
	}
}

// BenchmarkOrders is as many orders as the gateway takes, and their reports back.
func BenchmarkOrders(b *testing.B) {
	room := make(chan struct{}, host.GatewayQueueMax)
	h := startBench(b, &counter{report: func() { <-room }}, sim(b, "gateway-echo", nil), nil)
	p := permit(order(1, ""))
	for b.Loop() {
		room <- struct{}{}
		h.Send(p)
	}
	for range host.GatewayQueueMax { // until the last report
		room <- struct{}{}
	}
	perSecond(b, "orders/s")
}

// BenchmarkJudgeOne is one candidate at a time to a risk manager and its verdict back.
func BenchmarkJudgeOne(b *testing.B) {
	h := startBench(b, &counter{}, nil, margin(b, "risk-book", nil))
	back := make(chan []hub.Verdict, 1)
	done := func(v []hub.Verdict) { back <- v }
	var ask uint64
	for b.Loop() {
		ask++
		h.Judge(candidate(ask, ""), done)
		if v := <-back; !v[0].Pass {
			b.Fatal(v)
		}
	}
}

// BenchmarkJudge is as many candidates as a risk manager takes, with the decision that ends each.
func BenchmarkJudge(b *testing.B) {
	h := startBench(b, &counter{}, nil, margin(b, "risk-book", nil))
	room := make(chan struct{}, 8192)
	var failed sync.Once
	done := func(v []hub.Verdict) {
		if !v[0].Pass {
			failed.Do(func() { b.Error(v) })
		}
		<-room
	}
	decided := order(1, "")
	var ask uint64
	for b.Loop() {
		ask++
		room <- struct{}{}
		h.Judge(candidate(ask, ""), done)
		h.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: ask, Order: decided}})
	}
	for range cap(room) {
		room <- struct{}{}
	}
	perSecond(b, "candidates/s")
}

// BenchmarkTicks is as many ticks as come from a gateway that has one after another.
func BenchmarkTicks(b *testing.B) {
	ticks := make(chan struct{}, 1<<16)
	h := startBench(b, &counter{tick: func() {
		select {
		case ticks <- struct{}{}:
		default:
		}
	}}, sim(b, "gateway-ticks", nil), nil)
	h.Subscribe("SIM", []hub.Instrument{{Symbol: "all"}})
	<-ticks
	for b.Loop() {
		<-ticks
	}
	perSecond(b, "ticks/s")
}

func perSecond(b *testing.B, unit string) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

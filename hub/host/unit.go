package host

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"tradehub/plugins"
)

// State is how a plugin is.
type State string

// States of a plugin.
const (
	Starting State = "starting"
	Up       State = "up"
	// Disconnected is a gateway whose process works and whose venue is not connected.
	Disconnected State = "disconnected"
	// Down is a plugin whose process died, or does not start, and is started again after a pause.
	Down    State = "down"
	Stopped State = "stopped"
)

// PluginStatus is how one plugin is.
type PluginStatus struct {
	Kind  plugins.Kind
	Name  string
	Path  string
	State State
	// Since is when it came into this state.
	Since time.Time
	// Reason says why it is not up; "" when it is.
	Reason string
	// LastError is why its last process ended; "" when none has.
	LastError string
	// Restarts counts the processes after the first.
	Restarts int
	// PID is its process; 0 when there is none. Version is the plugin's own.
	PID     int
	Version string
	// Queue is how many commands wait for it, Underway how many it has not done with yet.
	Queue, Underway int
}

// session is the part of a plugin that depends on its kind.
type session interface {
	// run speaks with a process until it ends, in good order (nil) or not.
	run(p *process) error
	// down is told that there is no process now, and why.
	down(reason string)
	// lengths of the queue.
	lengths() (waiting, underway int)
}

// unit is one plugin through all its processes.
type unit struct {
	host    *Host
	kind    plugins.Kind
	config  PluginConfig
	log     hclog.Logger
	inbox   *inbox
	session session

	mu     sync.Mutex
	status PluginStatus
}

func newUnit(h *Host, kind plugins.Kind, config PluginConfig) *unit {
	return &unit{
		host:   h,
		kind:   kind,
		config: config,
		log:    h.options.Log.Named(config.Name),
		inbox:  newInbox(),
		status: PluginStatus{Kind: kind, Name: config.Name, Path: config.Path, State: Starting, Since: time.Now(), Reason: "it is starting"},
	}
}

func (u *unit) report() PluginStatus {
	waiting, underway := u.session.lengths()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.Queue, u.status.Underway = waiting, underway
	return u.status
}

// is moves the plugin into a state.
func (u *unit) is(state State, reason string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.status.State != state {
		u.status.State, u.status.Since = state, time.Now()
	}
	u.status.Reason = reason
	if state == Down || state == Stopped {
		u.status.PID = 0
	}
}

func (u *unit) stopping() bool {
	select {
	case <-u.host.stop:
		return true
	default:
		return false
	}
}

// supervise starts the plugin, again and again, until the host stops.
func (u *unit) supervise() {
	pause := backOff{times: u.host.options.Times}
	for {
		began := time.Now()
		err := u.life()
		if u.stopping() {
			if err != nil {
				u.log.Warn("plugin did not stop in good order", "error", err)
			}
			u.is(Stopped, "the hub is stopping")
			u.session.down("the hub is stopping")
			return
		}
		if err == nil {
			err = errors.New("it ended without being asked")
		}
		wait := pause.next(time.Since(began))
		reason := oneLine(err.Error())
		u.log.Error("plugin is down", "reason", reason, "restart_in", wait)
		u.mu.Lock()
		u.status.LastError = reason
		u.status.Restarts++
		u.mu.Unlock()
		u.is(Down, reason)
		u.session.down(reason)
		select {
		case <-time.After(wait):
		case <-u.host.stop:
			u.is(Stopped, "the hub is stopping")
			u.session.down("the hub is stopping")
			return
		}
	}
}

// backOff says how long to wait before a plugin is started again.
type backOff struct {
	times  Times
	failed int // in a row
}

// next returns the pause after a process that lived for so long: twice the last one, more or less a quarter so that several plugins do not keep step.
func (b *backOff) next(lived time.Duration) time.Duration {
	if lived >= b.times.Stable {
		b.failed = 0
	}
	pause := min(b.times.BackOffMax, b.times.BackOffMin<<min(b.failed, 20))
	b.failed++
	return pause*3/4 + rand.N(pause/2+1)
}

// life is one process of the plugin, from its start to its end.
func (u *unit) life() error {
	if err := check(u.config); err != nil {
		return err
	}
	dir, err := makeDir(u.config)
	if err != nil {
		return err
	}
	u.is(Starting, "it is starting")
	p, err := u.start(dir)
	if err != nil {
		return err
	}
	u.mu.Lock()
	u.status.PID = p.child.pidNow()
	u.mu.Unlock()
	u.log.Debug("plugin process started", "pid", p.child.pidNow())
	err = u.session.run(p)
	return p.end(err)
}

// process is a plugin's process that has shaken hands.
type process struct {
	unit   *unit
	dir    string
	child  *child
	client *goplugin.Client
	remote any // what go-plugin dispensed
}

// start starts a process and shakes hands. When it fails no process is left.
func (u *unit) start(dir string) (*process, error) {
	path, err := filepath.Abs(u.config.Path)
	if err != nil {
		return nil, err
	}
	command := &exec.Cmd{Path: path, Args: append([]string{path}, u.config.Args...), Dir: dir}
	child := newChild(u.host.forker, command, u.log)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  plugins.Handshake(),
		Plugins:          plugins.Plugins(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     u.host.options.Times.Start,
		GRPCDialOptions:  plugins.DialOptions(),
		Logger:           hclog.NewNullLogger(), // the host says itself what there is to say
		SyncStdout:       &lineWriter{log: u.log, from: "stdout"},
		SyncStderr:       &lineWriter{log: u.log, from: "stderr"},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			command.Env = append(append([]string{}, u.config.Env...), spec.Env...)
			return child, nil
		},
	})
	p := &process{unit: u, dir: dir, child: child, client: client}
	interrupted := make(chan struct{})
	go func() { // go-plugin cannot be interrupted, but its process can
		select {
		case <-u.host.stop:
			child.kill()
		case <-interrupted:
		}
	}()
	err = p.dispense()
	close(interrupted)
	if err == nil {
		return p, nil
	}
	// go-plugin's words are of use only when there was no process at all.
	started := child.pidNow() != 0
	child.kill()
	client.Kill()
	if !started {
		return nil, fmt.Errorf("it cannot be started: %w", err)
	}
	<-child.exited
	return nil, p.whyNotStarted()
}

func (p *process) dispense() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	p.remote, err = protocol.Dispense(string(p.unit.kind))
	return err
}

// whyNotStarted finds the best words for a handshake that did not come about.
func (p *process) whyNotStarted() error {
	if problem := p.child.handshakeProblem(); problem != "" {
		return errors.New(problem)
	}
	ending := p.child.ending()
	if ending == "signal: killed" {
		return fmt.Errorf("no handshake within %s", p.unit.host.options.Times.Start)
	}
	return fmt.Errorf("it ended before its handshake: %s", ending)
}

// end ends the process, in good order when its session has (err is nil), and returns why it ended.
func (p *process) end(err error) error {
	var broken *brokenError
	if errors.As(err, &broken) && p.child.exits(time.Second) { // the stream breaks a little before the process is seen to be dead
		err = fmt.Errorf("its process died: %s", p.child.ending())
	}
	if err != nil {
		p.child.kill()
	}
	kill := time.AfterFunc(p.unit.host.options.Times.Stop, p.child.kill)
	p.client.Kill()
	kill.Stop()
	<-p.child.exited
	return err
}

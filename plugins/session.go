package plugins

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/plugins/pluginpb"
)

// once lets one session through.
type once struct{ used atomic.Bool }

func (o *once) take() error {
	if o.used.Swap(true) {
		return errors.New("this process has its session already")
	}
	return nil
}

// busy says which of the author's calls is running, and since when.
type busy struct {
	call  atomic.Pointer[string]
	since atomic.Int64
}

// The author's calls, as Pong names them.
var callStart, callSubmit, callCancel, callAmend, callSubscribe, callAsk, callClose, callJudge, callObserve, callNumbers = new("Start"), new("Submit"),
	new("Cancel"), new("Amend"), new("Subscribe"), new("Ask"), new("Close"), new("Judge"), new("Observe"), new("Numbers")

func (b *busy) in(call *string) {
	b.since.Store(time.Now().UnixNano())
	b.call.Store(call)
}

func (b *busy) idle() { b.call.Store(nil) }

func (b *busy) pong(id uint64) *pluginpb.Pong {
	pong := &pluginpb.Pong{Id: id}
	if call := b.call.Load(); call != nil {
		pong.BusyIn = *call
		pong.BusyNanos = time.Now().UnixNano() - b.since.Load()
	}
	return pong
}

// exitHubGone is the exit status of a plugin whose hub went away without a word.
const exitHubGone = 3

// process is what a session needs of the process that it runs in; tests have one of their own.
type process struct {
	log  hclog.Logger
	exit func(status int)
}

// env makes the author's Env of the hub's Start.
func (p process) env(start *pluginpb.Start) (Env, error) {
	settings, err := settingsFromWire(start.GetSettings())
	if err != nil {
		return Env{}, fmt.Errorf("settings: %w", err)
	}
	if level := hclog.LevelFromString(start.GetLogLevel()); level != hclog.NoLevel {
		p.log.SetLevel(level)
	}
	return Env{Name: start.GetName(), Dir: start.GetDir(), Settings: settings, Log: p.log}, nil
}

// gone ends a process whose hub is gone, after a last try to close in good order.
func (p process) gone(closed <-chan struct{}) {
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
	}
	p.log.Error("the hub is gone")
	p.exit(exitHubGone)
}

// version is the plugin's own version: that of its main module, or of the source it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value[:min(len(setting.Value), 12)]
		}
	}
	return "(devel)"
}

// newLog writes what the hub reads from stderr: hclog's lines in JSON.
func newLog(level hclog.Level) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: os.Stderr, JSONFormat: true, Level: level})
}

// reasonMax is how many bytes of a reason are sent; a venue that says more is cut short.
const reasonMax = 4096

// valid returns a text that can be sent: UTF-8, and not too long.
func valid(s string) string {
	if len(s) > reasonMax {
		s = s[:reasonMax]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

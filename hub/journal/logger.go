package journal

import (
	"strings"

	"github.com/hashicorp/go-hclog"
)

// raftLogger turns down what raft says in ordinary life: every start of a
// server on its own is a lost heartbeat and an election to raft.
type raftLogger struct{ hclog.Logger }

func (l raftLogger) level(level hclog.Level, msg string) hclog.Level {
	switch {
	case level == hclog.Info:
		return hclog.Debug
	case level == hclog.Warn && (strings.HasPrefix(msg, "heartbeat timeout reached") || strings.HasPrefix(msg, "Election timeout reached")):
		return hclog.Debug
	default:
		return level
	}
}

// Log implements hclog.Logger.
func (l raftLogger) Log(level hclog.Level, msg string, args ...any) {
	l.Logger.Log(l.level(level, msg), msg, args...)
}

// Info implements hclog.Logger.
func (l raftLogger) Info(msg string, args ...any) { l.Log(hclog.Info, msg, args...) }

// Warn implements hclog.Logger.
func (l raftLogger) Warn(msg string, args ...any) { l.Log(hclog.Warn, msg, args...) }

// With implements hclog.Logger.
func (l raftLogger) With(args ...any) hclog.Logger { return raftLogger{l.Logger.With(args...)} }

// Named implements hclog.Logger.
func (l raftLogger) Named(name string) hclog.Logger { return raftLogger{l.Logger.Named(name)} }

// ResetNamed implements hclog.Logger.
func (l raftLogger) ResetNamed(name string) hclog.Logger {
	return raftLogger{l.Logger.ResetNamed(name)}
}

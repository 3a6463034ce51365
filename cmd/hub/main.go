// Command hub is the order gate between the traders of a fund and its exchange channels.
//
// This package wires: it reads files, finds plugins, opens the parts and lets them know each other; what they do is theirs. Each verb has a file. A verb returns an
// error; only main writes it and ends the process:
//
//	0  done
//	1  what was asked is not so, or could not be done: a check found errors, the hub said no, a file is not there
//	2  the command line is wrong
//	3  no hub answers
//	130  ended by a second signal, without tidying up
//
// stdout has what was asked for, stderr the log, "hub: error: ..." and "hub: hint: ...".
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/term"

	"tradehub/hub/ctl"
)

func main() { os.Exit(run(os.Args[1:], standard())) }

// env is what a verb has of the world.
type env struct {
	stdout, stderr io.Writer
	// colour: stdout is a terminal, and nobody said NO_COLOR.
	colour bool
	// program is the executable; plugins are looked for beside it.
	program string
	// exit ends the process at once.
	exit func(code int)
}

func standard() env {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	return env{
		stdout: os.Stdout, stderr: os.Stderr, program: program, exit: os.Exit,
		colour: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "",
	}
}

// Exit codes.
const (
	exitDone        = 0
	exitNot         = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitSecond      = 130
)

// failure is an error with what to do about it.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// not is a failure of what was asked for.
func not(hint, format string, args ...any) error {
	return &failure{exitNot, fmt.Errorf(format, args...), hint}
}

// misused is a wrong command line.
func misused(hint, format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...), hint}
}

// told is an error that has been written already.
var errTold = errors.New("")

// report writes an error and answers its exit code.
func report(e env, err error) int {
	var f *failure
	var problem *ctl.ProblemError
	var unreachable *ctl.UnreachableError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errTold):
		return exitNot
	case errors.As(err, &f):
	case errors.As(err, &problem):
		f = &failure{exitNot, err, problem.Hint}
	case errors.As(err, &unreachable):
		hint := "start it with hub serve or hub demo, or name its data directory with --data"
		if errors.Is(err, fs.ErrPermission) {
			hint = "this socket is for others; people whom the hub's configuration names use the desk's: --socket"
		}
		f = &failure{exitUnreachable, err, hint}
	default:
		f = &failure{exitNot, err, ""}
	}
	fmt.Fprintf(e.stderr, "hub: error: %v\n", f.err)
	if f.hint != "" {
		fmt.Fprintf(e.stderr, "hub: hint: %s\n", f.hint)
	}
	return f.code
}

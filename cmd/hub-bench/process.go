package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startWithin = 60 * time.Second
	stopWithin  = 10 * time.Second
)

// process is a child that says on stdout what it has to say, line by line, and has its stderr in a file.
type process struct {
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	log   string
}

func start(name, logDir, program string, args ...string) (*process, error) {
	p := &process{name: name, lines: make(chan string, 64), log: filepath.Join(logDir, name+".log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(program, args...) //nolint:noctx // it is ended by stop, in good order
	p.cmd.Stderr = log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.lines)
		r := bufio.NewReaderSize(out, 64<<10)
		for {
			line, err := r.ReadString('\n')
			if line != "" {
				p.lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	return p, nil
}

// expect waits for a line that match accepts. Lines before it are thrown away.
func (p *process) expect(ctx context.Context, what string, within time.Duration, match func(line string) (bool, error)) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return fmt.Errorf("%s ended and never said %s: %s", p.name, what, p.lastWords())
			}
			if ok, err := match(line); ok || err != nil {
				return err
			}
		case <-timer.C:
			return fmt.Errorf("%s did not say %s within %s: %s", p.name, what, within, p.lastWords())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// step is a line of the Python programs.
type step struct {
	Step   string          `json:"step"`
	OK     bool            `json:"ok"`
	Detail json.RawMessage `json:"detail"`
}

// expectStep waits for a step that went well, and reads its detail.
func (p *process) expectStep(ctx context.Context, name string, within time.Duration, into any) error {
	return p.expect(ctx, name, within, func(line string) (bool, error) {
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return false, fmt.Errorf("%s: %w: %s", p.name, err, line)
		}
		if !s.OK {
			return false, fmt.Errorf("%s: %s: %s", p.name, s.Step, s.Detail)
		}
		if s.Step != name {
			return false, nil
		}
		if into == nil {
			return true, nil
		}
		return true, json.Unmarshal(s.Detail, into)
	})
}

// lastWords is the end of its log.
func (p *process) lastWords() string {
	b, _ := os.ReadFile(p.log)
	return strings.TrimSpace(string(b[max(0, len(b)-600):]))
}

// stop ends it: the Python programs when their stdin ends, the hub by SIGTERM, anybody by SIGKILL when that takes too long.
func (p *process) stop(signals bool) error {
	errs := []error{p.in.Close()}
	if signals {
		errs = append(errs, p.cmd.Process.Signal(syscall.SIGTERM))
	}
	killed := time.AfterFunc(stopWithin, func() { _ = p.cmd.Process.Kill() })
	defer killed.Stop()
	for range p.lines { // until it has closed its stdout
	}
	err := p.cmd.Wait()
	if signals && err != nil {
		errs = append(errs, fmt.Errorf("%s: %w: %s", p.name, err, p.lastWords()))
	}
	return errors.Join(errs...)
}

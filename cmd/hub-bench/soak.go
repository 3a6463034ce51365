package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type soakOptions struct {
	minutes   float64
	perSecond int
}

const soakSampleEvery = 10 * time.Second

// soak trades for so many minutes and writes what memory that took into the page.
func soak(ctx context.Context, s settings, o soakOptions) (err error) {
	if o.minutes <= 0 || o.perSecond <= 0 {
		return fmt.Errorf("%w: --minutes and --rate are above 0", errUsage)
	}
	if err := prepare(&s); err != nil {
		return err
	}
	h, err := startSoak(ctx, s)
	if err != nil {
		return err
	}
	running := true
	stop := func() error {
		if !running {
			return nil
		}
		running = false
		return h.stop()
	}
	defer func() { err = errors.Join(err, stop()) }()
	span := time.Duration(o.minutes * float64(time.Minute))
	m, err := h.trade(ctx, s, float64(o.perSecond), span, min(soakSampleEvery, span/10))
	if err != nil {
		return err
	}
	m.journal = folderMB(s.dir)
	if err := stop(); err != nil {
		return err
	}
	if err := m.flaw(); err != nil {
		return err
	}
	text := m.renderSoak()
	fmt.Fprintf(s.say, "\n%s", text)
	if s.page == "" {
		return nil
	}
	return replacePart(s.page, "soak", commandLine(s, time.Duration(m.minutes*float64(time.Minute)))+text)
}

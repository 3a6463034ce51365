package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/ctl"
	"tradehub/hub/folder"
	"tradehub/hub/policy"
)

// recordWait is how long an answer waits for the record to have what was applied when it was asked for.
const recordWait = 5 * time.Second

// reading opens the record when it has everything that was applied by now.
func (o operator) reading(ctx context.Context) (*audit.Reader, error) {
	soon, cancel := context.WithTimeout(ctx, recordWait)
	defer cancel()
	if err := o.h.record.Written(soon, o.h.runner.Seq()); err != nil {
		o.h.log.Warn("an answer is given from a record that is not complete", "error", err)
	}
	return audit.Read(recordDir(o.h.config.Data))
}

// Explain is all that the record has of an order, with clocks as the main calendar's zone shows them.
func (o operator) Explain(ctx context.Context, order, language string) (any, error) {
	r, err := o.reading(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it only read
	return explain(ctx, r, order, language, o.clock)
}

func explain(ctx context.Context, r *audit.Reader, order, language string, clock func(time.Time) time.Time) (*audit.Explanation, error) {
	lang := hub.Lang(language)
	switch lang {
	case "":
		lang = hub.English
	case hub.English, hub.Chinese:
	default:
		return nil, &ctl.ProblemError{Text: fmt.Sprintf("there is no language %q", language), Hint: "en or zh"}
	}
	x, err := r.Explain(ctx, hub.OrderID(order), lang)
	if audit.IsUnknown(err) {
		return nil, &ctl.ProblemError{Text: err.Error(), Hint: "hub ctl orders --all lists those that the hub remembers; what was before the record began is not in it (hub audit verify says since when)"}
	}
	if err != nil {
		return nil, err
	}
	for i := range x.Life {
		x.Life[i].Time = clock(x.Life[i].Time)
	}
	for i := range x.Decisions {
		d := &x.Decisions[i]
		d.Time = clock(d.Time)
		if d.Policy != nil {
			d.Policy.Loaded = clock(d.Policy.Loaded)
		}
	}
	return x, nil
}

// PolicyLog is every load of policies.
func (o operator) PolicyLog(ctx context.Context) ([]ctl.Loaded, error) {
	r, err := o.reading(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it only read
	return policyLog(ctx, r, o.clock)
}

func policyLog(ctx context.Context, r *audit.Reader, clock func(time.Time) time.Time) ([]ctl.Loaded, error) {
	all, err := r.Loads(ctx)
	return mapped(all, func(l audit.Loaded) ctl.Loaded { return loaded(l, nil, clock) }), err
}

// loaded is a load as it is shown, with the texts if there are any.
func loaded(l audit.Loaded, files []hub.PolicyFile, clock func(time.Time) time.Time) ctl.Loaded {
	out := ctl.Loaded{
		Time: clock(l.Row.Time.UTC()), By: l.By, Revision: l.Revision, InForce: l.InForce, Files: []ctl.PolicyFile{}, Errors: l.Errors, Instead: l.Instead, Row: l.Row.N, Entry: l.Row.Seq,
	}
	for i, f := range l.Files {
		file := ctl.PolicyFile{Name: f.Name, SHA256: f.SHA256, Bytes: f.Bytes}
		if files != nil {
			file.Text = files[i].Text
		}
		out.Files = append(out.Files, file)
	}
	return out
}

// Policy is the newest load of a revision, with its texts.
func (o operator) Policy(ctx context.Context, revision string) (ctl.Loaded, error) {
	r, err := o.reading(ctx)
	if err != nil {
		return ctl.Loaded{}, err
	}
	defer func() { _ = r.Close() }() // it only read
	return policyOf(ctx, r, revision, o.clock)
}

func policyOf(ctx context.Context, r *audit.Reader, revision string, clock func(time.Time) time.Time) (ctl.Loaded, error) {
	l, files, err := r.Policy(ctx, revision)
	if audit.IsUnknown(err) {
		return ctl.Loaded{}, unknownRevision(err)
	}
	if err != nil {
		return ctl.Loaded{}, err
	}
	return loaded(l, files, clock), nil
}

func unknownRevision(err error) error {
	return &ctl.ProblemError{Text: err.Error(), Hint: "hub policy log lists them"}
}

// revisionLeast is how much of a revision a rollback wants: what is shorter may be a slip, and another policy's.
const revisionLeast = 6

// RollbackPolicy puts the files of an earlier revision in force. The folder stays as it is; what it says now is not loaded again until it changes, or somebody asks for it.
func (o operator) RollbackPolicy(ctx context.Context, revision, by string) (ctl.RolledBack, error) {
	if len(revision) < revisionLeast {
		return ctl.RolledBack{}, &ctl.ProblemError{
			Text: fmt.Sprintf("%q is too short for a revision that is to be put in force: write at least %d of its letters", revision, revisionLeast), Hint: "hub policy log lists them",
		}
	}
	r, err := o.reading(ctx)
	if err != nil {
		return ctl.RolledBack{}, err
	}
	defer func() { _ = r.Close() }() // it only read
	load, files, err := r.Policy(ctx, revision)
	if audit.IsUnknown(err) {
		return ctl.RolledBack{}, unknownRevision(err)
	}
	if err != nil {
		return ctl.RolledBack{}, err
	}
	if len(load.Errors) > 0 {
		return ctl.RolledBack{}, &ctl.ProblemError{Text: fmt.Sprintf("revision %s was never in force: it had %s", load.Revision, count(len(load.Errors), "error")), Hint: "hub policy show " + load.Revision}
	}
	s := &o.h.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	out := ctl.RolledBack{Before: o.h.runner.Revision(), Files: len(files)}
	if out.Before == load.Revision {
		return ctl.RolledBack{}, &ctl.ProblemError{Text: fmt.Sprintf("revision %s is in force already", load.Revision), Hint: "hub policy log lists those that were before"}
	}
	content, unread := trustedPolicies(o.h.config)
	if unread != nil {
		o.h.log.Warn("the policy folder cannot be read: whatever it says when it can is loaded", "error", oneLine(unread))
		content = folder.Content{}
	} else {
		out.Folder = policy.RevisionOf(content.Files)
	}
	out.Revision, out.Errors, err = o.h.runner.Rollback(ctx, files, load.Language, content.Files, by)
	if err != nil {
		return ctl.RolledBack{}, err
	}
	if len(out.Errors) > 0 {
		o.h.runner.Raise(fmt.Sprintf("rollback to revision %s by %s refused: %s; revision %s stays in force", load.Revision, by, firstOf(out.Errors), out.Revision))
		return out, nil
	}
	if unread == nil {
		s.read, s.complaint = content, "" // not before: what somebody has just saved must not count as read when nothing came of the rollback
	}
	text := fmt.Sprintf("policies rolled back by %s: revision %s in force, after %s", by, out.Revision, out.Before)
	if out.Folder != out.Revision {
		text += "; the policy folder still says something else, and is not loaded until it changes"
	}
	o.h.runner.Raise(text)
	return out, nil
}

// offline opens the record of a data directory whose hub does not run, or may not be asked.
func offline(data string) (*audit.Reader, error) {
	r, err := audit.Read(recordDir(data))
	if errors.Is(err, audit.ErrNone) {
		return nil, not("the data directory of a hub has one, in "+recordDir("."), "%w", err)
	}
	return r, err
}

func utc(t time.Time) time.Time { return t.UTC() }

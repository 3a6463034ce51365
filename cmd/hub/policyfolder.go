package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/ctl"
	"tradehub/hub/folder"
	"tradehub/hub/policy"
	"tradehub/hub/runner"
)

// shelf is the policy folder of a running hub: what was read of it last, and what became of that.
type shelf struct {
	mu sync.Mutex // held while policies are loaded: one load at a time
	// read is what was loaded, or refused, last.
	read folder.Content
	// complaint is why the folder could not be read last, "" when it could.
	complaint string
}

// ReloadPolicy puts what is in the folder in force, all or nothing.
func (o operator) ReloadPolicy(ctx context.Context, by string) (ctl.Reloaded, error) {
	s := &o.h.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	content, err := trustedPolicies(o.h.config)
	if err != nil {
		s.complaint = err.Error()
		o.h.runner.Raise(fmt.Sprintf("policies not read, asked for by %s; revision %s stays in force: %s", by, o.h.runner.Revision(), oneLine(err)))
		return ctl.Reloaded{}, problem(err)
	}
	return o.h.putInForce(ctx, content, by)
}

// problem is an error as a client of the control socket sees it: with its hint.
func problem(err error) error {
	if f := (*failure)(nil); errors.As(err, &f) {
		return &ctl.ProblemError{Text: err.Error(), Hint: f.hint}
	}
	return err
}

// putInForce loads what was read. shelf.mu is held.
func (h *house) putInForce(ctx context.Context, content folder.Content, by string) (ctl.Reloaded, error) {
	before, inForce := h.runner.Revision(), h.runner.Files()
	revision, errs, err := h.runner.LoadPolicies(ctx, content.Files, by)
	if err != nil {
		return ctl.Reloaded{}, err
	}
	h.shelf.read, h.shelf.complaint = content, ""
	if len(errs) > 0 {
		h.runner.Raise(fmt.Sprintf("policies refused, put in by %s: %s; revision %s stays in force: %s", by, count(len(errs), "error"), revision, firstOf(errs)))
		return ctl.Reloaded{Revision: revision, Files: len(content.Files), Errors: errs}, nil
	}
	if gone := rulesGone(h.config, inForce, content.Files); len(gone) > 0 && before != revision {
		h.runner.Raise(fmt.Sprintf("policies in force by %s, revision %s, have %s fewer than %s: %s", by, revision, count(len(gone), "rule"), before, strings.Join(gone, ", ")))
	}
	h.log.Info("policies in force", "by", by, "revision", revision, "before", before, "files", len(content.Files))
	return ctl.Reloaded{Revision: revision, Files: len(content.Files), Warnings: h.warnOf(content)}, nil
}

// rulesGone are the rules that were in force and are not any more, by owner and name: somebody may have meant it, and a file may have been read half-way.
func rulesGone(c config.Config, before, now []hub.PolicyFile) []string {
	names := func(files []hub.PolicyFile) map[string]bool {
		out := map[string]bool{}
		if rules, _ := policy.Compile(files, policy.InCurrency(c.Fund.Currency)); rules != nil {
			for _, r := range rules.All() {
				out[cmp.Or(string(r.Owner), "the fund")+"'s "+r.Name] = true
			}
		}
		return out
	}
	was, is := names(before), names(now)
	maps.DeleteFunc(was, func(name string, _ bool) bool { return is[name] })
	return slices.Sorted(maps.Keys(was))
}

// firstOf is the first of several errors, and that there are more.
func firstOf(errs []string) string {
	if len(errs) == 1 {
		return errs[0]
	}
	return fmt.Sprintf("%s (and %d more: hub policy check)", errs[0], len(errs)-1)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// watchPolicies puts what is saved in the folder in force, until ctx ends.
func (h *house) watchPolicies(ctx context.Context) {
	w := folder.Watcher{Folder: h.config.Policies, Changed: func() bool { return h.folderChanged(ctx) }, Log: h.log.Named("policies")}
	w.Run(ctx)
}

// folderChanged loads the folder when its text is another than the one that was loaded, or refused, last. It answers false when that is to be tried again.
func (h *house) folderChanged(ctx context.Context) bool {
	s := &h.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	content, err := trustedPolicies(h.config)
	if err != nil {
		if said := oneLine(err); said != s.complaint { // once: the folder is looked at again and again
			s.complaint = said
			h.runner.Raise(fmt.Sprintf("policies not read; revision %s stays in force: %s", h.runner.Revision(), said))
		}
		return false
	}
	if s.complaint != "" {
		s.complaint = ""
		h.log.Info("the policy folder can be read again")
	}
	if content.Digest() == s.read.Digest() {
		return true
	}
	if h.runner.RolledBack(content.Files) { // it said something else meanwhile, which was refused, and says again what was rolled back
		s.read = content
		h.log.Warn("the policy folder says again what was rolled back: hub ctl policy reload puts it in force", "in_force", h.runner.Revision())
		return true
	}
	if was := s.read.Owner; was != "" && content.Owner != was { // whoever can put another folder in its place must not be the author of the rules by that
		s.read.Files = content.Files
		h.runner.Raise(fmt.Sprintf("policies not loaded: the folder belongs to %s now, and belonged to %s; revision %s stays in force; hub ctl policy reload puts the folder in force as it is",
			content.Owner, was, h.runner.Revision()))
		return true
	}
	changed := content.Changed(s.read)
	if lost := h.lost(content); lost != "" {
		s.read = content
		h.runner.Raise(fmt.Sprintf("policies not loaded: %s; revision %s stays in force; hub ctl policy reload puts the folder in force as it is", lost, h.runner.Revision()))
		return true
	}
	by := "the folder"
	if authors := content.Authors(changed); len(authors) > 0 {
		by += " (" + strings.Join(authors, ", ") + ")"
	}
	h.log.Info("the policy folder changed", "files", strings.Join(changed, " "), "by", by)
	if _, err := h.putInForce(ctx, content, by); err != nil && ctx.Err() == nil {
		h.runner.Raise(fmt.Sprintf("policies not loaded, and tried again soon; revision %s stays in force: %s", h.runner.Revision(), oneLine(err)))
		return false
	}
	return true
}

// lost says whose policy is gone from a folder: somebody who trades now could not trade any more. A file that is gone may be a disk that is gone, or a copy that is under way, so a person must
// say that it is meant.
func (h *house) lost(content folder.Content) string {
	if len(content.Files) == 0 {
		return "there is no policy file in " + h.config.Policies
	}
	rules, _ := policy.Compile(content.Files, policy.InCurrency(h.config.Fund.Currency))
	if rules == nil {
		return "" // the errors say it
	}
	before, _ := policy.Compile(h.runner.Files(), policy.InCurrency(h.config.Fund.Currency))
	if before == nil {
		return ""
	}
	if before.HasFund() && !rules.HasFund() {
		return "the fund's policy is gone"
	}
	for _, name := range before.Traders() {
		if !slices.Contains(rules.Traders(), name) && slices.ContainsFunc(h.config.Traders, func(t config.Trader) bool { return t.Name == name }) {
			return fmt.Sprintf("the policy of trader %s is gone", name)
		}
	}
	return ""
}

// startRunner makes the runner live, with the folder's policies. When they cannot be read, or others can write them, the revision of the last run stays in force: whoever has orders at a venue
// must be able to cancel them. A hub without such a revision does not start.
func (h *house) startRunner(ctx context.Context) error {
	h.shelf.mu.Lock()
	defer h.shelf.mu.Unlock()
	content, unread := trustedPolicies(h.config)
	files := content.Files
	if unread == nil && files == nil {
		files = []hub.PolicyFile{} // an empty folder is one that was read
	}
	wrong, err := h.runner.Start(ctx, h.host, publisher{h}, files)
	switch {
	case errors.Is(err, runner.ErrNoPolicy):
		return unread
	case err != nil:
		return err
	case unread != nil:
		h.shelf.complaint = oneLine(unread)
		h.runner.Raise(fmt.Sprintf("policies not read; revision %s of the last run stays in force: %s", h.runner.Revision(), oneLine(unread)))
		return nil
	case len(wrong) > 0:
		for _, w := range wrong {
			h.log.Error("policy", "error", w)
		}
		h.runner.Raise(fmt.Sprintf("the policies are wrong; revision %s of the last run stays in force: %s", h.runner.Revision(), firstOf(wrong)))
	default:
		h.warnOf(content)
	}
	h.shelf.read = content
	return nil
}

// warnOf says who cannot trade, whose policy is for nobody, and which rules say nothing. That nobody can trade somebody must look at.
func (h *house) warnOf(content folder.Content) []string {
	rules, _ := policy.Compile(content.Files, policy.InCurrency(h.config.Fund.Currency))
	if rules == nil {
		return nil
	}
	found := uncovered(h.config, rules)
	if !rules.HasFund() {
		h.runner.Raise(fmt.Sprintf("every order is refused: %s; revision %s is in force", found[0], h.runner.Revision()))
	}
	for _, w := range rules.Lint() {
		found = append(found, w.String())
	}
	for _, w := range found {
		h.log.Warn(w)
	}
	return found
}

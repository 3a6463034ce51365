package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// Record is the permanent record. It is told everything that is applied, replay included, and in return the journal forgets nothing that the record does not have.
type Record interface {
	// Restored says that the core begins with a snapshot; Take gives it an entry, its bytes in the journal, and what came of it. What is given is read before they return, or copied. They
	// are called in order, with a lock held that everything waits for; after CaughtUp they do not wait.
	Restored(im *core.Image)
	Take(e hub.Entry, data []byte, effects []core.Effect)
	// CaughtUp says that everything has been given that the journal had when it was opened, up to entry seq. An error says that this record is of another journal, or cannot be used; then
	// Trouble stays, and Sync fails.
	CaughtUp(seq uint64) error
	// Sync waits until entry seq is in the record for good.
	Sync(ctx context.Context, seq uint64) error
	// Trouble says why there should be no new orders, "" when there may be. Changes has the last change of it.
	Trouble() string
	Changes() <-chan string
}

// recordSyncMax is how long a snapshot waits for the record. A snapshot that does not come to be is tried again; meanwhile the journal keeps everything.
const recordSyncMax = 30 * time.Second

// recorded waits until the record has everything up to an entry: only then may the journal forget it.
func (r *Runner) recorded(seq uint64) error {
	if r.opts.Record == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), recordSyncMax)
	defer cancel()
	go func() {
		select {
		case <-r.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := r.opts.Record.Sync(ctx, seq); err != nil {
		return fmt.Errorf("no snapshot, so that the journal keeps what the permanent record has not got: %w", err)
	}
	return nil
}

// mayForget is asked before a snapshot is begun, which costs a copy of the state: with a record that cannot be written it would come to nothing.
func (r *Runner) mayForget() error {
	if r.opts.Record == nil {
		return nil
	}
	if why := r.opts.Record.Trouble(); why != "" {
		return errors.New("no snapshot, so that the journal keeps what the permanent record has not got: " + why)
	}
	return nil
}

func (r *Runner) openRecord() {
	if r.opts.OpenRecord != nil {
		r.opts.Record = r.opts.OpenRecord()
	}
}

// startRecord ends the replay for the record. Without one that can be used the hub starts all the same, and takes no orders: there may be some at the venue, which their traders must be able
// to cancel.
func (r *Runner) startRecord() {
	if r.opts.Record == nil {
		return
	}
	err := r.opts.Record.CaughtUp(look(r, (*core.Core).Seq))
	r.recordChanged(r.opts.Record.Trouble())
	if err != nil {
		r.Raise(fmt.Sprintf("no new orders until the hub is started again, cancels pass: %s", err))
	}
	r.spawn(r.watchRecord)
}

// watchRecord refuses orders at the door while the record cannot keep what becomes of them, and tells everybody.
func (r *Runner) watchRecord() {
	for {
		select {
		case <-r.closing:
			return
		case why := <-r.opts.Record.Changes():
			r.recordChanged(why)
		}
	}
}

func (r *Runner) recordChanged(why string) {
	if why == "" {
		r.refuseFor(&r.recordSays, "", nil)
		return
	}
	r.refuseFor(&r.recordSays, why+": no new orders", errors.New(why))
}

// RolledBack reports whether these files, of the policy folder, are what a rollback put an earlier revision in the place of. They are not to be put in force again unless a person asks for
// it: the rollback holds until the folder says something else.
func (r *Runner) RolledBack(files []hub.PolicyFile) bool {
	instead := look(r, (*core.Core).Instead)
	return instead != "" && instead == policy.RevisionOf(files)
}

// Rollback puts files of an earlier revision in force, in the language that they were written in, in place of what the folder says.
func (r *Runner) Rollback(ctx context.Context, files []hub.PolicyFile, language int, folder []hub.PolicyFile, by string) (revision string, errs []string, err error) {
	in := hub.LoadPolicies{Files: files, By: by, Language: language, Instead: policy.RevisionOf(folder)}
	if in.Instead == policy.RevisionOf(files) {
		in.Instead = "" // the folder says the same
	}
	return r.load(ctx, in)
}

// load puts files in force. Wrong ones are not for the core; they are written down all the same.
func (r *Runner) load(ctx context.Context, in hub.LoadPolicies) (revision string, errs []string, err error) {
	if _, bad := policy.Compile(in.Files, policy.InCurrency(r.opts.SetUp.Currency), policy.OfLanguage(in.Language)); len(bad) > 0 {
		for _, e := range bad {
			errs = append(errs, fmt.Sprint(e))
		}
		r.log.Error("policies refused; the old revision stays", "errors", len(errs), "first", errs[0], "by", in.By)
		r.refusedPolicies(ctx, in, errs)
		return r.Revision(), errs, nil
	}
	err = r.do(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.PoliciesAnswered); ok {
				revision, errs = a.Revision, a.Errors
			}
		}
	})
	return revision, errs, err
}

// refusedPolicies has the record told of files that were wrong. Their errors are the answer whether that works or not.
func (r *Runner) refusedPolicies(ctx context.Context, in hub.LoadPolicies, errs []string) {
	refused := hub.PoliciesRefused{Files: in.Files, By: in.By, Errors: errs, Language: in.Language}
	size := 0
	for _, f := range in.Files {
		size += len(f.Text)
	}
	if size > policy.MaxTotalBytes { // it would not fit into an entry; their names and hashes do
		refused.Files = nil
		for _, f := range in.Files {
			refused.Files = append(refused.Files, hub.PolicyFile{Name: f.Name, Text: fmt.Sprintf("(%d bytes, SHA-256 %s)", len(f.Text), policy.FileHash(f))})
		}
	}
	if err := r.do(ctx, refused, nil); err != nil {
		r.log.Error("the refusal of policies is not in the journal", "error", err)
	}
}

package ctl_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

var override = ctl.Override{
	Number: 3, State: "APPROVED", Trader: "alpha", Contract: "rb2610.SHFE", Direction: "LONG", Quantity: hub.MustDecimal("100"), Rules: []string{"fund:size"}, Places: []string{"fund.yaml:4"},
	Revision: "7f3a91", Reason: "a hedge", Asked: at, Expires: at, AskedBy: "anna", Approved: at, ApprovedBy: "bob",
}

func (o *operator) Overrides() []ctl.Override { return []ctl.Override{override} }

func (o *operator) AskOverride(_ context.Context, q ctl.OverrideQuestion, by hub.Person) (ctl.Override, error) {
	return override, o.note("ask %+v by %+v", q, by)
}

func (o *operator) ApproveOverride(_ context.Context, n uint64, by hub.Person) (ctl.Override, error) {
	return override, o.note("approve %d by %+v", n, by)
}

func (o *operator) WithdrawOverride(_ context.Context, n uint64, reason string, by hub.Person) (ctl.Override, error) {
	return override, o.note("withdraw %d for %q by %+v", n, reason, by)
}

// TestDoors: what whom is let do at which door. What takes two persons takes people of the list at every door, root and the hub's own account included.
func TestDoors(t *testing.T) {
	people := []ctl.Person{
		{Person: hub.Person{Name: "anna", UID: 1001}, Roles: []ctl.Role{ctl.Ask}},
		{Person: hub.Person{Name: "bob", UID: 1002}, Roles: []ctl.Role{ctl.Approve}},
		{Person: hub.Person{Name: "olivia", UID: 1003}, Roles: []ctl.Role{ctl.Operate}},
		{Person: hub.Person{Name: "rita", UID: 1004}, Roles: []ctl.Role{ctl.Read}},
	}
	user := func(name string, uid uint64) hub.Person { return hub.Person{Name: name, User: name, UID: uid} }
	paths := []string{"GET /v1/status", "POST /v1/overrides/ask", "POST /v1/overrides/approve", "POST /v1/overrides/withdraw", "POST /v1/halt", "POST /v1/policy/reload"}
	for _, c := range []struct {
		who   hub.Person
		known bool
		own   bool
		can   string // a letter a path: y or n
		says  string
	}{
		{who: user("a", 1001), known: true, can: "yynynn", says: "anna may not do that: it takes the role "},
		{who: user("b", 1002), known: true, can: "ynyynn", says: "hub.yaml gives bob: approve"},
		{who: user("o", 1003), known: true, can: "ynnyyy", says: "olivia may not do that"},
		{who: user("r", 1004), known: true, can: "ynnynn", says: "rita may not do that"},
		{who: user("mallory", 1005), known: true, can: "nnnnnn", says: "user mallory is not among the people of this hub"},
		{who: user("root", 0), known: true, can: "nnnnnn", says: "user root is not among the people"},
		{known: false, can: "nnnnnn", says: "the system does not say who asks"},
		{who: user("root", 0), known: true, own: true, can: "ynnyyy", says: "user root is not among the people"},
		{who: user("a", 1001), known: true, own: true, can: "yynyyy", says: "it takes the role approve"},
		{known: false, own: true, can: "ynnyyy", says: "the system does not say who asks"},
	} {
		door := ctl.Door{Own: c.own, People: people}
		for i, path := range paths {
			o := new(operator)
			method, path, _ := strings.Cut(path, " ")
			body := "{}"
			if path == "/v1/halt" {
				body = `{"all":true}`
			}
			w := httptest.NewRecorder()
			ctl.Handler(o).ServeHTTP(w, httptest.NewRequestWithContext(door.As(t.Context(), c.who, c.known), method, path, strings.NewReader(body)))
			want := c.can[i] == 'y'
			if got := w.Code == 200; got != want || !want && (w.Code != 403 || !strings.Contains(w.Body.String(), c.says) || len(o.did) > 0) {
				t.Errorf("%s (own door: %t) %s: %d %s, did %v, want %t", c.who, c.own, path, w.Code, w.Body, o.did, want)
			}
		}
	}
}

// TestDesk: over a real socket, the account of this test is whom the list says it is, by its number and under the list's name.
func TestDesk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "desk.sock")
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := ctl.ListenDesk(path, os.Getgid()); err == nil || !strings.Contains(err.Error(), "chmod go-w "+dir) {
		t.Errorf("a folder that the group may write: %v", err)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ctl.ListenDesk(path, os.Getgid()); err == nil || !strings.Contains(err.Error(), "is there and no socket") {
		t.Errorf("a file in its place: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ctl.ListenDesk(filepath.Join(dir, "missing", "desk.sock"), os.Getgid()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	l, err := ctl.ListenDesk(path, os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	uid := uint64(os.Getuid()) //nolint:gosec // not negative on this system
	o := new(operator)
	s := ctl.Door{People: []ctl.Person{{Person: hub.Person{Name: "olivia", UID: uid}, Roles: []ctl.Role{ctl.Ask, ctl.Approve}}}}.Serve(l, o, hclog.NewNullLogger())
	if _, err := ctl.ListenDesk(path, os.Getgid()); err == nil || !strings.Contains(err.Error(), "another hub answers at "+path) {
		t.Errorf("another hub: %v", err)
	}
	c := ctl.NewDeskClient(path)
	question := ctl.OverrideQuestion{Trader: "alpha", Contract: "rb2610.SHFE", Direction: "LONG", Quantity: hub.MustDecimal("100"), Rules: []string{"size"}, Reason: "a hedge", Seconds: 600}
	same := cmp.Comparer(func(a, b hub.Decimal) bool { return a.Equal(b) })
	for _, ask := range []func() (ctl.Override, error){
		func() (ctl.Override, error) { return c.AskOverride(t.Context(), question) },
		func() (ctl.Override, error) { return c.ApproveOverride(t.Context(), 3) },
		func() (ctl.Override, error) { return c.WithdrawOverride(t.Context(), 3, "no") },
	} {
		got, err := ask()
		if diff := cmp.Diff(override, got, same); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	var p *ctl.ProblemError
	if _, err := c.ReloadPolicy(t.Context()); !errors.As(err, &p) || p.Text != "olivia may not do that: it takes the role operate" {
		t.Errorf("reload: %v", err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	who := hub.Person{Name: "olivia", User: me(t), UID: uid}
	want := []string{"ask " + sprint(question) + " by " + sprint(who), "approve 3 by " + sprint(who), `withdraw 3 for "no" by ` + sprint(who)}
	if !slices.Equal(o.did, want) {
		t.Errorf("got  %q\nwant %q", o.did, want)
	}
}

func sprint(v any) string { return fmt.Sprintf("%+v", v) }

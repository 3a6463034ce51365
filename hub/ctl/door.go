package ctl

import (
	"net/http"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"tradehub/hub"
)

// Role is what a person may do.
type Role string

// Roles. Whoever has one may also Read.
const (
	Read    Role = "read"
	Ask     Role = "ask"
	Approve Role = "approve"
	Operate Role = "operate"
)

// Person is somebody of the fund, known by the number of an account of the system.
type Person struct {
	hub.Person
	Roles []Role
}

// Door is who gets in by one socket, and what they may do there.
type Door struct {
	// Own is the socket in the data directory, which only the hub's own account and root can open: they could as well end the process, and may do all that takes one person. What
	// takes two takes people of the list, here as everywhere.
	Own    bool
	People []Person
}

// caller is who asks.
type caller struct {
	person hub.Person
	known  bool // the kernel says which account it is
	listed bool
	roles  []Role
	own    bool
}

// callerKey is of a func() caller: who asks is looked up when it is asked for, by the one who asks, and not in the way of others who connect.
type callerKey struct{}

// nameWithin is how long the system may take to say what an account is called. A directory that hangs must not keep anybody from a halt.
const nameWithin = time.Second

// personOf is an account by its number, with its name, or its number when the system does not know it in time.
func personOf(uid uint64, known bool) hub.Person {
	if !known {
		return hub.Person{}
	}
	id := strconv.FormatUint(uid, 10)
	p := hub.Person{Name: "uid " + id, User: "uid " + id, UID: uid}
	found := make(chan string, 1)
	go func() {
		if u, err := user.LookupId(id); err == nil {
			found <- u.Username
		}
		close(found)
	}()
	timer := time.NewTimer(nameWithin)
	defer timer.Stop()
	select {
	case name := <-found:
		if name != "" {
			p.Name, p.User = name, name
		}
	case <-timer.C:
	}
	return p
}

func (d Door) caller(peer hub.Person, known bool) caller {
	c := caller{person: peer, known: known, own: d.Own}
	if !known {
		c.person.Name = "unknown user"
		return c
	}
	if i := slices.IndexFunc(d.People, func(p Person) bool { return p.UID == peer.UID }); i >= 0 {
		c.listed, c.roles, c.person.Name = true, d.People[i].Roles, d.People[i].Name
	}
	return c
}

func callerOf(r *http.Request) caller {
	if c, ok := r.Context().Value(callerKey{}).(func() caller); ok {
		return c()
	}
	return caller{person: hub.Person{Name: "operator"}, own: true} // no socket: a test, or a program that wraps the handler
}

// refuses says why a caller may not do what takes a role; "" when it may.
func (c caller) refuses(role Role) *ProblemError {
	twoPersons := role == Ask || role == Approve
	switch {
	case c.own && !twoPersons:
		return nil
	case !c.known:
		return &ProblemError{Text: "the system does not say who asks"}
	case !c.listed:
		return &ProblemError{
			Text: "user " + c.person.User + " is not among the people of this hub", Hint: "hub.yaml has them: people: {anna: {user: " + c.person.User + ", roles: [" + string(role) + "]}}",
		}
	case role == Read || slices.Contains(c.roles, role):
		return nil
	}
	has := make([]string, len(c.roles))
	for i, r := range c.roles {
		has[i] = string(r)
	}
	return &ProblemError{Text: c.person.Name + " may not do that: it takes the role " + string(role), Hint: "hub.yaml gives " + c.person.Name + ": " + strings.Join(has, ", ")}
}

// may answers whoever may not.
func may(w http.ResponseWriter, r *http.Request, role Role) bool {
	if problem := callerOf(r).refuses(role); problem != nil {
		answer(w, http.StatusForbidden, problem)
		return false
	}
	return true
}

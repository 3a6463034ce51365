package main

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"slices"
	"strconv"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/ctl"
)

// peopleOf finds the accounts of those at the desk. Whoever the system does not know, and whoever shares an account with another, is left out and said to be: an account that is gone
// must not keep the hub from trading.
func peopleOf(file string, c config.Config) (people []ctl.Person, wrong []string) {
	accounts := map[uint64]string{}
	for _, p := range c.People {
		say := func(format string, args ...any) {
			wrong = append(wrong, config.Error{File: file, Line: p.Line, Col: p.Column, Path: "people." + p.Name, Text: fmt.Sprintf(format, args...)}.Error())
		}
		uid, name, err := userOf(p.User)
		if err != nil {
			say("%v", err)
			continue
		}
		if other := accounts[uid]; other != "" {
			say("user %s is the account of %s; one account is one person", p.User, other)
			people = slices.DeleteFunc(people, func(x ctl.Person) bool { return x.UID == uid })
			continue
		}
		accounts[uid] = p.Name
		people = append(people, ctl.Person{
			Person: hub.Person{Name: p.Name, User: name, UID: uid}, Roles: mapped(p.Roles, func(r config.Role) ctl.Role { return ctl.Role(r) }),
		})
	}
	return people, wrong
}

// userOf is the number and the name of an account. A number need not have a name.
func userOf(s string) (uint64, string, error) {
	if uid, err := strconv.ParseUint(s, 10, 32); err == nil {
		if u, err := user.LookupId(s); err == nil {
			return uid, u.Username, nil
		}
		return uid, "uid " + s, nil
	}
	u, err := user.Lookup(s)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return 0, "", fmt.Errorf("the system has no user %s", s)
	}
	if err != nil {
		return 0, "", err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	return uid, u.Username, err
}

// groupOf is the number of the group of the desk.
func groupOf(file string, c config.Config) (int, []string) {
	if gid, err := strconv.ParseUint(c.Desk.Group, 10, 31); err == nil {
		return int(gid), nil //nolint:gosec // 31 bits
	}
	g, err := user.LookupGroup(c.Desk.Group)
	if err == nil {
		var gid uint64
		if gid, err = strconv.ParseUint(g.Gid, 10, 31); err == nil {
			return int(gid), nil //nolint:gosec // 31 bits
		}
	}
	text := err.Error()
	if unknown := user.UnknownGroupError(""); errors.As(err, &unknown) {
		text = "the system has no group " + c.Desk.Group + "; groupadd " + c.Desk.Group + " makes it"
	}
	return 0, []string{config.Error{File: file, Line: c.Desk.Line, Col: c.Desk.Column, Path: "desk.group", Text: text}.Error()}
}

// checkPeople says what is wrong with the people and their socket's group.
func checkPeople(file string, c config.Config) []string {
	if len(c.People) == 0 {
		return nil
	}
	_, wrong := peopleOf(file, c)
	_, more := groupOf(file, c)
	return append(wrong, more...)
}

// openDoors answers on the socket in the data directory, and on the desk's. What is wrong with the desk is logged and keeps nobody from trading.
func (h *house) openDoors() error {
	people, wrong := peopleOf(configDefault, h.config)
	listener, err := ctl.Listen(h.config.Data)
	if err != nil {
		return err
	}
	log := h.log.Named("ctl")
	h.ctl = append(h.ctl, ctl.Door{Own: true, People: people}.Serve(listener, operator{h}, log))
	if h.config.Desk.Socket == "" {
		return nil
	}
	group, more := groupOf(configDefault, h.config)
	var desk net.Listener
	if wrong = append(wrong, more...); len(more) == 0 {
		if desk, err = ctl.ListenDesk(h.config.Desk.Socket, group); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	for _, line := range wrong {
		h.log.Error("desk", "error", line)
	}
	if desk == nil {
		h.log.Error("nobody but the hub's own user and root reaches the hub", "socket", h.config.Desk.Socket)
		return nil
	}
	h.ctl = append(h.ctl, ctl.Door{People: people}.Serve(desk, operator{h}, log))
	return nil
}

package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Role is what a person may do at the hub's desk.
type Role string

// Roles. Whoever has one may also see what hub ctl shows, and withdraw an override.
const (
	// Read may look.
	Read Role = "read"
	// Ask may ask for an override.
	Ask Role = "ask"
	// Approve may approve an override that another person has asked for.
	Approve Role = "approve"
	// Operate may do all else: halt, cancel, flatten, transfer, reload.
	Operate Role = "operate"
)

var roles = []string{string(Read), string(Ask), string(Approve), string(Operate)}

// Person is somebody at the fund's desk. Who that is, the hub knows by the account of the system that the other end of its socket runs under.
type Person struct {
	Name string
	// User is the account: its name, or its number.
	User  string
	Roles []Role
	// Line and Column are where the file names the account, for who finds out that there is none.
	Line, Column int
}

// Desk is the socket that people other than the hub's own account use.
type Desk struct {
	// Socket is its path; its folder must be there, and nobody but the hub's account may write it.
	Socket string
	// Group owns the socket: those who are in it reach the hub. Its name, or its number.
	Group string
	// Line and Column are where the file names the group.
	Line, Column int
}

// accountForm is what systems take for names of users and groups, and their numbers.
var accountForm = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]*\$?|0|[1-9][0-9]{0,9})$`)

// peoplePlaces are where the file says who is who.
type peoplePlaces struct {
	people, desk place // of the keys; node nil when they are not there
}

func (r *reader) account(p place, what string, to *string) {
	if s, ok := r.text(p); ok && (!accountForm.MatchString(s) || len(s) > nameMax) {
		r.fail(p, "%q is no name of a %s of the system", clip(s), what)
	} else {
		*to = s
	}
}

func (r *reader) peopleOf(p place, d *document) {
	d.desk.people = p
	r.named(p, "person", func(name string, key, value place) {
		person := Person{Name: name, User: name, Line: key.node.Line, Column: key.node.Column}
		at := key
		r.object(value,
			field{"user", "", func(p place) {
				at = p
				person.Line, person.Column = p.node.Line, p.node.Column
				r.account(p, "user", &person.User)
			}},
			field{"roles", "roles: [ask], of " + strings.Join(roles, ", "), func(p place) { person.Roles = r.roles(p) }},
		)
		if same := slices.IndexFunc(d.config.People, func(other Person) bool { return other.User == person.User }); same >= 0 {
			r.fail(at, "user %s is %s already, in line %d; one account is one person", person.User, d.config.People[same].Name, d.config.People[same].Line)
		}
		d.config.People = append(d.config.People, person)
	})
	if p.node.Kind == yaml.MappingNode && len(p.node.Content) == 0 {
		r.fail(p, "there is nobody; write anna: {user: anna, roles: [ask]}, or remove the key")
	}
}

func (r *reader) roles(p place) (all []Role) {
	isList := r.list(p, func(p place) {
		s, ok := r.oneOf(p, "role", roles...)
		switch {
		case !ok:
		case slices.Contains(all, Role(s)):
			r.fail(p, "%s is written twice; remove one", s)
		default:
			all = append(all, Role(s))
		}
	})
	if isList && len(p.node.Content) == 0 {
		r.fail(p, "there is no role; write [%s] for who may only look", Read)
	}
	return all
}

func (r *reader) deskOf(p place, d *document) {
	d.desk.desk = p
	r.object(p,
		field{"socket", "socket: /run/hub-desk/ctl.sock", func(p place) {
			s, ok := r.text(p)
			switch {
			case !ok:
			case !filepath.IsAbs(s):
				r.fail(p, "%q is no absolute path; people call the hub from any folder: write /run/hub-desk/ctl.sock", clip(s))
			case len(s) > ipcPathMax:
				r.fail(p, "the path has %d bytes, and a socket's may have %d", len(s), ipcPathMax)
			default:
				d.config.Desk.Socket = filepath.Clean(s)
			}
		}},
		field{"group", "group: hub-desk", func(p place) {
			d.config.Desk.Line, d.config.Desk.Column = p.node.Line, p.node.Column
			r.account(p, "group", &d.config.Desk.Group)
		}},
	)
}

// crossCheckPeople: people need a way to the hub, and a way without people is for nobody.
func (r *reader) crossCheckPeople(d document) {
	if d.desk.people.node != nil && d.desk.desk.node == nil {
		r.fail(d.desk.people, "people cannot reach the hub without a socket of theirs; write desk: {socket: /run/hub-desk/ctl.sock, group: hub-desk} beside it")
	}
	if d.desk.people.node == nil && d.desk.desk.node != nil {
		r.fail(d.desk.desk, "the desk is for people; write people: {anna: {user: anna, roles: [ask]}} beside it, or remove the key")
	}
}

package core

import (
	"slices"
	"strings"

	"tradehub/hub"
)

// restraint is one word on what is allowed to the fund, a trader or through a gateway: a person's, of which there is one at most, or a watch's. They are kept in a list of their own and
// not with what they are about, so that a gateway that leaves the configuration and comes back is as it was.
type restraint struct {
	Scope  hub.Scope `cbor:"1,keyasint,omitempty"`
	Name   string    `cbor:"2,keyasint,omitempty"`
	State  hub.State `cbor:"3,keyasint"`
	By     string    `cbor:"4,keyasint,omitempty"`
	Reason string    `cbor:"5,keyasint,omitempty"`
	Since  hub.Time  `cbor:"6,keyasint,omitempty"`
	// Watch is the place and the name of the watch that set it; "" of a person's.
	Watch string `cbor:"7,keyasint,omitempty"`
}

// subject is what a state is of, in words.
func subject(scope hub.Scope, name string) hub.Words {
	switch scope {
	case hub.ScopeTrader:
		return hub.Say("%s", name)
	case hub.ScopeGateway:
		return hub.Say("gateway %s", name)
	case hub.ScopeFund:
	}
	return hub.Say("the fund")
}

// scopeOf is the subject that a book is of.
func scopeOf(b *book) (hub.Scope, string) {
	if b.Trader == "" {
		return hub.ScopeFund, ""
	}
	return hub.ScopeTrader, string(b.Trader)
}

// oldHalt is what a journal of before SetState says.
func oldHalt(in hub.Halt) hub.SetState {
	s := hub.SetState{Name: string(in.Trader), By: in.By, Reason: in.Reason}
	if in.Trader != "" {
		s.Scope = hub.ScopeTrader
	}
	if in.On {
		s.State = hub.Halted
	}
	return s
}

// source is who set it, and why.
func (r *restraint) source() hub.Words {
	by := hub.Say("by %s", r.By)
	if r.Watch != "" {
		by = hub.Say("by watch %s", r.Watch)
		if r.Scope == hub.ScopeFund {
			return by // its figures are the fund's, and every trader reads this; the watch's alert has them
		}
	}
	if why, is := strings.CutPrefix(r.Reason, "flatten"); is && (why == "" || strings.HasPrefix(why, ": ")) {
		return hub.Say("%s: %s", by, reasoned(hub.Say("flatten"), strings.TrimPrefix(why, ": ")))
	}
	return reasoned(by, r.Reason)
}

// sentence says what holds, since when, by whom and why.
func (r *restraint) sentence(now hub.Time) hub.Words {
	if r.Since == 0 {
		return hub.Say("%s is %s %s", subject(r.Scope, r.Name), r.State, r.source())
	}
	return hub.Say("%s is %s since %s %s", subject(r.Scope, r.Name), r.State, moment(r.Since, now), r.source())
}

// words are a sentence without its subject, for who asks about that.
func (r *restraint) words(now hub.Time) string {
	since := ""
	if r.Since != 0 {
		since = " since " + moment(r.Since, now)
	}
	return r.State.String() + since + " " + r.source().String()
}

// about reports whether the restraint is of one subject.
func (r *restraint) about(scope hub.Scope, name string) bool {
	return r.Scope == scope && r.Name == name
}

// setState takes a person's word.
func (c *Core) setState(in hub.SetState) {
	if !c.hasSubject(in.Scope, in.Name) {
		c.alert("%s of %s, which does not exist", in.State, subject(in.Scope, in.Name))
		return
	}
	whom := hub.TraderName("")
	if in.Scope == hub.ScopeTrader {
		whom = hub.TraderName(in.Name)
	}
	switch in.State {
	case hub.Active:
		c.stopFlatten(in.Scope, in.Name, hub.Say("resumed by %s", in.By))
	case hub.Halted:
		c.stopFlatten(in.Scope, in.Name, hub.Say("halted by %s", in.By))
	case hub.ReduceOnly, hub.CancelOnly:
	}
	if in.State == hub.Active {
		c.lift(in.Scope, in.Name)
		c.forgive(in.Scope, in.Name)
		c.tell(whom, Info, "", hub.Say("%s is ACTIVE again, by %s", subject(in.Scope, in.Name), in.By))
		return
	}
	c.restrain(restraint{Scope: in.Scope, Name: in.Name, State: in.State, By: in.By, Reason: in.Reason, Since: c.now})
}

// hasSubject reports whether there is such a trader or gateway, or was one that is still restrained.
func (c *Core) hasSubject(scope hub.Scope, name string) bool {
	switch scope {
	case hub.ScopeFund:
		return name == ""
	case hub.ScopeTrader:
		return c.byTrader[hub.TraderName(name)] != nil
	case hub.ScopeGateway:
		return c.gateway(hub.GatewayName(name)) != nil || slices.ContainsFunc(c.restraints, func(r restraint) bool { return r.about(scope, name) })
	}
	return false
}

// restrain adds a restraint, in place of the one that its setter had set before, and tells whom it concerns.
func (c *Core) restrain(r restraint) {
	i := slices.IndexFunc(c.restraints, func(old restraint) bool { return old.about(r.Scope, r.Name) && old.Watch == r.Watch })
	if i >= 0 {
		c.restraints[i] = r
	} else {
		c.restraints = append(c.restraints, r)
	}
	c.weighStates()
	whom := hub.TraderName("")
	if r.Scope == hub.ScopeTrader {
		whom = hub.TraderName(r.Name)
	}
	c.tell(whom, Warning, "", hub.Say("%s is %s %s; cancels pass", subject(r.Scope, r.Name), r.State, r.source()))
	part := hub.Part{Trader: whom}
	if r.Scope == hub.ScopeGateway {
		part.Gateway = hub.GatewayName(r.Name)
	}
	c.emit(Withhold{Part: part, Opening: r.State == hub.ReduceOnly, Why: hub.Say("%s is %s %s", subject(r.Scope, r.Name), r.State, r.source()).String()})
}

// lift ends every restraint of a subject: a person has looked.
func (c *Core) lift(scope hub.Scope, name string) {
	c.restraints = slices.DeleteFunc(c.restraints, func(r restraint) bool { return r.about(scope, name) })
	c.weighStates()
}

// weighStates finds the most restrictive state of everybody.
func (c *Core) weighStates() {
	c.fund.state = c.stateOf(hub.ScopeFund, "")
	for _, b := range c.traders {
		b.state = c.stateOf(hub.ScopeTrader, string(b.Trader))
	}
	for _, g := range c.gateways {
		g.state = c.stateOf(hub.ScopeGateway, string(g.Name))
	}
}

func (c *Core) stateOf(scope hub.Scope, name string) hub.State {
	state := hub.Active
	for i := range c.restraints {
		if c.restraints[i].about(scope, name) {
			state = max(state, c.restraints[i].State)
		}
	}
	return state
}

// strictest is the restraint of a subject that decides, the oldest of several; nil when there is none.
func (c *Core) strictest(scope hub.Scope, name string) *restraint {
	var found *restraint
	for i := range c.restraints {
		if r := &c.restraints[i]; r.about(scope, name) && (found == nil || found.State < r.State) {
			found = r
		}
	}
	return found
}

// whyState is every restraint of a subject in words, the most restrictive first; "" when there is none.
func (c *Core) whyState(scope hub.Scope, name string) string {
	var all []restraint
	for _, r := range c.restraints {
		if r.about(scope, name) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b restraint) int { return int(b.State) - int(a.State) })
	words := make([]string, len(all))
	for i := range all {
		words[i] = all[i].words(c.now)
	}
	return strings.Join(words, "; ")
}

// Restraint is one word on what is allowed to a trader, the fund or through a gateway.
type Restraint struct {
	State  hub.State
	By     string // a person; "" of a watch
	Watch  string // place and name of the watch; "" of a person
	Reason string
	Since  hub.Time // 0: before the hub remembered it
}

// restraintsOf are those of a subject, in the order in which they were set.
func (c *Core) restraintsOf(scope hub.Scope, name string) []Restraint {
	var out []Restraint
	for _, r := range c.restraints {
		if r.about(scope, name) {
			out = append(out, Restraint{State: r.State, By: r.By, Watch: r.Watch, Reason: r.Reason, Since: r.Since})
		}
	}
	return out
}

// forbidden adds what the states of its trader, of the fund and of its gateway say against an order. Every one that does is named.
func (c *Core) forbidden(refusals []hub.Refusal, o *order, b *book, k *contract) []hub.Refusal {
	g := c.gateway(k.Gateway)
	if max(b.state, c.fund.state) == hub.Active && (g == nil || g.state == hub.Active) {
		return refusals
	}
	for _, x := range []*restraint{
		c.strictest(hub.ScopeTrader, string(b.Trader)), c.strictest(hub.ScopeFund, ""), c.strictest(hub.ScopeGateway, string(k.Gateway)),
	} {
		if x == nil {
			continue
		}
		//exhaustive:ignore
		switch x.State {
		case hub.Halted:
			refusals = append(refusals, hub.Refuse("halted", "%s", x.sentence(c.now)))
		case hub.CancelOnly:
			refusals = append(refusals, hub.Refuse("cancel-only", "%s", x.sentence(c.now)))
		case hub.ReduceOnly:
			if why := notReducing(o, b, k); !why.Empty() {
				refusals = append(refusals, hub.Refuse("reduce-only", "%s", []hub.Words{x.sentence(c.now), why}))
			}
		}
	}
	return refusals
}

// notReducing says why an order could do something else than make its trader's position smaller; empty when it cannot. What is held is counted at the order's gateway alone, and all
// that works in the order's direction is taken as filled before it: so whatever fills in whichever order, the position neither grows nor changes its sign.
func notReducing(o *order, b *book, k *contract) hub.Words {
	var sum hub.Sum
	p := b.peek(k.key)
	if !k.NetPosition {
		if !o.Offset.Closes() {
			return hub.Say("this order opens")
		}
		return hub.Words{} // closable sees that no more is closed than is held and free
	}
	against, working := p.Long.qty(&sum), p.WorkingSell
	if o.Direction == hub.Long {
		against, working = p.Short.qty(&sum), p.WorkingBuy
	}
	if against.IsZero() {
		return hub.Say("this order opens")
	}
	if sum.Add(working, o.Qty).Cmp(against) <= 0 && sum.Err() == nil {
		return hub.Words{}
	}
	return hub.Say("%s are to be closed, %s are held %s, and %s of them are being closed already", o.Qty, against, opposite(o.Direction), working)
}

// takeOldHalts makes restraints of what images of before there were any say.
func (c *Core) takeOldHalts() {
	for _, b := range append([]*book{c.fund}, c.traders...) {
		if !b.Halted {
			continue
		}
		r := restraint{State: hub.Halted, Name: string(b.Trader)}
		if b.Trader != "" {
			r.Scope = hub.ScopeTrader
		}
		r.By, r.Reason, _ = strings.Cut(strings.TrimPrefix(b.HaltWhy, "by "), ": ")
		c.restraints = append(c.restraints, r)
		b.Halted, b.HaltWhy = false, ""
	}
	c.weighStates()
}

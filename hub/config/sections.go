package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	_ "time/tzdata" // zones must not depend on what the machine has

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// Parse reads hub.yaml. file is its name as the operator gave it: it stands in the errors, and its folder is what relative paths begin from. With any error there is no
// Config, and the errors are all there are, sorted by line.
func Parse(file string, text []byte) (Config, []Error) {
	root, errs := parse(file, text)
	if len(errs) > 0 {
		return Config{}, errs
	}
	r := &reader{file: file}
	doc := r.document(place{root, ""})
	if r.crossCheck(doc); len(r.errors) > 0 {
		sortErrors(r.errors)
		return Config{}, r.errors
	}
	return doc.build(filepath.Dir(file)), nil
}

// document is the file as values, with the places that errors between two of them need.
type document struct {
	config   Config
	traders  []traderPlaces
	gateways map[string]place
	groups   []groupPlaces
	managers map[string]place
	desk     peoplePlaces
}

type traderPlaces struct {
	request, publish endpoint
	allow            place // of the list; node nil when there is none
	veighna          place
}

// build makes relative paths begin at the folder of the file.
func (d document) build(folder string) Config {
	c := d.config
	for _, path := range []*string{&c.Data, &c.PluginDir, &c.Policies, &c.CalendarFiles} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	for i := range c.Traders {
		if c.Traders[i].Language == "" {
			c.Traders[i].Language = c.Language
		}
	}
	return c
}

func (r *reader) document(root place) document {
	d := document{
		config: Config{
			Policies: PoliciesDefault, Calendar: Calendar{Name: CalendarDefault}, CalendarFiles: CalendarFilesDefault, Language: LanguageDefault,
			Journal: Journal{MinFree: MinFreeDefault, SnapshotEntries: SnapshotEntriesDefault},
		},
		gateways: map[string]place{}, managers: map[string]place{},
	}
	c := &d.config
	r.object(root,
		field{"data", "data: ./data", func(p place) { r.path(p, &c.Data) }},
		field{"fund", "fund: {name: evergreen, currency: CNY}", func(p place) { c.Fund = r.fund(p) }},
		field{"traders", "traders: {alpha: {capital: 2_000_000, veighna: {request: ..., publish: ...}}}", func(p place) { r.traders(p, &d) }},
		field{"gateways", "gateways: {SIM: {plugin: sim}}", func(p place) { r.gateways(p, &d) }},
		field{"groups", "", func(p place) { r.groups(p, &d) }},
		field{"risk_managers", "", func(p place) { r.managers(p, &d) }},
		field{"plugins", "", func(p place) { r.object(p, field{"dir", "dir: ./plugins", func(p place) { r.path(p, &c.PluginDir) }}) }},
		field{"policies", "", func(p place) { r.path(p, &c.Policies) }},
		field{"policies_group", "", func(p place) { r.group(p, &c.PoliciesGroup) }},
		field{"policies_watch", "", func(p place) {
			if s, ok := r.oneOf(p, "truth", "true", "false"); ok {
				c.PoliciesByHand = s == "false"
			}
		}},
		field{"calendar", "", func(p place) { r.calendar(p, &c.Calendar) }},
		field{"calendars", "", func(p place) { r.calendars(p, &c.Calendars) }},
		field{"calendar_files", "", func(p place) { r.path(p, &c.CalendarFiles); c.CalendarFilesNamed = true }},
		field{"journal", "", func(p place) { r.journal(p, &c.Journal) }},
		field{"language", "", func(p place) { r.language(p, &c.Language) }},
		field{"people", "", func(p place) { r.peopleOf(p, &d) }},
		field{"desk", "", func(p place) { r.deskOf(p, &d) }},
	)
	return d
}

func (r *reader) path(p place, to *string) {
	if s, ok := r.text(p); ok {
		*to = s
	}
}

// groupForm is what groupadd takes.
var groupForm = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

func (r *reader) group(p place, to *string) {
	if s, ok := r.text(p); ok && !groupForm.MatchString(s) {
		r.fail(p, "%q is no name for a group of users; write policies_group: compliance, as groupadd compliance makes it", clip(s))
	} else {
		*to = s
	}
}

var (
	fundForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3,5}$`)
)

// flattenSlipMost is the furthest that a closing order may be from the market at the first try.
var flattenSlipMost = hub.MustDecimal("0.1")

func (r *reader) fund(p place) (f Fund) {
	f.FlattenSlip = FlattenSlipDefault
	rates := map[string]place{}
	defer func() {
		if own, ok := rates[f.Currency]; ok {
			r.fail(own, "%s is the fund's own currency: its rate is 1; remove the key", f.Currency)
		}
	}()
	r.object(p,
		field{"name", "name: evergreen", func(p place) {
			if s, ok := r.text(p); ok && (!fundForm.MatchString(s) || len(s) > nameMax) {
				r.fail(p, "%q is no name for a fund; write letters, digits, - and _, at most %d", clip(s), nameMax)
			} else {
				f.Name = s
			}
		}},
		field{"currency", "currency: CNY", func(p place) {
			if s, ok := r.text(p); ok && !currencyForm.MatchString(s) {
				r.fail(p, "%q is no currency; write its code in capitals, such as CNY or USDT", clip(s))
			} else {
				f.Currency = s
			}
		}},
		field{"rates", "", func(p place) { r.rates(p, &f.Rates, rates) }},
		field{"rates_max_age", "", func(p place) {
			if d, ok := r.duration(p, ratesMaxAgeMax); ok {
				f.RatesMaxAge = d
			}
		}},
		field{"flatten_slip", "", func(p place) {
			switch d, ok := r.decimal(p); {
			case !ok:
			case !d.IsPos() || flattenSlipMost.Less(d):
				r.fail(p, "%s is no slip: a part of the price over 0 and up to %s, such as 0.02", d, flattenSlipMost)
			default:
				f.FlattenSlip = d
			}
		}},
	)
	return f
}

func (r *reader) rates(p place, to *[]hub.Rate, at map[string]place) {
	r.each(p, func(currency string, key, value place) {
		if !currencyForm.MatchString(currency) {
			r.fail(key, "%q is no currency; write its code in capitals, such as CNY or USDT", clip(currency))
			return
		}
		rate, ok := r.decimal(value)
		switch {
		case ok && !rate.IsPos():
			r.fail(value, "%s is not above 0", rate)
		case ok && (hub.Int(ratesMost).Less(rate) || rate.MinScale() > ratesScaleMax):
			r.fail(value, "%s is no rate: at most %d, with at most %d decimals", rate, ratesMost, ratesScaleMax)
		}
		at[currency] = key
		*to = append(*to, hub.Rate{Currency: currency, Rate: rate})
	})
}

func (r *reader) traders(p place, d *document) {
	r.named(p, "trader", func(name string, key, value place) {
		if name == string(hub.Unassigned) {
			r.fail(key, "%s is no name for a trader: it stands for what the venue's account holds and is no trader's; choose another", name)
		}
		t := Trader{Name: hub.TraderName(name), Share: 1}
		var at traderPlaces
		r.object(value,
			field{"capital", "capital: 500_000", func(p place) {
				n, ok := r.decimal(p)
				if ok && !n.IsPos() {
					r.fail(p, "%s is not above 0", n)
				}
				t.Capital = n
			}},
			field{"language", "", func(p place) { r.language(p, &t.Language) }},
			field{"share", "", func(p place) {
				if n, ok := r.count(p, 1, shareMax); ok {
					t.Share = int(n) //nolint:gosec // at most shareMax
				}
			}},
			field{"veighna", `veighna: {request: "tcp://127.0.0.1:2014", publish: "tcp://127.0.0.1:4102"}`, func(p place) {
				at.veighna = p
				r.veighna(p, &t.VeighNa, &at)
			}},
		)
		d.config.Traders = append(d.config.Traders, t)
		d.traders = append(d.traders, at)
	})
	if p.node.Kind == yaml.MappingNode && len(p.node.Content) == 0 {
		r.fail(p, "there is no trader; write alpha: {capital: ..., veighna: {...}}")
	}
}

func (r *reader) veighna(p place, v *VeighNa, at *traderPlaces) {
	r.object(p,
		field{"request", `request: "tcp://127.0.0.1:2014"`, func(p place) { at.request = r.endpoint(p); v.Request = at.request.text }},
		field{"publish", `publish: "tcp://127.0.0.1:4102"`, func(p place) { at.publish = r.endpoint(p); v.Publish = at.publish.text }},
		field{"allow", "", func(p place) { at.allow = p; v.Allow = r.prefixes(p) }},
		field{"version", "", func(p place) { r.version(p, &v.Version) }},
	)
}

var versionForm = regexp.MustCompile(`^([2-4])\.(\d{1,2})(\.\d{1,3})?$`)

// version maps the versions of VeighNa to the two framings of the publish address; the change came with 4.5.0.
func (r *reader) version(p place, to *string) {
	s, ok := r.text(p)
	if !ok {
		return
	}
	m := versionForm.FindStringSubmatch(s)
	switch {
	case m == nil, m[1] == "4" && m[2] != "5" && (len(m[2]) > 1 || m[2] > "4"):
		r.fail(p, `VeighNa %q is not known here; write "4.5" for 4.5, "4.4" for 4.4 and older, or remove the key: then both are served`, clip(s))
	case m[1] == "4" && m[2] == "5":
		*to = "4.5"
	default:
		*to = "4.4"
	}
}

func (r *reader) language(p place, to *Language) {
	if s, ok := r.oneOf(p, "language", string(Chinese), string(English)); ok {
		*to = Language(s)
	}
}

func (r *reader) plugin(p place, to *string) {
	if s, ok := r.text(p); ok && (!nameForm.MatchString(s) || len(s) > nameMax) {
		r.fail(p, "%q is no name of a plugin; write the file's name in the plugins' folder, without the folder", clip(s))
	} else {
		*to = s
	}
}

func (r *reader) gateways(p place, d *document) {
	r.named(p, "gateway", func(name string, key, value place) {
		g := Gateway{Name: hub.GatewayName(name), Settings: []byte("{}")}
		r.object(value,
			field{"plugin", "plugin: sim", func(p place) { r.plugin(p, &g.Plugin) }},
			field{"settings", "", func(p place) { r.settings(p, &g.Settings) }},
			field{"messages", "", func(p place) { r.messages(p, &g.Messages) }},
		)
		d.config.Gateways = append(d.config.Gateways, g)
		d.gateways[name] = key
	})
	if p.node.Kind == yaml.MappingNode && len(p.node.Content) == 0 {
		r.fail(p, "there is no gateway; write SIM: {plugin: sim}")
	}
}

// messages reads one limit of a channel, or a list of them.
func (r *reader) messages(p place, to *[]hub.MessageLimit) {
	one := func(p place) {
		s, ok := r.text(p)
		if !ok {
			return
		}
		limit, err := hub.ParseMessageLimit(s)
		switch {
		case err != nil:
			r.fail(p, "%q is no limit of messages; %s", clip(s), err)
		case slices.ContainsFunc(*to, func(l hub.MessageLimit) bool { return l.Window == limit.Window }):
			r.fail(p, "there is a limit for %s already; remove one", limit.Window)
		default:
			*to = append(*to, limit)
		}
	}
	if p.node.Kind == yaml.SequenceNode {
		r.list(p, one)
		return
	}
	one(p)
}

func (r *reader) managers(p place, d *document) {
	r.named(p, "risk manager", func(name string, key, value place) {
		m := Manager{Name: name, Deadline: DeadlineDefault, Settings: []byte("{}")}
		r.object(value,
			field{"plugin", "plugin: margin", func(p place) { r.plugin(p, &m.Plugin) }},
			field{"deadline", "", func(p place) {
				if t, ok := r.duration(p, deadlineMax); ok {
					m.Deadline = t
				}
			}},
			field{"settings", "", func(p place) { r.settings(p, &m.Settings) }},
		)
		d.config.Managers = append(d.config.Managers, m)
		d.managers[name] = key
	})
}

func (r *reader) journal(p place, to *Journal) {
	r.object(p,
		field{"min_free", "", func(p place) {
			if n, ok := r.size(p, minFreeMax); ok {
				to.MinFree = n
			}
		}},
		field{"snapshot_entries", "", func(p place) {
			if n, ok := r.count(p, snapshotEntriesMin, snapshotEntriesMax); ok {
				to.SnapshotEntries = n
			}
		}},
	)
}

// crossCheck holds values against each other: addresses against addresses, names against names.
func (r *reader) crossCheck(d document) {
	for name, manager := range d.managers {
		if gateway, both := d.gateways[name]; both {
			r.fail(manager, "a gateway in line %d has this name too; the plugins' folders for their state are named after them, so choose another", gateway.node.Line)
		}
	}
	r.crossCheckGroups(d)
	r.crossCheckPeople(d)
	var bound []endpoint
	for _, at := range d.traders {
		for _, e := range []endpoint{at.request, at.publish} {
			if e.node == nil {
				continue
			}
			for _, other := range bound {
				if e.clashes(other) {
					r.fail(e.place, "%s is taken by %s in line %d (%s); every address is one socket of one trader: choose another", e.text, other.path, other.node.Line, other.text)
					break
				}
			}
			bound = append(bound, e)
		}
		r.crossCheckAllow(at)
	}
}

func (r *reader) crossCheckAllow(at traderPlaces) {
	tcp := false
	for _, e := range []endpoint{at.request, at.publish} {
		tcp = tcp || e.tcp()
		if e.tcp() && !e.loopback() && at.allow.node == nil {
			r.fail(e.place, "%s can be reached from other machines and VeighNa's protocol has no password; "+
				"write allow: [10.0.8.21/32] beside it, with the addresses of this trader's machines, or bind 127.0.0.1", strings.TrimPrefix(e.text, "tcp://"))
		}
	}
	if at.allow.node != nil && !tcp && (at.request.node != nil || at.publish.node != nil) {
		r.fail(at.allow, "an ipc address has no remote addresses to allow; its folder's permissions say who may connect: remove the key")
	}
}

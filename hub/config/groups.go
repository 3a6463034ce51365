package config

import (
	"slices"

	"tradehub/hub"
	"tradehub/hub/spell"
)

// groupPlaces are where a control group names its gateways.
type groupPlaces struct {
	key      place
	gateways []place
}

// groups reads the control groups: accounts that an exchange counts together.
func (r *reader) groups(p place, d *document) {
	r.named(p, "control group", func(name string, key, value place) {
		g := hub.Group{Name: name}
		at := groupPlaces{key: key}
		r.object(value,
			field{"gateways", "gateways: [SIM]", func(p place) {
				isList := r.list(p, func(p place) {
					if s, ok := r.text(p); ok {
						g.Gateways = append(g.Gateways, hub.GatewayName(s))
						at.gateways = append(at.gateways, p)
					}
				})
				if isList && len(p.node.Content) == 0 {
					r.fail(p, "a control group is of at least one gateway")
				}
			}},
			field{"exchanges", "", func(p place) {
				isList := r.list(p, func(p place) {
					if s, ok := r.text(p); ok {
						g.Exchanges = append(g.Exchanges, s)
					}
				})
				if isList && len(p.node.Content) == 0 {
					r.fail(p, "there is no exchange; write [SHFE, INE], or remove the key: then it is all of them")
				}
			}},
		)
		d.config.Groups = append(d.config.Groups, g)
		d.groups = append(d.groups, at)
	})
}

// crossCheckGroups: a group is of gateways that there are, an account is in one group at an exchange, and no group has the name of a gateway that is not in it, which is a group of
// its own.
func (r *reader) crossCheckGroups(d document) {
	for i, g := range d.config.Groups {
		at := d.groups[i]
		if other, both := d.gateways[g.Name]; both && !slices.Contains(g.Gateways, hub.GatewayName(g.Name)) {
			r.fail(at.key, "a gateway in line %d has this name, and an account that is in no group is a group of that name; choose another", other.node.Line)
		}
		for j, name := range g.Gateways {
			if _, known := d.gateways[string(name)]; !known {
				r.fail(at.gateways[j], "there is no gateway %s%s", clip(string(name)), spell.MeantOrKnown(string(name), names(d.config.Gateways)))
				continue
			}
			for k, earlier := range d.config.Groups[:i] {
				if slices.Contains(earlier.Gateways, name) && overlap(g.Exchanges, earlier.Exchanges) {
					r.fail(at.gateways[j], "%s is in group %s, line %d, already; an account is counted in one group at an exchange: name the exchanges of each", name, earlier.Name,
						d.groups[k].key.node.Line)
				}
			}
			if slices.Contains(g.Gateways[:j], name) {
				r.fail(at.gateways[j], "%s is named twice; remove one", name)
			}
		}
	}
}

func names(gateways []Gateway) []string {
	all := make([]string, len(gateways))
	for i, g := range gateways {
		all[i] = string(g.Name)
	}
	return all
}

// overlap reports whether there is an exchange that both lists mean; an empty one means all.
func overlap(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

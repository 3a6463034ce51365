package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// goal is what a line of the table is held against.
type goal struct {
	limit float64
	least bool // the ratio must be at least the limit, not at most
}

func (g goal) String() string {
	if g.limit == 0 {
		return ""
	}
	if g.least {
		return fmt.Sprintf("≥ %g", g.limit)
	}
	return fmt.Sprintf("≤ %g", g.limit)
}

// verdict says whether a ratio meets the goal, and by how much not.
func (g goal) verdict(ratio float64) string {
	switch {
	case g.limit == 0:
		return ""
	case g.least && ratio >= g.limit, !g.least && ratio <= g.limit:
		return "met"
	case g.least:
		return fmt.Sprintf("missed: %.2f of it", ratio/g.limit)
	default:
		return fmt.Sprintf("missed by %.2f", ratio-g.limit)
	}
}

// row is a line of the table.
type row struct {
	what       string
	hub, stock float64
	unit       string
	goal       goal
}

func (r row) ratio() float64 { return r.hub / r.stock }

func (r row) String() string {
	return fmt.Sprintf("| %s | %s | %s | %.2f | %s | %s |\n", r.what, number(r.hub, r.unit), number(r.stock, r.unit), r.ratio(), r.goal, r.goal.verdict(r.ratio()))
}

// number writes three significant digits or all before the point, with separators.
func number(f float64, unit string) string {
	s := fmt.Sprintf("%.0f", f)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	if f < 100 {
		s = fmt.Sprintf("%.3g", f)
	}
	return s + " " + unit
}

func clientsText(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// rows are the lines for what was measured.
func (r *results) rows() []row {
	var out []row
	for _, n := range clientCounts {
		hub, stock := r.latency[n]["hub"], r.latency[n]["stock"]
		if len(hub.Reply) == 0 {
			continue
		}
		for _, series := range []struct {
			what       string
			hub, stock []float64
			goal       goal
		}{
			{"`send_order` reply", hub.Reply, stock.Reply, goal{limit: 1}},
			{"order to first event", hub.Event, stock.Event, goal{limit: 1}},
			{"order to accepted by the venue", hub.Accepted, stock.Accepted, goal{}},
			{"`cancel_order` reply", hub.Cancel, stock.Cancel, goal{}},
		} {
			for _, q := range []float64{.5, .99} {
				out = append(out, row{
					fmt.Sprintf("%s, p%.0f, %s", series.what, 100*q, clientsText(n, "client")), quantile(series.hub, q), quantile(series.stock, q), "us", series.goal,
				})
			}
		}
	}
	if len(r.pipelined["hub"]) > 0 {
		out = append(out, row{
			fmt.Sprintf("orders answered, %d pipelined clients", pipelineClients), median(r.pipelined["hub"]), median(r.pipelined["stock"]), "/s", goal{limit: 20, least: true},
		})
	}
	for _, n := range clientCounts {
		if len(r.raw[n]["hub"]) == 0 {
			continue
		}
		out = append(out,
			row{
				fmt.Sprintf("ticks delivered, %s", clientsText(n, "raw subscriber")), median(r.raw[n]["hub"]), median(r.raw[n]["stock"]), "/s", goal{limit: 1, least: true},
			},
			row{
				fmt.Sprintf("ticks delivered, %s", clientsText(n, "stock client")), median(r.stock[n]["hub"]), median(r.stock[n]["stock"]), "/s", goal{limit: 1, least: true},
			})
	}
	return out
}

// render writes the tables.
func (r *results) render() string {
	var b strings.Builder
	if rows := r.rows(); len(rows) > 0 {
		b.WriteString("| | hub | stock | ratio | goal | |\n|---|---|---|---|---|---|\n")
		for _, row := range rows {
			b.WriteString(row.String())
		}
		b.WriteString("\n")
	}
	if len(r.floors.fsync) > 0 {
		b.WriteString("Floors, measured between the rounds:\n\n| | p50 | p99 |\n|---|---|---|\n")
		fmt.Fprintf(&b, "| bare ZeroMQ REQ and ROUTER, a request of %d bytes and a reply of %d | %.0f us | %.0f us |\n",
			floorRequest, floorReply, quantile(r.floors.roundTrip, .5), quantile(r.floors.roundTrip, .99))
		fmt.Fprintf(&b, "| bare write of %d bytes and fsync | %.0f us | %.0f us |\n\n", floorEntry, quantile(r.floors.fsync, .5), quantile(r.floors.fsync, .99))
	}
	if m := r.memory; len(m.samples) > 0 {
		last := m.samples[len(m.samples)-1].y
		met := "met"
		if last >= 100 {
			met = fmt.Sprintf("missed by %.0f MB", last-100)
		}
		fmt.Fprintf(&b, "Resident memory of the hub in `hub demo` after %d orders and %d trades: **%.0f MB**; plugins apart (%s). Goal: under 100 MB, %s.\n",
			m.orders, m.trades, last, pluginsText(m.plugins), met)
	}
	return b.String()
}

func pluginsText(plugins map[string]float64) string {
	var out []string
	for name, mb := range plugins {
		out = append(out, fmt.Sprintf("%s %.0f MB", name, mb))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// warm is the part of a soak after which memory should not grow: caches and the lists of finished orders are full by then.
const warm = 0.2

// renderSoak writes what a soak found.
func (m memory) renderSoak() string {
	var late []point
	most := 0.0
	for i, p := range m.samples {
		most = max(most, p.y)
		if i >= int(warm*float64(len(m.samples))) {
			late = append(late, p)
		}
	}
	if len(late) == 0 {
		return "nothing was sampled\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%.0f minutes, %d orders (%.0f a second), %d trades, %d refused. ", m.minutes, m.orders, float64(m.orders)/(m.minutes*60), m.trades, m.refused)
	fmt.Fprintf(&b, "The data directory had %.0f MB in the end.\n\n", m.journal)
	b.WriteString("| resident memory of the hub | |\n|---|---|\n")
	fmt.Fprintf(&b, "| first sample | %.1f MB |\n", m.samples[0].y)
	fmt.Fprintf(&b, "| after %.0f minutes | %.1f MB |\n", late[0].x*60, late[0].y)
	fmt.Fprintf(&b, "| at the end | %.1f MB |\n", late[len(late)-1].y)
	fmt.Fprintf(&b, "| most | %.1f MB |\n", most)
	fmt.Fprintf(&b, "| slope from there on, least squares | %+.1f MB an hour |\n", slope(late))
	fmt.Fprintf(&b, "| plugins at the end | %s |\n", pluginsText(m.plugins))
	return b.String()
}

// machine says what it was measured on.
func machine(dir, before string) string {
	model := "unknown processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel := "unknown kernel"
	var u syscall.Utsname
	if syscall.Uname(&u) == nil {
		var b []byte
		for _, c := range u.Release {
			if c == 0 {
				break
			}
			b = append(b, byte(c))
		}
		kernel = "Linux " + string(b)
	}
	return fmt.Sprintf("%s, %d cores, %s, %s, %s; load average %s before, and %s at the end, with the measurement itself in it.\n\n",
		model, runtime.NumCPU(), kernel, filesystem(dir), runtime.Version(), before, loadAverage())
}

// loadAverage is how many threads were ready to run in the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(b), " ")
	return load
}

func filesystem(dir string) string {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return "unknown file system"
	}
	names := map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x794c7630: "overlayfs", 0x2fc12fc1: "zfs"}
	if name, ok := names[fs.Type]; ok {
		return name
	}
	return fmt.Sprintf("file system %#x", fs.Type)
}

func commandLine(s settings, took time.Duration) string {
	return fmt.Sprintf("`%s`, %s, %s, took %s.\n\n", s.command, time.Now().UTC().Format(time.DateOnly), s.version, took.Round(time.Second))
}

// versionOf asks a hub's program for its version, which has the commit in it.
func versionOf(program string) (string, error) {
	out, err := exec.Command(program, "version").Output() //nolint:noctx // it does not wait
	if err != nil {
		return "", fmt.Errorf("%s version: %w", program, err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first, nil
}

// replacePart puts text between the marks of a part of the page.
func replacePart(page, part, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	b, err := spliced(old, part, text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, b, 0o644) //nolint:gosec // a page of the documentation
}

func spliced(old []byte, part, text string) ([]byte, error) {
	begin, end := []byte("<!-- "+part+": begin -->\n"), []byte("<!-- "+part+": end -->\n")
	from, to := bytes.Index(old, begin), bytes.Index(old, end)
	if from < 0 || to < from {
		return nil, fmt.Errorf("the marks of part %s are missing", part)
	}
	return slices.Concat(old[:from+len(begin)], []byte(text), old[to:]), nil
}

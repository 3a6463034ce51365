package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

const diskConfig = `
data: DATA
fund: {name: disk, currency: CNY}
traders:
  alpha: {capital: 2_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT", publish: "tcp://127.0.0.1:PORT+1"}}
  beta: {capital: 500_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT+2", publish: "tcp://127.0.0.1:PORT+3"}}
gateways:
  SIM: {plugin: sim}
risk_managers:
  margin: {plugin: margin, deadline: 2s}
journal: {min_free: 16MiB}
`

const mib = 1 << 20

// disk is a small file system with nothing but the journal on it: a venue's disk is the venue's own.
type disk struct {
	t      testing.TB
	dir    string
	filler *os.File
}

// smallDisk mounts one over the house's journal.
func (h *house) smallDisk() *disk {
	h.t.Helper()
	d := &disk{t: h.t, dir: filepath.Join(h.data, "journal")}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	err := unix.Mount("none", d.dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", 64*mib))
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		h.t.Skipf("a small disk cannot be mounted by this user: %v", err)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if d.filler != nil {
			_ = d.filler.Close()
		}
		if err := unix.Unmount(d.dir, unix.MNT_DETACH); err != nil {
			h.t.Error(err)
		}
	})
	if d.filler, err = os.Create(filepath.Join(d.dir, "filler")); err != nil {
		h.t.Fatal(err)
	}
	return d
}

// leave fills the disk, or empties it, so that so many bytes are free.
func (d *disk) leave(free int64) {
	d.t.Helper()
	if err := d.filler.Truncate(0); err != nil {
		d.t.Fatal(err)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		d.t.Fatal(err)
	}
	more := int64(s.Bavail)*s.Bsize - free
	if more <= 0 {
		return
	}
	if err := unix.Fallocate(int(d.filler.Fd()), 0, 0, more); err != nil {
		d.t.Fatalf("allocate %d bytes: %v", more, err)
	}
}

// A disk that gets full stops new orders, and says so to everybody; cancels pass; when there is room again, all goes on; and nothing is lost.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.configure(diskConfig, samplePolicies(t))
	disk := h.smallDisk()
	h.start()
	t.Cleanup(h.stop)
	alpha := h.connected(vnpy45, 0, "--lang", "en")
	price := below(alpha.tick(rebar), 30)
	ids := make([]string, 4)
	for i := range ids {
		ids[i] = alpha.buy(rebar, price-float64(i), 1)
		alpha.ordered(ids[i], "NOTTRADED")
	}

	// Nearly full: what venues report is kept yet.
	after := alpha.mark()
	disk.leave(8 * mib)
	alpha.logs(after, "disk is nearly full: no new orders; cancels still pass")
	h.refuses(alpha, price)
	alpha.cancel(rebar, ids[0])
	alpha.ordered(ids[0], "CANCELLED")

	// Full: nothing can be kept, and a cancel passes all the same.
	disk.leave(mib)
	h.logged(0, "journal", "no more orders are taken until there is room")
	h.refuses(alpha, price)
	alpha.cancel(rebar, ids[1])
	venue := newVenueBook(h)
	until(t, "the cancel is at the venue", func() error {
		if err := venue.read(); err != nil {
			return err
		}
		if o := venue.orders[hub.OrderID(orderID(ids[1]))]; o == nil || o.status != hub.Cancelled {
			return fmt.Errorf("order %s is %+v", ids[1], o)
		}
		return nil
	})
	if o := h.order(ids[2]); o.Status != "RESTING" {
		t.Errorf("order %s is %s", ids[2], o.Status)
	}

	after = alpha.mark()
	disk.leave(40 * mib)
	alpha.logs(after, "new orders are taken again")
	alpha.ordered(ids[1], "CANCELLED")
	if s := asked[ctl.Status](h, "status"); s.Refusing != "" || s.Journal != "leading" {
		t.Errorf("with room again: refusing %q, journal %s", s.Refusing, s.Journal)
	}
	taken := alpha.buy(rebar, price, 1)
	alpha.ordered(taken, "NOTTRADED")

	// Killed with a full disk, started with room.
	disk.leave(mib)
	until(t, "the hub sees it", func() error { return h.refusing() })
	alpha.cancel(rebar, ids[2])
	until(t, "the cancel is at the venue", func() error {
		if err := venue.read(); err != nil {
			return err
		}
		if o := venue.orders[hub.OrderID(orderID(ids[2]))]; o.status != hub.Cancelled {
			return fmt.Errorf("order %s is %s", ids[2], o.status)
		}
		return nil
	})
	h.kill()
	disk.leave(40 * mib)
	h.start()
	h.balances("alpha", "beta")
	for id, want := range map[string]string{ids[0]: "CANCELLED", ids[1]: "CANCELLED", ids[2]: "CANCELLED", ids[3]: "RESTING", taken: "RESTING"} {
		if o := h.order(id); o.Status != want {
			t.Errorf("order %s is %s, want %s", id, o.Status, want)
		}
	}

	// Ended with a full disk, while the venue has news that cannot be kept.
	disk.leave(mib)
	until(t, "the hub sees it", func() error { return h.refusing() })
	alpha.carriesOn()
	alpha.cancel(rebar, ids[3])
	until(t, "the cancel is at the venue", func() error {
		if err := venue.read(); err != nil {
			return err
		}
		if o := venue.orders[hub.OrderID(orderID(ids[3]))]; o.status != hub.Cancelled {
			return fmt.Errorf("order %s is %s", ids[3], o.status)
		}
		return nil
	})
	h.stop()

	// One that could keep nothing does not start, and says why.
	h.launch()
	select {
	case <-h.exited:
	case <-time.After(patience):
		t.Fatal("a hub without room on its disk runs on")
	}
	h.logged(0, "hub: error: ", "the disk is nearly full", "4 MiB have to be")
	if code := h.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}

	disk.leave(40 * mib)
	h.start()
	h.balances("alpha", "beta")
}

func (h *house) refusing() error {
	s, err := h.status()
	if err == nil && s.Refusing == "" {
		err = errors.New("it takes orders")
	}
	return err
}

// refuses checks that an order is not taken and that everybody can see why.
func (h *house) refuses(s *stock, price float64) {
	h.t.Helper()
	a := s.tell("send", fields{"vt_symbol": rebar, "direction": "LONG", "price": price, "volume": 1})()
	if a.OK || !strings.Contains(a.Error, "RemoteException") || !strings.Contains(a.Error, "disk is nearly full: no new orders") {
		h.t.Errorf("an order with a full disk: %+v", a)
	}
	if r := asked[ctl.Status](h, "status"); !strings.Contains(r.Refusing, "disk is nearly full") {
		h.t.Errorf("ctl status does not say why orders are refused: %q", r.Refusing)
	}
}

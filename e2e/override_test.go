package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tradehub/hub/ctl"
)

const overrideConfig = `
data: DATA
fund: {name: desk, currency: CNY, rates: {USDT: 7.1}}
traders:
  alpha: {capital: 50_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT", publish: "tcp://127.0.0.1:PORT+1"}}
gateways:
  SIM: {plugin: sim, settings: {seed: 3, ticks_per_second: 20, day_roll: "ROLL"}}
calendar: {zone: Asia/Shanghai, roll: "ROLL"}
people:
  anna: {user: "64101", roles: [ask]}
  bob: {user: "64102", roles: [approve]}
  carol: {user: "0", roles: [ask, approve]}
desk: {socket: DESK/ctl.sock, group: "64100"}
`

// deskGroup has every account of TestOverride in it; nobody needs an entry in the system's lists.
const deskGroup = 64100

// TestOverride: one order passes a rule because one account of the system asked and another approved, once, restart or not.
func TestOverride(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it takes two users of the system, which only root can be; ctl's TestDoors goes through the same with accounts that it makes up")
	}
	t.Parallel()
	h := newHouse(t)
	desk := openFolder(t)
	h.configure(replaced(overrideConfig, "ROLL", farRoll(), "DESK", desk), map[string]string{
		"fund.yaml":          "policy: fund\nrules:\n  - {name: any, require: order.quantity > 0}\n",
		"traders/alpha.yaml": "policy: trader\ntrader: alpha\nrules:\n  - {name: size, require: order.quantity <= 10, because: \"{order.quantity} lots in one order\"}\n",
	})
	hub := filepath.Join(desk, "hub") // where other users may execute it
	program, err := os.ReadFile(filepath.Join(binDir, "hub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hub, program, 0o755); err != nil { //nolint:gosec // as it says
		t.Fatal(err)
	}
	as := func(uid uint32, args ...string) result {
		t.Helper()
		ctx, cancel := h.patience()
		defer cancel()
		cmd := exec.CommandContext(ctx, hub, append(append([]string{"ctl"}, args...), "--socket", filepath.Join(desk, "ctl.sock"))...)
		cmd.Dir = desk
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: deskGroup}}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
	refused := func(r result, code int, says string) {
		t.Helper()
		if r.code != code || !strings.Contains(r.stderr, says) {
			t.Errorf("exit %d, want %d and %q: %s%s", r.code, code, says, r.stdout, r.stderr)
		}
	}
	const anna, bob, mallory, root = 64101, 64102, 64103, 0
	h.start()
	t.Cleanup(h.stop)
	alpha := h.connected(vnpy45, 0, "--lang", "en")
	price := below(alpha.tick(rebar), 30)
	words := strings.Fields("override ask " + rebar + " --trader alpha --direction long --quantity 25 --price " + strconv.Itoa(int(price)) + " --rule size --for 10m --reason hedge")

	after := alpha.mark()
	alpha.ordered(alpha.buy(rebar, price, 25), "REJECTED")
	alpha.logs(after, "size: 25 lots in one order")
	refused(as(mallory, "status"), 1, "user uid 64103 is not among the people of this hub")
	refused(as(mallory, words...), 1, "user uid 64103 is not among the people of this hub")
	refused(as(bob, words...), 1, "bob may not do that: it takes the role ask")
	refused(as(anna, "halt", "--all"), 1, "anna may not do that: it takes the role operate")
	if r := as(anna, words...); r.code != 0 || !strings.Contains(r.stdout, "hub ctl override approve 1") {
		t.Fatalf("ask: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
	alpha.ordered(alpha.buy(rebar, price, 25), "REJECTED") // one person is not enough
	refused(as(anna, "override", "approve", "1"), 1, "anna may not do that: it takes the role approve")
	if r := as(root, words...); r.code != 0 {
		t.Fatalf("root asks: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
	refused(as(root, "override", "approve", "2"), 1, "override 2 was asked for by carol (root): it takes a second person")
	refused(h.operate("override", "approve", "2"), 1, "override 2 was asked for by carol (root): it takes a second person") // by the hub's own socket
	if r := as(anna, "override", "withdraw", "2"); r.code != 0 {
		t.Errorf("withdraw: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if r := as(bob, "override", "approve", "1"); r.code != 0 || !strings.Contains(r.stdout, "APPROVED") {
		t.Fatalf("approve: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}

	h.kill()
	h.start()
	alpha.carriesOn()
	until(t, "alpha subscribes again", func() error { // what is published before that, it does not hear
		if line := asked[ctl.Status](h, "status").RPC[0]; line.Subscribers != 1 {
			return fmt.Errorf("%+v", line)
		}
		return nil
	})
	after = alpha.mark()
	alpha.ordered(alpha.buy(rebar, price, 24), "REJECTED")
	passed := alpha.buy(rebar, price, 25)
	alpha.ordered(passed, "NOTTRADED")
	alpha.logs(after, `passed by override 1 of anna \(uid 64101\) and bob \(uid 64102\): .*25 lots in one order`)
	alpha.ordered(alpha.buy(rebar, price, 25), "REJECTED") // once
	r := as(bob, "override", "list", "--all", "--json")
	var list []ctl.Override
	if err := json.NewDecoder(strings.NewReader(r.stdout)).Decode(&list); err != nil || len(list) != 2 || list[0].State != "USED" || list[0].Order != orderID(passed) || list[1].State != "WITHDRAWN" {
		t.Errorf("list: %v: %s%s", err, r.stdout, r.stderr)
	}
	if orders := asked[[]ctl.Order](h, "orders"); len(orders) != 1 || orders[0].Override != 1 {
		t.Errorf("orders: %+v", orders)
	}
	alpha.cancel(rebar, passed)
	alpha.ordered(passed, "CANCELLED")
}

// openFolder is a folder that every user may enter.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := folder(t)
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as it says
		t.Fatal(err)
	}
	return dir
}

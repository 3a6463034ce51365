package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The script that trades by the stock RpcGateway, as the README has it, with both generations.
func TestExampleTrade(t *testing.T) {
	t.Parallel()
	h := demo(t)
	for _, v := range []vnpy{vnpy45, vnpy44} {
		t.Run(v.version, func(t *testing.T) {
			p := python(t, v, filepath.Join("..", "examples", "trade.py"), "--request", h.request(0), "--publish", h.publish(0))
			<-p.exited
			said := strings.Join(p.stdout.since(0), "\n")
			if p.err != nil {
				t.Fatalf("%v\n%s\n%s", p.err, said, p.stderr)
			}
			for _, want := range []string{`rb\d+\.SHFE: [\d.]+ bid, [\d.]+ asked`, `RPC\.\S+: (未成交|Not Traded)`, `RPC\.\S+: (已撤销|Cancelled)`, `alpha: 2,000,000\.00, of which 2,000,000\.00 available`} {
				if !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("the script did not print %s:\n%s", want, said)
				}
			}
		})
	}
	h.balances("alpha", "beta")
}

// The configuration for two traders is right as it is, and a hub with it trades.
func TestExampleTwoTraders(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "examples", "two-traders")
	if r := command(t, "check", "--config", filepath.Join(folder, "hub.yaml")); r.code != 0 || !strings.HasPrefix(r.stdout, "ok: 2 traders") {
		t.Errorf("hub check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}

	// Its own ports may be taken on this machine, and its data must not lie in the source.
	h := newHouse(t)
	if err := os.CopyFS(h.root, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "hub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h.base = ports(t)
	moved := string(text)
	for i, port := range []string{"2014", "4102", "2015", "4103"} {
		if !strings.Contains(moved, ":"+port) {
			t.Fatalf("no address with port %s", port)
		}
		moved = strings.ReplaceAll(moved, ":"+port, ":"+strconv.Itoa(h.base+i))
	}
	if !regexp.MustCompile(`(?m)^data: \./data\b`).MatchString(moved) {
		t.Fatal("its data is not in ./data")
	}
	h.write("hub.yaml", moved)
	h.args = []string{"serve", "--config", filepath.Join(h.root, "hub.yaml")}
	h.start()
	t.Cleanup(h.stop)
	h.trades(vnpy44, 0, "--trader", "alpha", "resting", "marketable").passes()
	h.trades(vnpy45, 1, "--trader", "beta", "resting", "marketable").passes()
	h.balances("alpha", "beta")
}

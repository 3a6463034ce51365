package folder_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"tradehub/hub"
	"tradehub/hub/folder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadFS(t *testing.T) {
	file := &fstest.MapFile{Data: []byte("x")}
	files, err := folder.ReadFS(fstest.MapFS{
		"traders/alpha.yaml": file, "fund.yml": file, "fund_test.yaml": file, "traders/alpha_test.yml": file, ".git/a.yaml": file, ".a.yaml": file, "notes.txt": file, "a.yaml~": file,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []hub.PolicyFile{{Name: "fund.yml", Text: "x"}, {Name: "traders/alpha.yaml", Text: "x"}}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadFSBounds(t *testing.T) {
	long := fstest.MapFS{"a.yaml": {Data: make([]byte, folder.BytesMax+1)}}
	if _, err := folder.ReadFS(long); err == nil || !strings.Contains(err.Error(), "a.yaml is longer than 4194304 bytes") {
		t.Errorf("a long file: %v", err)
	}
	many := fstest.MapFS{}
	for i := range folder.FilesMax + 1 {
		many["a"+strconv.Itoa(i)+".yaml"] = &fstest.MapFile{}
	}
	if _, err := folder.ReadFS(many); err == nil || !strings.Contains(err.Error(), "more than 2000 policy files") {
		t.Errorf("many files: %v", err)
	}
}

// shelf is a folder of policies that is as it should be.
func shelf(t *testing.T) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "policies")
	for name, text := range map[string]string{"fund.yaml": "fund", "traders/alpha.yaml": "alpha", "traders/alpha_test.yaml": "test"} {
		write(t, filepath.Join(at, name), text)
	}
	return at
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadTrusted(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(t *testing.T, at string)
		want []string // problems: AT is the folder
	}{
		{"as it should be", func(*testing.T, string) {}, nil},
		{"read only", func(t *testing.T, at string) {
			must(t, errors.Join(os.Chmod(at+"/fund.yaml", 0o444), os.Chmod(at+"/traders", 0o555), os.Chmod(at, 0o555)))
			t.Cleanup(func() { must(t, errors.Join(os.Chmod(at+"/traders", 0o755), os.Chmod(at, 0o755))) })
		}, nil},
		{"a test that others write is no policy", func(t *testing.T, at string) { must(t, os.Chmod(at+"/traders/alpha_test.yaml", 0o666)) }, nil},
		{"a file", func(t *testing.T, at string) { must(t, os.Chmod(at+"/traders/alpha.yaml", 0o646)) }, []string{
			"AT/traders/alpha.yaml: everybody may write it (mode 0646); chmod o-w AT/traders/alpha.yaml",
		}},
		{"all at once", func(t *testing.T, at string) {
			must(t, errors.Join(os.Chmod(at, 0o777), os.Chmod(at+"/traders", 0o757), os.Chmod(at+"/fund.yaml", 0o602)))
		}, []string{
			"AT: everybody may write it (mode 0777); chmod o-w AT",
			"AT/fund.yaml: everybody may write it (mode 0602); chmod o-w AT/fund.yaml",
			"AT/traders: everybody may write it (mode 0757); chmod o-w AT/traders",
		}},
		{"the folder above", func(t *testing.T, at string) { must(t, os.Chmod(filepath.Dir(at), 0o777)) }, []string{
			"UP: everybody may write this folder, and so put another in the place of the policies; chmod o-w UP",
		}},
		{"the folder above, where nobody moves what is another's", func(t *testing.T, at string) { must(t, os.Chmod(filepath.Dir(at), 0o777|os.ModeSticky)) }, nil},
		{"a link inside", func(t *testing.T, at string) {
			must(t, errors.Join(os.Remove(at+"/fund.yaml"), os.Mkdir(at+"/.data", 0o777), os.Chmod(at+"/.data", 0o757)))
			write(t, at+"/.data/fund.yaml", "fund")
			must(t, os.Symlink(".data/fund.yaml", at+"/fund.yaml"))
		}, []string{
			"AT/.data: everybody may write it (mode 0757); chmod o-w AT/.data",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			at := shelf(t)
			row.do(t, at)
			content, err := folder.ReadTrusted(at, folder.Trust{})
			if row.want == nil {
				want := []hub.PolicyFile{{Name: "fund.yaml", Text: "fund"}, {Name: "traders/alpha.yaml", Text: "alpha"}}
				if diff := cmp.Diff(want, content.Files); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
				return
			}
			unsafe := (*folder.UnsafeError)(nil)
			if !errors.As(err, &unsafe) {
				t.Fatalf("no such error: %v", err)
			}
			want := strings.NewReplacer("AT", at, "UP", filepath.Dir(at)).Replace(strings.Join(row.want, "\n"))
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadTrustedOwners: a group, and users, that are not the hub's. Only root can make such files.
func TestReadTrustedOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of other users are made by root")
	}
	const stranger, daemon = 65534, 1 // nobody, and daemon with a group of its own name
	for _, row := range []struct {
		name string
		do   func(at string) error
		t    folder.Trust
		want string
	}{
		{"another's folder", func(at string) error { return chownAll(at, daemon, daemon) }, folder.Trust{}, ""},
		{"another's folder, by the other's own group", func(at string) error { return errors.Join(chownAll(at, daemon, daemon), os.Chmod(at, 0o775)) }, folder.Trust{}, ""},
		{"another's file", func(at string) error { return os.Chown(at+"/fund.yaml", daemon, 0) }, folder.Trust{}, "AT/fund.yaml: it belongs to daemon, and the folder to another; chown root AT/fund.yaml"},
		{"a group", func(at string) error { return errors.Join(os.Chown(at, 0, daemon), os.Chmod(at, 0o775)) }, folder.Trust{}, "AT: group daemon may write it (mode 0775); chmod g-w AT, or, when its members write the policies, policies_group: daemon in the configuration"},
		{"a group that may", func(at string) error { return errors.Join(os.Chown(at, 0, daemon), os.Chmod(at, 0o775)) }, folder.Trust{Group: "daemon"}, ""},
		{"a member's file", func(at string) error { return os.Chown(at+"/fund.yaml", daemon, daemon) }, folder.Trust{Group: "daemon"}, ""},
		{"a group above", func(at string) error {
			return errors.Join(os.Chown(filepath.Dir(at), 0, daemon), os.Chmod(filepath.Dir(at), 0o775))
		}, folder.Trust{}, "UP: group daemon may write this folder, and so put another in the place of the policies; chmod g-w UP"},
		{"a group above that may", func(at string) error {
			return errors.Join(os.Chown(filepath.Dir(at), 0, daemon), os.Chmod(filepath.Dir(at), 0o775))
		}, folder.Trust{Group: "daemon"}, ""},
		{"a stranger above", func(at string) error { return os.Chown(filepath.Dir(at), daemon, 0) }, folder.Trust{}, "UP: it belongs to daemon, who may write it, and so put another in the place of the policies; chown root UP, or keep the policies elsewhere"},
		{"a stranger above a demo", func(at string) error { return os.Chown(filepath.Dir(at), daemon, 0) }, folder.Trust{Anywhere: true}, ""},
		{"a stranger's file", func(at string) error { return os.Chown(at+"/fund.yaml", stranger, daemon) }, folder.Trust{Group: "daemon"}, "AT/fund.yaml: it belongs to nobody, and the folder to another; chown root AT/fund.yaml"},
	} {
		t.Run(row.name, func(t *testing.T) {
			at := shelf(t)
			must(t, row.do(at))
			_, err := folder.ReadTrusted(at, row.t)
			if row.want == "" {
				must(t, err)
				return
			}
			if want := strings.NewReplacer("AT", at, "UP", filepath.Dir(at)).Replace(row.want); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

func chownAll(at string, uid, gid int) error {
	return filepath.WalkDir(at, func(name string, _ os.DirEntry, err error) error { return errors.Join(err, os.Lchown(name, uid, gid)) })
}

func TestReadTrustedErrors(t *testing.T) {
	at := shelf(t)
	if _, err := folder.ReadTrusted(at, folder.Trust{Group: "no-such-group"}); err == nil || err.Error() != "policies_group: there is no group no-such-group on this machine; make it by groupadd no-such-group, or remove the key" {
		t.Errorf("no group: %v", err)
	}
	if _, err := folder.ReadTrusted(at+"x", folder.Trust{}); !errors.Is(err, folder.ErrNone) {
		t.Errorf("no folder: %v", err)
	}
	must(t, os.Symlink("/etc/hostname", at+"/out.yaml"))
	if _, err := folder.ReadTrusted(at, folder.Trust{}); err == nil || !strings.Contains(err.Error(), "path escapes from parent") {
		t.Errorf("a link that leads out: %v", err)
	}
	must(t, errors.Join(os.Remove(at+"/out.yaml"), os.Mkdir(at+"/d.yaml", 0o755)))
	if _, err := folder.ReadTrusted(at, folder.Trust{}); err != nil {
		t.Errorf("a folder named like a file is a folder: %v", err)
	}
}

func TestChanged(t *testing.T) {
	before := folder.Content{Files: []hub.PolicyFile{{Name: "a", Text: "1"}, {Name: "b", Text: "1"}, {Name: "c", Text: "1"}}}
	after := folder.Content{Files: []hub.PolicyFile{{Name: "a", Text: "1"}, {Name: "b", Text: "2"}, {Name: "d", Text: "1"}}, Owners: map[string]string{"a": "x", "b": "li", "d": "li"}}
	changed := after.Changed(before)
	if diff := cmp.Diff([]string{"b", "c", "d"}, changed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"li"}, after.Authors(changed)); diff != "" {
		t.Error(diff)
	}
	if before.Digest() == after.Digest() {
		t.Error("one digest of two texts")
	}
}

// watched runs a watcher that tells what it read.
func watched(t *testing.T, at string, set func(*folder.Watcher)) <-chan string {
	t.Helper()
	told := make(chan string, 100)
	w := &folder.Watcher{Folder: at, Log: hclog.NewNullLogger(), Quiet: 20 * time.Millisecond, InPlace: 40 * time.Millisecond, Look: time.Hour, Changed: func() bool {
		files, err := folder.Read(at)
		if err != nil {
			told <- err.Error()
			return true
		}
		var texts []string
		for _, f := range files {
			texts = append(texts, f.Name+"="+f.Text)
		}
		told <- strings.Join(texts, " ")
		return true
	}}
	if set != nil {
		set(w)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return told
}

func next(t *testing.T, told <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got := <-told:
			if got == want {
				return
			}
			t.Logf("on the way: %s", got)
		case <-time.After(30 * time.Second):
			t.Fatalf("never told of %s", want)
		}
	}
}

// lines is a log.
type lines chan string

func (l lines) Write(text []byte) (int, error) { l <- string(text); return len(text), nil }

func until(t *testing.T, log lines, want string) {
	t.Helper()
	for {
		select {
		case line := <-log:
			if strings.Contains(line, want) {
				return
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("never logged: %s", want)
		}
	}
}

// TestWatch: the ways in which editors and git save.
func TestWatch(t *testing.T) {
	at := shelf(t)
	told := watched(t, at, nil)
	next(t, told, "fund.yaml=fund traders/alpha.yaml=alpha")
	write(t, at+"/fund.yaml", "in place")
	next(t, told, "fund.yaml=in place traders/alpha.yaml=alpha")
	write(t, at+"/.fund.yaml.swp", "by rename")
	must(t, os.Rename(at+"/.fund.yaml.swp", at+"/fund.yaml"))
	next(t, told, "fund.yaml=by rename traders/alpha.yaml=alpha")
	write(t, at+"/desk/new/beta.yaml", "in a new folder")
	next(t, told, "desk/new/beta.yaml=in a new folder fund.yaml=by rename traders/alpha.yaml=alpha")
	write(t, at+"/desk/new/beta.yaml", "again")
	next(t, told, "desk/new/beta.yaml=again fund.yaml=by rename traders/alpha.yaml=alpha")
	must(t, os.RemoveAll(at+"/desk"))
	next(t, told, "fund.yaml=by rename traders/alpha.yaml=alpha")
	must(t, os.Rename(at, at+".old"))
	write(t, at+"/fund.yaml", "another folder in its place")
	next(t, told, "fund.yaml=another folder in its place")
	write(t, at+"/fund.yaml", "and what is in that")
	next(t, told, "fund.yaml=and what is in that")
	must(t, os.Chmod(at+"/fund.yaml", 0o666))
	next(t, told, "fund.yaml=and what is in that") // for it may be refused now
}

// TestWatchLink: a folder that is a link, which is turned to another one.
func TestWatchLink(t *testing.T) {
	one, two := shelf(t), shelf(t)
	write(t, two+"/fund.yaml", "two")
	link := filepath.Join(t.TempDir(), "policies")
	must(t, os.Symlink(one, link))
	told := watched(t, link, nil)
	next(t, told, "fund.yaml=fund traders/alpha.yaml=alpha")
	must(t, errors.Join(os.Symlink(two, link+".next"), os.Rename(link+".next", link)))
	next(t, told, "fund.yaml=two traders/alpha.yaml=alpha")
	write(t, two+"/fund.yaml", "two again")
	next(t, told, "fund.yaml=two again traders/alpha.yaml=alpha")
}

// TestWatchGit: while git holds its lock it writes one file after the other, and what is there is nobody's revision.
func TestWatchGit(t *testing.T) {
	at := shelf(t)
	must(t, os.Mkdir(at+"/.git", 0o755))
	log := make(lines, 1000)
	told := watched(t, at, func(w *folder.Watcher) { w.Log = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Debug}) })
	next(t, told, "fund.yaml=fund traders/alpha.yaml=alpha")
	write(t, at+"/.git/index.lock", "")
	write(t, at+"/fund.yaml", "new")
	until(t, log, "git is changing the policy folder")
	write(t, at+"/traders/alpha.yaml", "new")
	must(t, os.Remove(at+"/.git/index.lock"))
	if got, want := <-told, "fund.yaml=new traders/alpha.yaml=new"; got != want {
		t.Errorf("told of %s first, want %s", got, want)
	}
}

// TestWatchGitForgets: a lock that git left behind is not waited for without end.
func TestWatchGitForgets(t *testing.T) {
	at := shelf(t)
	write(t, at+"/.git/index.lock", "")
	told := watched(t, at, func(w *folder.Watcher) { w.Locked = time.Nanosecond })
	next(t, told, "fund.yaml=fund traders/alpha.yaml=alpha")
}

// TestWatchInPlace: who writes a file where it stands may pause, and what is there then is no policy.
func TestWatchInPlace(t *testing.T) {
	at := shelf(t)
	log := make(lines, 10_000)
	told := watched(t, at, func(w *folder.Watcher) {
		w.InPlace, w.Log = time.Hour, hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Debug})
	})
	next(t, told, "fund.yaml=fund traders/alpha.yaml=alpha")
	write(t, at+"/fund.yaml", "half of it")
	until(t, log, "it must rest")
	write(t, at+"/other.yaml", "new")
	must(t, os.Rename(at+"/other.yaml", at+"/fund.yaml")) // whole from the beginning
	if got, want := <-told, "fund.yaml=new traders/alpha.yaml=alpha"; got != want {
		t.Errorf("told of %s, want %s", got, want)
	}
}

// TestWatchAgain: what came to nothing is tried again, though nothing changes.
func TestWatchAgain(t *testing.T) {
	at := shelf(t)
	tries := make(chan bool, 10)
	watched(t, at, func(w *folder.Watcher) {
		w.Look = 30 * time.Millisecond
		n := 0
		w.Changed = func() bool {
			n++
			tries <- n == 3
			return n >= 3
		}
	})
	for range 2 {
		if <-tries {
			t.Error("too early")
		}
	}
	if !<-tries {
		t.Error("not tried again")
	}
}

// TestWatchLooks: what the system does not tell of is seen all the same.
func TestWatchLooks(t *testing.T) {
	at := shelf(t)
	told := watched(t, at, func(w *folder.Watcher) { w.Look = 30 * time.Millisecond; w.Deaf() })
	next(t, told, "fund.yaml=fund traders/alpha.yaml=alpha")
	write(t, at+"/fund.yaml", "new")
	next(t, told, "fund.yaml=new traders/alpha.yaml=alpha")
}

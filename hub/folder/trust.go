package folder

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"tradehub/hub"
)

// Trust says who may write policies, beside whoever owns the folder, the hub's own user and root.
type Trust struct {
	// Group is a group of users whose members may, "" for none.
	Group string
	// Anywhere: nobody asks who can write the folders above. For a demo, which trades nothing.
	Anywhere bool
}

// Problem is one thing that lets others write policies.
type Problem struct {
	// Path is of a file or a folder.
	Path string
	What string
	// Mend is the command that mends it.
	Mend string
}

// String is the problem and its remedy in a line.
func (p Problem) String() string { return p.Path + ": " + p.What + "; " + p.Mend }

// UnsafeError says why a policy folder is not read: others than those who are trusted can write it. It has every reason.
type UnsafeError struct{ Problems []Problem }

// Error has a line for every problem.
func (u *UnsafeError) Error() string {
	lines := make([]string, len(u.Problems))
	for i, p := range u.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// ReadTrusted reads a folder as Read does, unless somebody else could have written it: then the error is an *UnsafeError. That the hub's own user cannot write it is fine. What it says of a file
// is of the very file that it read.
func ReadTrusted(folder string, t Trust) (Content, error) {
	root, err := open(folder)
	if err != nil {
		return Content{}, err
	}
	defer func() { _ = root.Close() }()
	g, err := newGuard(folder, root, t)
	if err != nil {
		return Content{}, err
	}
	out := Content{Owners: map[string]string{}, Owner: g.owner}
	err = walk(root.FS(), func(name string, text []byte, info fs.FileInfo) {
		out.Files = append(out.Files, hub.PolicyFile{Name: name, Text: string(text)})
		if id, ok := ids(info); ok {
			out.Owners[name] = userName(id.Uid)
		}
		g.file(name, info)
	})
	if err != nil {
		return Content{}, fmt.Errorf("policies %s: %w", folder, err)
	}
	if len(g.problems) > 0 {
		return Content{}, &UnsafeError{g.problems}
	}
	return out, nil
}

// guard looks at who may write what.
type guard struct {
	folder   string
	root     *os.Root
	problems []Problem
	seen     map[string]bool // folders
	users    []uint32        // who may own a file
	group    *uint32
	owner    string // of the folder
}

func newGuard(folder string, root *os.Root, t Trust) (*guard, error) {
	g := &guard{folder: folder, root: root, seen: map[string]bool{}, users: []uint32{0, uint32(os.Geteuid())}}
	if t.Group != "" {
		found, err := user.LookupGroup(t.Group)
		if err != nil {
			return nil, fmt.Errorf("policies_group: there is no group %s on this machine; make it by groupadd %s, or remove the key", t.Group, t.Group)
		}
		id, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("policies_group: group %s: %w", t.Group, err)
		}
		gid := uint32(id)
		g.group = &gid
	}
	info, err := root.Stat(".")
	if err != nil {
		return nil, fmt.Errorf("policies %s: %w", folder, err)
	}
	if id, ok := ids(info); ok {
		g.users, g.owner = append(g.users, id.Uid), userName(id.Uid)
	}
	if !t.Anywhere {
		g.ancestors()
	}
	g.folders(".")
	return g, nil
}

// ancestors looks at the folders above, and at those above where a link leads: whoever can write one of them can put another folder in the place of this one.
func (g *guard) ancestors() {
	at, err := filepath.Abs(g.folder)
	if err != nil {
		return // the folder was opened a moment ago; then this is for its owner to know
	}
	seen := map[string]bool{}
	above := func(at string) {
		for up := filepath.Dir(at); !seen[up]; up = filepath.Dir(up) {
			seen[up] = true
			if info, err := os.Stat(up); err == nil {
				g.above(up, info)
			}
		}
	}
	above(at)
	if real, err := filepath.EvalSymlinks(at); err == nil {
		above(real)
	}
}

// above judges a folder above. In one with the sticky bit, such as /tmp, nobody moves what is another's.
func (g *guard) above(at string, info fs.FileInfo) {
	const so = ", and so put another in the place of the policies"
	mode, sticky := info.Mode().Perm(), info.Mode()&fs.ModeSticky != 0
	id, known := ids(info)
	switch {
	case mode&0o002 != 0 && !sticky:
		g.problems = append(g.problems, Problem{at, "everybody may write this folder" + so, "chmod o-w " + quoted(at)})
	case mode&0o020 != 0 && !sticky && known && !g.mayWrite(id):
		g.problems = append(g.problems, Problem{at, fmt.Sprintf("group %s may write this folder%s", groupName(id.Gid), so), "chmod g-w " + quoted(at)})
	}
	if known && !g.mayOwn(id.Uid) {
		g.problems = append(g.problems, Problem{
			at, fmt.Sprintf("it belongs to %s, who may write it%s", userName(id.Uid), so), "chown root " + quoted(at) + ", or keep the policies elsewhere",
		})
	}
}

// folders looks at a folder of the root and at those above it.
func (g *guard) folders(name string) {
	for ; !g.seen[name]; name = filepath.Dir(name) {
		g.seen[name] = true
		if info, err := g.root.Stat(name); err == nil {
			g.judge(name, info)
		}
	}
}

func (g *guard) file(name string, info fs.FileInfo) {
	g.judge(name, info)
	g.folders(filepath.Dir(name))
	link, err := g.root.Lstat(name)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return
	}
	// What it points to is a file of the root as well, or it had not been opened.
	root, err1 := filepath.EvalSymlinks(g.folder)
	target, err2 := filepath.EvalSymlinks(filepath.Join(g.folder, name))
	if inside, err3 := filepath.Rel(root, target); err1 == nil && err2 == nil && err3 == nil && filepath.IsLocal(inside) {
		g.folders(filepath.Dir(inside))
	}
}

func (g *guard) judge(name string, info fs.FileInfo) {
	at := filepath.Join(g.folder, name)
	mode := info.Mode().Perm()
	id, known := ids(info)
	switch {
	case mode&0o002 != 0:
		g.problems = append(g.problems, Problem{at, fmt.Sprintf("everybody may write it (mode %04o)", mode), "chmod o-w " + quoted(at)})
	case mode&0o020 != 0 && known && !g.mayWrite(id):
		group := groupName(id.Gid)
		g.problems = append(g.problems, Problem{
			at, fmt.Sprintf("group %s may write it (mode %04o)", group, mode),
			fmt.Sprintf("chmod g-w %s, or, when its members write the policies, policies_group: %s in the configuration", quoted(at), group),
		})
	}
	if known && !g.mayOwn(id.Uid) {
		g.problems = append(g.problems, Problem{
			at, fmt.Sprintf("it belongs to %s, and the folder to another", userName(id.Uid)),
			fmt.Sprintf("chown %s %s", userName(g.users[len(g.users)-1]), quoted(at)),
		})
	}
}

// mayWrite reports whether a group may write what it can: the one that the configuration names, and a user's own group of one, as Debian gives to each.
func (g *guard) mayWrite(id *syscall.Stat_t) bool {
	return g.group != nil && id.Gid == *g.group || g.mayOwn(id.Uid) && groupName(id.Gid) == userName(id.Uid)
}

func (g *guard) mayOwn(uid uint32) bool {
	if slices.Contains(g.users, uid) {
		return true
	}
	if g.group == nil {
		return false
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return false
	}
	groups, err := u.GroupIds()
	return err == nil && slices.Contains(groups, strconv.FormatUint(uint64(*g.group), 10))
}

func ids(info fs.FileInfo) (*syscall.Stat_t, bool) {
	id, ok := info.Sys().(*syscall.Stat_t)
	return id, ok
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "uid " + id
}

func groupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return "gid " + id
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:,@%", r)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

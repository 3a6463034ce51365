package policy

import (
	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// Tree reads a file as policies are read: UTF-8, one YAML document, no character that cannot be seen, no alias, anchor, tag or merge. nil: it cannot be read, and the errors say why;
// with a tree there may be errors too. It is for files that stand beside policies, such as their tests.
func Tree(file hub.PolicyFile) (*yaml.Node, []Error) {
	c := &sheetCompiler{file: file.Name, sheet: &sheet{file: file.Name}}
	root := c.read(file.Text)
	if root == nil || !c.whole(root) {
		return nil, c.errs
	}
	return root, c.errs
}

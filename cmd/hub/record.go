package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub/audit"
	"tradehub/hub/config"
)

// recordDir is where the permanent record of a data directory is.
func recordDir(data string) string { return filepath.Join(data, "record") }

func openRecord(c config.Config, log hclog.Logger) (*audit.Recorder, error) {
	r, err := audit.Open(audit.Options{Dir: recordDir(c.Data), Log: log.Named("record")})
	if errors.Is(err, audit.ErrDamaged) {
		return nil, not("move "+recordDir(c.Data)+" away and keep it for examination; a new record begins, which says where", "%w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("permanent record: %w", err)
	}
	return r, nil
}

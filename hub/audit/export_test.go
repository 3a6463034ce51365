package audit

import "fmt"

// FillDisk makes the file as large as it may be, or lets it grow again.
func (r *Recorder) FillDisk(full bool) {
	most := 1 << 30
	if full {
		most = 1 // SQLite takes what there is
	}
	if _, err := r.store.db.ExecContext(always(), fmt.Sprintf("PRAGMA max_page_count = %d", most)); err != nil {
		panic(err)
	}
}

// Stall has the writer wait until resume is called.
func (r *Recorder) Stall() (resume func()) {
	tx, err := r.store.db.BeginTx(always(), nil) // which takes the only connection
	if err != nil {
		panic(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			panic(err)
		}
	}
}

// ReportName is what a report is called in the record.
var ReportName = reportName

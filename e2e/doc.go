// Package e2e tests the whole hub as its users have it: the hub's own program, its plugins, and stock VeighNa clients, each a process of its own, with real sockets, real files
// and kill -9. There is nothing here but tests.
//
// The programs are built once for a run, or taken from HUB_BIN_DIR. Stock clients are started by the interpreters that HUB_VNPY45_PYTHON and HUB_VNPY44_PYTHON name, as make
// test sets them; a test that finds one set and useless fails. A test that fails leaves its directory, with the data and the log of its hub, and says where.
package e2e

// Command sim is a gateway plugin of the hub: a simulated market, which is a venue of its own with a book of record on disk. docs/sim.md describes it.
package main

import (
	_ "time/tzdata" // venues name their time zones, and a machine may not have them

	"tradehub/plugins"
	"tradehub/plugins/gateways/sim/gateway"
)

func main() { plugins.ServeGateway(gateway.New()) }

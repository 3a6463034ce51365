package plugins

import (
	"os"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
)

// ServeGateway runs a gateway until the hub closes it, and then returns, which is to end the process. It is all that the main function of a gateway does.
//
// A panic of the gateway's is not recovered, since nobody knows what is left behind it: the process dies with its stack in the hub's log, and the hub
// starts another. When the hub is gone, the process ends too.
func ServeGateway(g Gateway) {
	serve(KindGateway, &gatewayPlugin{server: &gatewayServer{gateway: g, process: newProcess()}})
}

// ServeRiskManager runs a risk manager until the hub closes it, and then returns, which is to end the process. It is all that the main function of
// a risk manager does. Panics and the end of the hub are as with ServeGateway.
func ServeRiskManager(m RiskManager) {
	serve(KindRiskManager, &riskPlugin{server: &riskServer{manager: m, process: newProcess()}})
}

// newProcess is called before go-plugin puts pipes in place of os.Stdout and os.Stderr.
func newProcess() process { return process{log: newLog(hclog.Trace), exit: os.Exit} }

func serve(kind Kind, p goplugin.Plugin) {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: Handshake(),
		Plugins:         goplugin.PluginSet{string(kind): p},
		GRPCServer:      newServer,
		Logger:          newLog(hclog.Warn),
	})
}

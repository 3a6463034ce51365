package plugins

import (
	"github.com/hashicorp/go-hclog"

	"tradehub/plugins/pluginpb"
)

// FromWire is ToWire's way back.
func FromWire(wire *pluginpb.Settings) Settings {
	s, err := settingsFromWire(wire)
	if err != nil {
		panic(err)
	}
	return s
}

// GatewayServer is what ServeGateway serves, in this process.
func GatewayServer(g Gateway, exit func(int)) pluginpb.GatewayServiceServer {
	return &gatewayServer{gateway: g, process: process{log: hclog.NewNullLogger(), exit: exit}}
}

// RiskServer is what ServeRiskManager serves, in this process.
func RiskServer(m RiskManager, exit func(int)) pluginpb.RiskServiceServer {
	return &riskServer{manager: m, process: process{log: hclog.NewNullLogger(), exit: exit}}
}

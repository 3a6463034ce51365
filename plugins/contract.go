package plugins

import (
	"context"
	"fmt"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"tradehub/plugins/pluginpb"
)

// What both sides agree on before the first message. Package host is the other side; an author of a plugin needs none of it.

// ProtocolVersion is the version of the contract between hub and plugins. It changes when a plugin that was built before can no longer be spoken to;
// what is only added does not change it.
const ProtocolVersion = 1

// MessageMax is the largest message, in bytes, that either side takes. Batches are kept far below it.
const MessageMax = 16 << 20

// streamWindow is how many bytes may be under way on a stream before the sender waits.
const streamWindow = 1 << 20

// Kind is what a plugin is; a program is of one kind.
type Kind string

// Kinds of plugin.
const (
	KindGateway     Kind = "gateway"
	KindRiskManager Kind = "risk manager"
)

// Handshake is what a plugin and the hub must agree on before they speak. The cookie keeps a person who starts a plugin by hand from waiting for nothing;
// it is no secret.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  ProtocolVersion,
		MagicCookieKey:   "TRADEHUB_PLUGIN",
		MagicCookieValue: "one ordered stream each way",
	}
}

// Plugins is what the hub asks go-plugin for: Dispense(kind) gives a pluginpb.GatewayServiceClient or a pluginpb.RiskServiceClient.
func Plugins() goplugin.PluginSet {
	return goplugin.PluginSet{string(KindGateway): &gatewayPlugin{}, string(KindRiskManager): &riskPlugin{}}
}

// DialOptions are the limits of a connection on the hub's side; those of the plugin's side are set by Serve.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MessageMax), grpc.MaxCallSendMsgSize(MessageMax)),
		grpc.WithInitialWindowSize(streamWindow),
		grpc.WithInitialConnWindowSize(2 * streamWindow),
		grpc.WithReadBufferSize(ioBuffer),
		grpc.WithWriteBufferSize(ioBuffer),
	}
}

const ioBuffer = 128 << 10

func newServer(options []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(
		options,
		grpc.MaxRecvMsgSize(MessageMax),
		grpc.MaxSendMsgSize(MessageMax),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(2*streamWindow),
		grpc.ReadBufferSize(ioBuffer),
		grpc.WriteBufferSize(ioBuffer),
	)...)
}

type gatewayPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	server pluginpb.GatewayServiceServer
}

func (p *gatewayPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pluginpb.RegisterGatewayServiceServer(s, p.server)
	return nil
}

func (p *gatewayPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pluginpb.NewGatewayServiceClient(conn), nil
}

type riskPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	server pluginpb.RiskServiceServer
}

func (p *riskPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pluginpb.RegisterRiskServiceServer(s, p.server)
	return nil
}

func (p *riskPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pluginpb.NewRiskServiceClient(conn), nil
}

var (
	_ goplugin.GRPCPlugin = (*gatewayPlugin)(nil)
	_ goplugin.GRPCPlugin = (*riskPlugin)(nil)
)

// ToWire converts settings for the Start of a session.
func (s Settings) ToWire() *pluginpb.Settings {
	wire := &pluginpb.Settings{}
	if s.of == nil {
		return wire
	}
	wire.Values = make(map[string]*pluginpb.Setting, len(s.of.values))
	for name, value := range s.of.values {
		setting := &pluginpb.Setting{}
		switch v := value.(type) {
		case string:
			setting.Value = &pluginpb.Setting_Text{Text: v}
		case []string:
			setting.Value = &pluginpb.Setting_List{List: &pluginpb.TextList{Texts: v}}
		case *settings:
			setting.Value = &pluginpb.Setting_Map{Map: Settings{v}.ToWire()}
		}
		wire.Values[name] = setting
	}
	return wire
}

func settingsFromWire(wire *pluginpb.Settings) (Settings, error) {
	return NewSettings(wireTree(wire))
}

func wireTree(wire *pluginpb.Settings) map[string]any {
	tree := make(map[string]any, len(wire.GetValues()))
	for name, setting := range wire.GetValues() {
		switch v := setting.GetValue().(type) {
		case *pluginpb.Setting_Text:
			tree[name] = v.Text
		case *pluginpb.Setting_List:
			tree[name] = append([]string{}, v.List.GetTexts()...)
		case *pluginpb.Setting_Map:
			tree[name] = wireTree(v.Map)
		default:
			tree[name] = fmt.Sprint(v)
		}
	}
	return tree
}

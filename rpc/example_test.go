package rpc_test

import (
	"context"
	"fmt"
	"log"

	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// A server and a client of it. A stock VeighNa Trader connects to the same addresses.
func ExampleServer() {
	server, err := rpc.NewServer(rpc.Options{
		Desk:    newDesk(), // in a hub: what asks the core
		Gateway: "SIM",
		Traders: []rpc.Trader{{Name: "alpha", Request: "tcp://127.0.0.1:*", Publish: "tcp://127.0.0.1:*"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	said, err := server.Start()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(said)
	alpha := server.Status()[0]
	client, err := rpc.Dial(rpc.ClientOptions{Request: alpha.Request, Publish: alpha.Publish})
	if err != nil {
		log.Fatal(err)
	}
	id, err := client.Call(context.Background(), veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	fmt.Println(id, err)
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}
	said, err = server.Stop()
	fmt.Println(said, err)
	// Output:
	// RPC服务启动成功
	// SIM.alpha_1 <nil>
	// RPC服务已停止 <nil>
}

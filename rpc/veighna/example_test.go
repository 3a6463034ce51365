package veighna_test

import (
	"fmt"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// A request is decoded, bound to a call, answered.
func Example() {
	answer := func(request []byte) []byte {
		r, err := veighna.DecodeRequest(request)
		if err != nil {
			return veighna.AppendReplyError(nil, err.Error())
		}
		call, err := r.Bind(nil)
		if err != nil {
			return veighna.AppendReplyError(nil, err.Error())
		}
		reply := veighna.AppendReplyStart(nil)
		if order, ok := call.(veighna.SendOrder); ok {
			fmt.Println(order.Direction, order.Qty, order.OrderRequest, "by way of", order.Gateway)
			reply = veighna.AppendString(reply, veighna.OrderID("SIM", "7_1"))
		} else {
			reply = veighna.AppendNone(reply)
		}
		return veighna.AppendReplyEnd(reply)
	}
	for _, call := range []veighna.Call{
		veighna.SendOrder{Gateway: "SIM", OrderRequest: hub.OrderRequest{Instrument: c1, Direction: hub.Long, Type: hub.Limit, Qty: hub.Int(5), Price: hub.Int(3500)}},
		veighna.Subscribe{Instrument: c1, Gateway: "SIM"},
	} {
		v, err := veighna.DecodeReply(answer(veighna.AppendRequest(nil, call, nil, veighna.Chinese)), nil)
		fmt.Println(v, err)
	}
	_, err := veighna.DecodeReply(answer([]byte("(ios\nsystem\n.")), nil)
	fmt.Println(err)
	// Output:
	// LONG 5 rb2610.SHFE by way of SIM
	// SIM.7_1 <nil>
	// <nil> <nil>
	// UnpicklingError: offset 1: INST: not allowed here
}

var c1 = hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"}

// A tick goes out under two types, in the framing that the trader's VeighNa reads.
func ExampleFraming_Publish() {
	framing, err := veighna.ParseVersion("4.5.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	tick := &hub.Tick{Instrument: c1, Gateway: "SIM", Last: hub.MustDecimal("3512.5")}
	for _, m := range framing.Publish(veighna.TickEvent(tick, nil), now) {
		e, err := veighna.DecodeEvent(m, nil)
		fmt.Println(len(m), "frames:", e.Type, e.Data.(hub.Tick).Last, err)
	}
	// Output:
	// 2 frames: eTick. 3512.5 <nil>
	// 2 frames: eTick.rb2610.SHFE 3512.5 <nil>
}

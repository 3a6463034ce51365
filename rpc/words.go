package rpc

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tradehub/rpc/veighna"
)

// The service's own lines. In Chinese they are stock VeighNa's, which has them in no other language.
func textStarted(l veighna.Language) string {
	return pick(l, "RPC服务启动成功", "RPC service started")
}

func textStopped(l veighna.Language) string {
	return pick(l, "RPC服务已停止", "RPC service stopped")
}

func textRunning(l veighna.Language) string {
	return pick(l, "RPC服务运行中", "RPC service is running")
}

func textNotRunning(l veighna.Language) string {
	return pick(l, "RPC服务未启动", "RPC service is not running")
}

func textStartFailed(l veighna.Language, err error) string {
	return pick(l, "RPC服务启动失败：", "RPC service failed to start: ") + err.Error()
}

// textLost tells a trader that one of their programs has a hole in its view.
func textLost(l veighna.Language, events uint64, away time.Duration) string {
	seconds := away.Round(time.Second)
	return fmt.Sprintf(pick(l,
		"您的一个客户端在 %s 内没有读取推送，其间有 %d 条委托、成交、持仓或资金推送未能送达该客户端。请在该客户端重新查询（重新连接 RPC 接口）。",
		"one of your programs did not read for %s, and %d events of orders, trades, positions or account did not reach it. "+
			"In that program query again (reconnect the RPC gateway)."), seconds, events)
}

// textInterrupted tells a program whose connection was interrupted that it may have missed something.
func textInterrupted(l veighna.Language, events uint64, away time.Duration) string {
	seconds := away.Round(time.Second)
	return fmt.Sprintf(pick(l,
		"推送连接曾中断 %s，其间有 %d 条委托、成交、持仓或资金推送。若本程序在此期间一直运行，请重新查询（重新连接 RPC 接口）。",
		"the publish connection was interrupted for %s, and %d events of orders, trades, positions or account went by. "+
			"If this program was running all the time, query again (reconnect the RPC gateway)."), seconds, events)
}

// textOverflow tells a trader that the hub itself had to drop events.
func textOverflow(l veighna.Language, events uint64) string {
	return fmt.Sprintf(pick(l,
		"推送过多，有 %d 条委托、成交、持仓或资金推送被丢弃。请重新查询（重新连接 RPC 接口）。",
		"too many events at once: %d events of orders, trades, positions or account were dropped. Query again (reconnect the RPC gateway)."), events)
}

func pick(l veighna.Language, zh, en string) string {
	if l == veighna.English {
		return en
	}
	return zh
}

func addrPort(ip []byte, port int) string {
	addr, _ := netip.AddrFromSlice(ip) // 4 or 16 bytes
	return net.JoinHostPort(addr.Unmap().String(), strconv.Itoa(port))
}

// hostOf is an address without its port; "" for a unix socket.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return host
}

// portOf is the port of an address or endpoint; "" when it has none.
func portOf(addr string) string {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(addr, "tcp://"))
	if err != nil {
		return ""
	}
	return port
}

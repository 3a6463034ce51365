// Package host owns the plugin processes: it starts them, speaks to them, restarts them, and lets none outlive the hub.
//
// A plugin may be absent, slow, dead, wrong or hostile; what is asked of it is answered all the same. An order to a gateway that is down comes back as
// ReportNotSent; a risk manager that is down, slow or garbled answers no. Whatever has been handed to a process that died is left for the venue to tell: the package
// never sends an order twice, and never on its own account. There is one way for an order to a gateway, Host.Send, and it wants a gate.Permit.
//
// Each plugin has a supervisor (start, session, restart with back-off), and in a session a goroutine that sends, one that receives and one that
// watches. What is for the hub goes through one queue per plugin, so that it arrives in the plugin's order; only ticks do not wait in it.
//
// The package decides nothing, keeps no order's state, and knows neither core nor runner nor traders.
package host

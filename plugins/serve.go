package plugins

// ServeGateway runs a gateway until the hub closes it, and then ends the process. It is all that the main function of a gateway does.
func ServeGateway(g Gateway) { panic("being written") }

// ServeRiskManager runs a risk manager until the hub closes it, and then ends the process. It is all that the main function of a risk manager does.
func ServeRiskManager(m RiskManager) { panic("being written") }

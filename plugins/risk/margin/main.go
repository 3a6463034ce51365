package main

import "tradehub/plugins"

func main() { plugins.ServeRiskManager(&manager{}) }

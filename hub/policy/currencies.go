package policy

import (
	"github.com/expr-lang/expr/ast"
)

// currencyVars are about what the contract's currency, or one that the rule names, is worth in the fund's.
func currencyVars() []VarInfo {
	const unsaid = "neither hub.yaml nor hub ctl rates says it"
	return []VarInfo{
		{Name: "contract.currency", Scope: ScopeContract, Var: ContractCurrency, Kind: KindText, Meaning: `what its prices are in: "CNY"`},
		{
			Name: "contract.rate", Scope: ScopeContract, Var: ContractRate, Kind: KindNumber, Unit: "fund money / contract money",
			Meaning: "how much of the fund's currency one unit of the contract's currency is worth; 1 when they are the same", Missing: unsaid,
		},
		{
			Name: "contract.rate_age", Scope: ScopeContract, Var: ContractRateAge, Kind: KindNumber, Unit: "seconds",
			Meaning: "since somebody said contract.rate; 0 when the contract's currency is the fund's", Missing: unsaid,
		},
		{
			Name: "fund.rate", Scope: ScopeFund, Var: FundRate, Kind: KindNumber, Unit: "fund money / named money", Named: true,
			Meaning: "how much of the fund's currency one unit of the named currency is worth", Missing: unsaid,
		},
		{
			Name: "fund.rate_age", Scope: ScopeFund, Var: FundRateAge, Kind: KindNumber, Unit: "seconds", Named: true,
			Meaning: "since somebody said fund.rate of the named currency", Missing: unsaid,
		},
	}
}

// named is a variable of a currency that the rule names: fund.rate("USD").
func (c *checker) named(info *VarInfo, arguments []ast.Node, at int) (operand, bool) {
	if len(arguments) != 1 {
		c.fault(at, `%s wants one currency; write %s("USD")`, info.Name, info.Name)
		return operand{}, false
	}
	literal, isText := arguments[0].(*ast.StringNode)
	if !isText {
		c.fault(arguments[0].Location().From, `a currency is written as a text, such as "USD"`)
		return operand{}, false
	}
	if !currencyForm.MatchString(literal.Value) {
		c.fault(literal.Location().From, "%q is no currency; write its code in capitals, such as USD or USDT", shorten(literal.Value, textShown))
		return operand{}, false
	}
	o := variable(info, 0, at)
	o.ref.Name = literal.Value
	if info.Var == FundRate {
		o.unit = times(unitOf(power{baseFund, 1}), c.money(literal.Value), -1)
	}
	return o, true
}

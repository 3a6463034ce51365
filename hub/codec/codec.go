// Package codec turns entries and images of the core into bytes for the journal and back. The form is CBOR (RFC 8949) in its deterministic encoding, with numbered fields:
// fields are only ever added, so that a journal of last year can be read.
package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Kinds of input, as the journal has them. A number is never used again.
const (
	kindSetUp = iota + 1
	kindLoadPolicies
	kindSubmitOrder
	kindCancelOrder
	kindVenueReport
	kindReconcile
	kindGatewayState
	kindContracts
	kindMarks
	kindHalt
	kindRollDay
	kindTakeOrder
	kindJudgeOrder
)

// Kinds of currencies.
const (
	kindSetRates = iota + 30
)

// Kinds of states and the kill switch.
const (
	kindSetState = iota + 50
	kindCancelAll
	kindClock
	kindFlatten
	kindFlattenStep
)

// Kinds of the operator's transfers and of what venues say of the account.
const (
	kindTransferPosition = iota + 40
	kindTransferCapital
	kindVenueStatement
)

// Kinds of amendments.
const (
	kindAmendOrder = iota + 80
	kindDoubtAmendments
)

// Kinds of the permanent record.
const kindPoliciesRefused = 76

// The kinds from 60 on are of orders of one fund that meet.
const kindExpireWaits = 60

// The kinds from 105 on are of numbers that are published for rules.
const kindPublishNumbers = 105

// Kinds of overrides.
const (
	kindAskOverride = iota + 70
	kindApproveOverride
	kindWithdrawOverride
)

var (
	enc = must(cbor.CoreDetEncOptions().EncMode())
	dec = must(cbor.DecOptions{MaxNestedLevels: 16, MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 16}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// headerLen is the length of what stands before the CBOR: one byte of kind and eight of time, big endian.
const headerLen = 1 + 8

// Encode returns an entry as bytes. Its Seq is not written: the place in the journal is the number.
func Encode(e hub.Entry) ([]byte, error) {
	kind := kindOf(e.Input)
	if kind == 0 {
		return nil, fmt.Errorf("encode entry: no such input: %T", e.Input)
	}
	var buf bytes.Buffer
	buf.Grow(256)
	buf.WriteByte(byte(kind))
	buf.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Time)))
	if err := enc.NewEncoder(&buf).Encode(e.Input); err != nil {
		return nil, fmt.Errorf("encode entry: %T: %w", e.Input, err)
	}
	return buf.Bytes(), nil
}

func kindOf(in hub.Input) int {
	switch in.(type) {
	case hub.SetUp:
		return kindSetUp
	case hub.LoadPolicies:
		return kindLoadPolicies
	case hub.PoliciesRefused:
		return kindPoliciesRefused
	case hub.SubmitOrder:
		return kindSubmitOrder
	case hub.CancelOrder:
		return kindCancelOrder
	case hub.VenueReport:
		return kindVenueReport
	case hub.Reconcile:
		return kindReconcile
	case hub.GatewayState:
		return kindGatewayState
	case hub.Contracts:
		return kindContracts
	case hub.Marks:
		return kindMarks
	case hub.Halt:
		return kindHalt
	case hub.RollDay:
		return kindRollDay
	case hub.TakeOrder:
		return kindTakeOrder
	case hub.JudgeOrder:
		return kindJudgeOrder
	case hub.ExpireWaits:
		return kindExpireWaits
	case hub.AmendOrder:
		return kindAmendOrder
	case hub.DoubtAmendments:
		return kindDoubtAmendments
	case hub.SetState:
		return kindSetState
	case hub.SetRates:
		return kindSetRates
	case hub.PublishNumbers:
		return kindPublishNumbers
	case hub.CancelAll:
		return kindCancelAll
	case hub.Clock:
		return kindClock
	case hub.Flatten:
		return kindFlatten
	case hub.FlattenStep:
		return kindFlattenStep
	case hub.TransferPosition:
		return kindTransferPosition
	case hub.TransferCapital:
		return kindTransferCapital
	case hub.VenueStatement:
		return kindVenueStatement
	case hub.AskOverride:
		return kindAskOverride
	case hub.ApproveOverride:
		return kindApproveOverride
	case hub.WithdrawOverride:
		return kindWithdrawOverride
	}
	return 0
}

// Decode reads what Encode wrote; Seq is 0.
func Decode(b []byte) (hub.Entry, error) {
	if len(b) < headerLen {
		return hub.Entry{}, fmt.Errorf("decode entry: %d bytes are too few", len(b))
	}
	p := hub.Entry{Time: hub.Time(binary.BigEndian.Uint64(b[1:]))}
	var err error
	switch body := b[headerLen:]; b[0] {
	case kindSetUp:
		p.Input, err = decode[hub.SetUp](body)
	case kindLoadPolicies:
		p.Input, err = decode[hub.LoadPolicies](body)
	case kindPoliciesRefused:
		p.Input, err = decode[hub.PoliciesRefused](body)
	case kindSubmitOrder:
		p.Input, err = decode[hub.SubmitOrder](body)
	case kindCancelOrder:
		p.Input, err = decode[hub.CancelOrder](body)
	case kindVenueReport:
		p.Input, err = decode[hub.VenueReport](body)
	case kindReconcile:
		p.Input, err = decode[hub.Reconcile](body)
	case kindGatewayState:
		p.Input, err = decode[hub.GatewayState](body)
	case kindContracts:
		p.Input, err = decode[hub.Contracts](body)
	case kindMarks:
		p.Input, err = decode[hub.Marks](body)
	case kindHalt:
		p.Input, err = decode[hub.Halt](body)
	case kindRollDay:
		p.Input, err = decode[hub.RollDay](body)
	case kindTakeOrder:
		p.Input, err = decode[hub.TakeOrder](body)
	case kindJudgeOrder:
		p.Input, err = decode[hub.JudgeOrder](body)
	case kindExpireWaits:
		p.Input, err = decode[hub.ExpireWaits](body)
	case kindAmendOrder:
		p.Input, err = decode[hub.AmendOrder](body)
	case kindDoubtAmendments:
		p.Input, err = decode[hub.DoubtAmendments](body)
	case kindSetRates:
		p.Input, err = decode[hub.SetRates](body)
	case kindPublishNumbers:
		p.Input, err = decode[hub.PublishNumbers](body)
	case kindSetState:
		p.Input, err = decode[hub.SetState](body)
	case kindCancelAll:
		p.Input, err = decode[hub.CancelAll](body)
	case kindClock:
		p.Input, err = decode[hub.Clock](body)
	case kindFlatten:
		p.Input, err = decode[hub.Flatten](body)
	case kindFlattenStep:
		p.Input, err = decode[hub.FlattenStep](body)
	case kindTransferPosition:
		p.Input, err = decode[hub.TransferPosition](body)
	case kindTransferCapital:
		p.Input, err = decode[hub.TransferCapital](body)
	case kindVenueStatement:
		p.Input, err = decode[hub.VenueStatement](body)
	case kindAskOverride:
		p.Input, err = decode[hub.AskOverride](body)
	case kindApproveOverride:
		p.Input, err = decode[hub.ApproveOverride](body)
	case kindWithdrawOverride:
		p.Input, err = decode[hub.WithdrawOverride](body)
	default:
		return hub.Entry{}, fmt.Errorf("decode entry: kind %d is not known to this version of the hub", b[0])
	}
	if err != nil {
		return hub.Entry{}, fmt.Errorf("decode entry of kind %d: %w", b[0], err)
	}
	return p, nil
}

func decode[T hub.Input](b []byte) (hub.Input, error) {
	var v T
	err := dec.Unmarshal(b, &v)
	return v, err
}

// EncodeImage returns an image as bytes; equal states give equal bytes.
func EncodeImage(im core.Image) ([]byte, error) {
	b, err := enc.Marshal(im)
	if err != nil {
		return nil, fmt.Errorf("encode image: %w", err)
	}
	return b, nil
}

// DecodeImage reads what EncodeImage wrote.
func DecodeImage(b []byte) (core.Image, error) {
	var im core.Image
	if err := dec.Unmarshal(b, &im); err != nil {
		return core.Image{}, fmt.Errorf("decode image: %w", err)
	}
	return im, nil
}

// Digest is the SHA-256 of an image in hex: two hubs with equal digests are in the same state.
func Digest(im core.Image) (string, error) {
	b, err := EncodeImage(im)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

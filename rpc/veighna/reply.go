package veighna

import "tradehub/rpc/veighna/pickle"

// AppendReplyStart begins a reply; one value and AppendReplyEnd follow.
func AppendReplyStart(dst []byte) []byte {
	return pickle.AppendBool(pickle.AppendListStart(pickle.AppendProto(dst)), true)
}

// AppendReplyEnd ends a reply.
func AppendReplyEnd(dst []byte) []byte { return pickle.AppendStop(pickle.AppendListEnd(dst)) }

// AppendReplyError writes a whole reply that makes the client raise RemoteException(text). The client can be used on.
func AppendReplyError(dst []byte, text string) []byte {
	dst = pickle.AppendBool(pickle.AppendListStart(pickle.AppendProto(dst)), false)
	return AppendReplyEnd(pickle.AppendString(dst, text))
}

package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/hashicorp/raft-wal/types"
)

// This file reads raft-wal's segment files before raft-wal does, because
// raft-wal (v0.4)
//
//   - checks the checksum of the last batch only, and reads a damaged frame in
//     the middle of a file as the end of the file, dropping all after it;
//   - leaves the bytes of a torn batch behind the end, where a later recovery
//     can take them for frames;
//   - refuses every write ("segment is sealed") after a crash between the last
//     write to a segment and the start of the next, torn or not.
//
// The format, version 0: a header of 32 bytes, then frames, each of 8 bytes
// (type, 3 zeros, length or checksum) and a payload padded to 8. Entries of a
// batch are followed by a commit frame with the CRC-32C of all since the last
// commit frame; a full segment has an index frame before its last commit.
const (
	segmentMagic      = 0x58eb6b0d
	segmentHeaderSize = 32
	frameHeaderSize   = 8

	frameEntry  = 1
	frameIndex  = 2
	frameCommit = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentScan is what the frames of a segment say.
type segmentScan struct {
	entries    uint64 // in whole batches
	end        int64  // offset after the last whole batch; 0 when there is none
	indexStart uint64 // offset of the index array, if it is within a whole batch
	torn       bool   // something follows the last whole batch
	tornEnd    int64  // the offset after the last byte of that which is not zero
	damaged    bool   // a whole batch follows one that is not whole
}

// scanSegment finds the whole batches of a segment's bytes.
func scanSegment(b []byte) segmentScan {
	var s segmentScan
	var entries, index uint64
	var start int64 // of the batch at hand
	bad := false    // a batch that is framed well and has a wrong checksum
	pos := int64(segmentHeaderSize)
	for {
		f, ok := frameAt(b, pos)
		if !ok {
			break
		}
		switch f.kind {
		case frameEntry:
			entries++
		case frameIndex:
			index = uint64(pos + frameHeaderSize)
		case frameCommit:
			whole := crc32.Checksum(b[start:pos], castagnoli) == f.value
			if whole && bad {
				s.damaged = true
			}
			if !whole {
				bad = true
			}
			if !bad {
				s.entries, s.indexStart, s.end = entries, index, f.next
			}
			start = f.next
		}
		pos = f.next
	}
	s.tornEnd = lastNonZero(b)
	s.torn = s.tornEnd > s.end
	if s.torn && !s.damaged && s.end+frameHeaderSize < s.tornEnd {
		s.damaged = wholeBatchAfter(b[:s.tornEnd], s.end+frameHeaderSize)
	}
	return s
}

// wholeBatchAfter looks for two commit frames of which the second vouches for
// all between them. A crash leaves at most one batch that is not whole, the
// last; a whole one after it means that what is before was whole once.
func wholeBatchAfter(b []byte, from int64) bool {
	previous := int64(-1)
	for pos := (from + 7) &^ 7; pos+frameHeaderSize <= int64(len(b)); pos += 8 {
		f, ok := frameAt(b, pos)
		if !ok || f.kind != frameCommit {
			continue
		}
		if previous >= 0 && f.next-previous > 2*frameHeaderSize && crc32.Checksum(b[previous:pos], castagnoli) == f.value {
			return true
		}
		previous = f.next
	}
	return false
}

type frame struct {
	kind  byte
	value uint32 // length of the payload, or checksum
	next  int64
}

func frameAt(b []byte, pos int64) (frame, bool) {
	if pos+frameHeaderSize > int64(len(b)) {
		return frame{}, false
	}
	h := b[pos : pos+frameHeaderSize]
	if h[1] != 0 || h[2] != 0 || h[3] != 0 {
		return frame{}, false
	}
	f := frame{kind: h[0], value: binary.LittleEndian.Uint32(h[4:]), next: pos + frameHeaderSize}
	switch f.kind {
	case frameCommit:
		return f, true
	case frameEntry, frameIndex:
		f.next += (int64(f.value) + 7) &^ 7
		return f, f.next <= int64(len(b))
	default:
		return frame{}, false
	}
}

func lastNonZero(b []byte) int64 {
	for i := len(b); i > 0; i-- {
		if b[i-1] != 0 {
			return int64(i)
		}
	}
	return 0
}

// checkHeader says whether b begins as the file of that segment does.
func checkHeader(b []byte, info types.SegmentInfo) error {
	if len(b) < segmentHeaderSize || binary.LittleEndian.Uint32(b) != segmentMagic {
		return errors.New("its head is not that of a segment")
	}
	if b[7] != 0 {
		return fmt.Errorf("it has format version %d, which this hub does not know", b[7])
	}
	base, id := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	if base != info.BaseIndex || id != info.ID {
		return fmt.Errorf("it says that it is segment %x from entry %d, and should be %x from %d", id, base, info.ID, info.BaseIndex)
	}
	return nil
}

// checkSealed verifies a segment that is full and will not be written again.
func checkSealed(path string, info types.SegmentInfo) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := checkHeader(b, info); err != nil {
		return err
	}
	s := scanSegment(b)
	if s.damaged || info.BaseIndex+s.entries <= info.MaxIndex {
		return fmt.Errorf("of its entries %d to %d only those below %d are whole", info.BaseIndex, info.MaxIndex, info.BaseIndex+s.entries)
	}
	return nil
}

// mendTail verifies the segment that was being written, and makes it fit to be
// written on: what a crash left of an unfinished batch becomes zeros. When the
// segment turns out to be full, sealed says where its index is.
//
// After a stop that was not clean, the whole batches are written once more and
// synced: a sync that failed, before a process ended, can leave pages in the
// system's cache that pass for written and are not.
func mendTail(path string, info types.SegmentInfo, clean bool) (s segmentScan, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return segmentScan{}, nil // a crash before its first use; raft-wal makes it
	}
	if err != nil {
		return segmentScan{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(f)
	if err != nil {
		return segmentScan{}, err
	}
	s = scanSegment(b)
	if s.damaged {
		return s, fmt.Errorf("entry %d is damaged and others follow it", info.BaseIndex+s.entries)
	}
	if s.end > 0 {
		if err := checkHeader(b, info); err != nil {
			return s, err
		}
	}
	if clean {
		if s.torn {
			return s, fmt.Errorf("what follows entry %d is damaged, although the hub had ended cleanly", info.BaseIndex+s.entries-1)
		}
		return s, nil
	}
	clear(b[s.end:])
	if _, err := f.WriteAt(b[:max(s.end, s.tornEnd)], 0); err != nil {
		return s, err
	}
	return s, f.Sync()
}

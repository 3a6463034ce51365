package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// lineMax is the longest line that is read; none that is written comes near.
const lineMax = 1 << 20

// Read calls take with every line of whole deeds between two offsets, which are beginnings of deeds, and with the offset at which its deed begins. It returns
// where the last whole deed ends. What comes after that is what a process was writing when it was killed. A line in the middle that cannot be read is an error.
func Read(r io.ReaderAt, from, to int64, take func(at int64, l Line) error) (end int64, err error) {
	end = from
	at := from
	var deed []Line
	err = eachLine(r, from, to, func(text []byte) error {
		l, err := Parse(text)
		if err != nil {
			return fmt.Errorf("byte %d: %w", at, err)
		}
		at += int64(len(text)) + 1
		deed = append(deed, l)
		if l.More {
			return nil
		}
		for _, l := range deed {
			if err := take(end, l); err != nil {
				return fmt.Errorf("byte %d: %w", end, err)
			}
		}
		deed, end = deed[:0], at
		return nil
	})
	return end, err
}

// ReadOrders calls take with the text and the order id of every line between two offsets that is about an order, without reading more of it.
func ReadOrders(r io.ReaderAt, from, to int64, take func(id, text []byte) error) error {
	return eachLine(r, from, to, func(text []byte) error {
		if id := orderID(text); id != nil {
			return take(id, text)
		}
		return nil
	})
}

// orderID finds the id in a line as Append writes it. An id that needs quoting is answered as nil by nobody: it is read the long way.
func orderID(text []byte) []byte {
	_, rest, found := bytes.Cut(text, []byte(`,"id":"`))
	if !found {
		return nil
	}
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	if bytes.IndexByte(id, '\\') < 0 {
		return id
	}
	l, err := Parse(text)
	if err != nil {
		return nil
	}
	return []byte(l.ID)
}

func eachLine(r io.ReaderAt, from, to int64, take func(text []byte) error) error {
	lines := bufio.NewReaderSize(io.NewSectionReader(r, from, to-from), 256<<10)
	var long []byte
	for {
		text, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(long) < lineMax:
			long = append(long, text...)
			continue
		case errors.Is(err, io.EOF):
			return nil // a line without its end was never finished
		case err != nil:
			return err
		}
		if long != nil {
			text, long = append(long, text...), nil
		}
		if err := take(text[:len(text)-1]); err != nil {
			return err
		}
	}
}

// File is what a Writer writes to; an *os.File is one.
type File interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
}

// Writer adds lines to a book. It is not safe for use by several goroutines.
type Writer struct {
	file   File
	size   int64
	sync   bool
	buffer []byte
}

// NewWriter returns a Writer to a file that was opened with O_APPEND and holds size bytes, all of whole deeds. With sync, what is written is on the disk
// when Write returns, and so outlives the machine and not only the process.
func NewWriter(f File, size int64, sync bool) *Writer {
	return &Writer{file: f, size: size, sync: sync}
}

// Size is how long the book is.
func (w *Writer) Size() int64 { return w.size }

// Write adds lines by one call of the operating system: all of them are in the file, or, with an error, none.
func (w *Writer) Write(lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	w.buffer = w.buffer[:0]
	for i := range lines {
		w.buffer = lines[i].Append(w.buffer)
	}
	n, err := w.file.Write(w.buffer)
	if err == nil && w.sync {
		err = w.file.Sync()
	}
	if err != nil {
		if n > 0 { // nobody may find half of it
			err = errors.Join(err, w.file.Truncate(w.size))
		}
		return fmt.Errorf("write the book of record: %w", err)
	}
	w.size += int64(n)
	if cap(w.buffer) > 1<<20 {
		w.buffer = nil
	}
	return nil
}

// Open opens the book at path for reading and adding, and creates it when there is none.
func Open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
}
